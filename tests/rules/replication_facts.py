"""Facts of replications, made of log lines and answers, to be judged by the tests of the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cargo_runbook.facts.harbor.job_log import JobLog, read_log_text
from cargo_runbook.facts.harbor.jobs import Job, JobList
from cargo_runbook.facts.harbor.logs import FrontLog, RegistryLog, read_front_log, read_registry_log
from cargo_runbook.facts.harbor.replication import (
    Answer,
    ReplicationFacts,
    TokenAnswer,
)
from cargo_runbook.facts.token import TokenFacts
from cargo_runbook.findings import Diagnosis, Finding, Verdict
from cargo_runbook.rules.replication import judge_replication
from cargo_runbook.rules.triage import conclude, explain

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HTTPS, HTTP = "https://镜像.example:8443", "http://registry-2.internal:5080"
REPOSITORY = "研发-组/网关/前端"
D = "sha256:" + "ab" * 32


def job(number: int, status: str, repository: str = REPOSITORY, seconds: float = 60.0) -> Job:
    updated = NOW - timedelta(seconds=seconds)
    return Job(number, status, repository, 3, "transfer", ("v1", "v2"), updated, updated)


def listed(*jobs: Job) -> JobList:
    return JobList(200, jobs, len(jobs), "", NOW, "E1")


def opening(endpoint: str = HTTPS, repository: str = REPOSITORY) -> str:
    rest = f"tags: [v1 v2], source URL: http://registry:5000, destination URL: {endpoint}, insecure: true, "
    return f"2026-01-01T11:59:00Z [INFO] initializing: repository: {repository}, {rest}destination user: 同步 bot\n"


def log(message: str, endpoint: str = HTTPS, repository: str = REPOSITORY, seconds: int = 0) -> JobLog:
    text = f"2026-01-01T11:59:{seconds:02}Z [ERROR] [transfer.go:1]: an error occurred while {message}\n"
    return read_log_text(opening(endpoint, repository) + text, "E2")


def creating(error: str, endpoint: str = HTTPS) -> str:
    return f"creating project 研发-组 on {endpoint} with user 同步 bot : {error}"


def refused(error: str, endpoint: str = HTTPS) -> str:
    return creating(f"failed to create project 研发-组 on {endpoint} with user 同步 bot: {error}", endpoint)


def checking(error: str, endpoint: str = HTTPS, repository: str = REPOSITORY) -> str:
    return f"checking existence of blob {D} of {repository}:v1 on {endpoint}: {error}"


def pushing(error: str, endpoint: str = HTTPS) -> str:
    return f"pushing blob {D} of {REPOSITORY}:v1 to {endpoint} : {error}"


def one(message: str, status: str, endpoint: str = HTTPS, **more: object) -> ReplicationFacts:
    known = ReplicationFacts(jobs=listed(job(7, status)), logs={7: log(message, endpoint)})
    return replace(known, **more)  # type: ignore[arg-type]


def retrying(message: str, endpoint: str = HTTPS, **more: object) -> ReplicationFacts:
    return one(message, "retrying", endpoint, **more)


def failing(message: str, endpoint: str = HTTPS, **more: object) -> ReplicationFacts:
    return one(message, "error", endpoint, **more)


def token(
    *actions: str, subject: str = "同步 bot", key: str = "AAAA", status: int = 200, scoped: bool = True
) -> TokenAnswer:
    access = {f"repository:{REPOSITORY}": frozenset(actions)} if scoped else {}
    claims = TokenFacts("token:ab", key, "harbor-token-issuer", ("harbor-registry",), subject, access, "E5")
    return TokenAnswer(status, scoped, claims if status == 200 else None, "E5")


def pings(*statuses: int) -> tuple[Answer, ...]:
    return tuple(Answer(status, "", "E3") for status in statuses)


def registry(*messages: str) -> tuple[RegistryLog, ...]:
    path = f"http.request.method=HEAD http.request.uri=/v2/{REPOSITORY}/blobs/{D}"
    return (read_registry_log("\n".join(f'level=info msg="{m}" {path}' for m in messages), "E6"),)


def front(*requests: str, user: str = "同步 bot") -> tuple[FrontLog, ...]:
    lines = (f'192.0.2.1 - {user} [01/Jan/2026:11:59:00 +0000] "{r} 0 "-" "x"' for r in requests)
    return (read_front_log("\n".join(lines), "E7"),)


def diagnose(known: ReplicationFacts) -> Diagnosis:
    return conclude("a", "a.example", explain(judge_replication(known)), started="", seconds=0.0)


def find(diagnosis: Diagnosis, code: str) -> Finding:
    return next(f for f in diagnosis.findings if f.code == code)


def open_codes(diagnosis: Diagnosis) -> list[str]:
    """What could not be told apart or asked."""
    return [f.code for f in diagnosis.findings if f.status is Verdict.UNKNOWN]

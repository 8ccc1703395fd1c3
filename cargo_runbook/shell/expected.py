"""Answers out of thin air, so that the probes go on to their next question although nobody is asked anything.

Twice: as an installation answers that is well, and as one answers where something is wrong, since some questions are
asked only then. What only an answer can tell (the id of a policy) has a stand-in, which becomes a variable of the shell.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import Command, DnsQuery, HttpRequest, Observation, Question, Status, TlsHandshake
from cargo_runbook.texts import Text


@dataclass(frozen=True)
class FillIn:
    """What a person reads in an earlier answer: the shell's variable for it, and where it stands."""

    variable: str
    where: Text


POLICY, JOB, TARGET = 424242001, 424242002, 424242003
PEER, REALM_HOST, USER = "destination.invalid", "realm-host.invalid", "user-of-docker.invalid"
FILL_INS: Mapping[str, FillIn] = {
    str(POLICY): FillIn("POLICY_ID", Text("id of the policy, in the list of policies", "策略列表中的 id")),
    str(JOB): FillIn("JOB_ID", Text("id of the job that failed, in the list of jobs", "任务列表中失败任务的 id")),
    str(TARGET): FillIn("TARGET_ID", Text("targets[].id, in the list of policies", "策略列表中的 targets[].id")),
    PEER: FillIn("PEER", Text("host of targets[].endpoint, in the list of policies", "策略列表中 targets[].endpoint 的主机名")),
    REALM_HOST: FillIn("REALM_HOST", Text("host of the realm, in the challenge", "质询中 realm 的主机名")),
    USER: FillIn("DOCKER_USER", Text("who docker is logged in as", "docker 当前登录的用户")),
}  # fmt: skip
"""Stand-in -> what takes its place in a command."""

_CONTAINERS = ("tengine", "harbor-registry", "harbor-jobservice", "harbor-ui", "harbor-adminserver", "harbor-db")
_CONFIG = (
    "storage:\n  filesystem:\n    rootdirectory: /storage\n"
    "auth:\n  token:\n    realm: https://{domain}/service/token\n    service: harbor-registry\n"
)
_DF = "Filesystem 1024-blocks Used Available Capacity Mounted on\ndisk 1000000000 {used} {free} {percent}% /storage\n"
_STAT = "1024 1000000000 {free} {free} 1000000 999000\n"
_LOG = (
    "2026-01-01T00:00:00Z [ERROR] [transfer.go:395]: an error occurred while checking existence of blob "
    f"sha256:{'0' * 64} of library/tiny:1 on https://{PEER}: 401 \n"
)


class Expected:
    """Answers for one environment; nothing is sent anywhere.

    Args:
        troubled: as where something is wrong.
    """

    def __init__(self, environment: Environment, *, troubled: bool = False) -> None:
        self._environment = environment
        self._troubled = troubled

    def ask(self, question: Question) -> Observation:
        """What might come back."""
        match question:
            case DnsQuery():
                return _answer(question, data={"rcode": "NOERROR", "addresses": [self._address]})
            case TlsHandshake():
                return _answer(question, data={"trusted": True, "problem": "", "names": [question.server_name]})
            case HttpRequest():
                return self._http(question)
            case Command():
                return self._command(question)
            case _:
                return _answer(question, exit_code=0, output="{}")

    def close(self) -> None:
        """Nothing is open."""

    @property
    def _address(self) -> str:
        return next(iter(self._environment.addresses), self._environment.hosts[0].address)

    def _command(self, question: Command) -> Observation:
        argv = question.argv
        if argv[0] == "getent":
            # The reason why a name is not found is asked where it is not.
            found = "" if self._troubled else "".join(f"{self._address} {name}\n" for name in argv[2:])
            return _answer(question, exit_code=2 if self._troubled else 0, output=found)
        if argv[0] == "df":
            used, free, percent = (999_999_000, 1_000, 100) if self._troubled else (1_000, 999_999_000, 1)
            return _answer(question, exit_code=0, output=_DF.format(used=used, free=free, percent=percent))
        if argv[:2] == ("stat", "-f"):
            return _answer(question, exit_code=0, output=_STAT.format(free=1_000 if self._troubled else 999_999_000))
        if argv[:2] == ("docker", "ps"):
            return _answer(question, exit_code=0, output="\n".join(self._containers()))
        if argv[:2] == ("docker", "inspect") and ".Mounts" in argv[3]:
            mounts = [{"Source": f"{self._environment.hosts[0].root}/data/registry", "Destination": "/storage"}]
            return _answer(question, exit_code=0, output=json.dumps(mounts))
        if argv[0] == "cat":
            return _answer(question, exit_code=0, output=self._file(argv[-1]))
        return _answer(question, exit_code=0)

    def _file(self, path: str) -> str:
        if path == "/etc/hosts":
            service = self._environment.token_service
            return f"{service.address} cargo-admin\n" if service else "127.0.0.1 localhost\n"
        if path.endswith("/registry/config.yml"):
            return _CONFIG.format(domain=self._environment.domain)
        return ""

    def _containers(self) -> list[str]:
        tengines = [host.tengine for host in self._environment.hosts]
        names = dict.fromkeys((*tengines, *_CONTAINERS))
        stopped = tengines if self._troubled else []
        return [json.dumps({"Names": n, "Status": "Exited (1)" if n in stopped else "Up 1 minute"}) for n in names]

    def _http(self, question: HttpRequest) -> Observation:
        place = urlsplit(question.url)
        if place.path == "/v2/" and not question.bearer:
            host = REALM_HOST if self._troubled else self._environment.authority
            challenge = f'Bearer realm="https://{host}/service/token",service="harbor-registry"'
            return _reply(question, 401, headers={"www-authenticate": [challenge]})
        if place.path == "/service/token":
            return self._token(question)
        body = next((body for path, body in _BODIES.items() if place.path.endswith(path)), None)
        if body is None:
            return _reply(question, 200)
        return _reply(question, 200, body(self))

    def _token(self, question: HttpRequest) -> Observation:
        scopes = parse_qs(urlsplit(question.url).query).get("scope", [])
        granted = [] if self._troubled else [_access(scope) for scope in scopes]
        user = USER if question.account == "docker-config" else question.account
        token = {"ref": f"token:{question.key()}", "header": {}, "claims": {"sub": user, "access": granted}}
        return _reply(question, 200, "{}", token=token, user=user)

    def registries(self) -> str:
        return json.dumps({"items": [{"name": "cargo", "domain": self._environment.domain}]})

    def policies(self) -> str:
        target = {"id": TARGET, "endpoint": f"https://{PEER}", "name": "peer", "username": "admin", "insecure": False}
        policy = {"id": POLICY, "name": "policy", "projects": [{"name": "library"}], "targets": [target]}
        return json.dumps([{**policy, "trigger": {"kind": "Manual"}}])

    def jobs(self) -> str:
        times = {"creation_time": "2026-01-01T00:00:00Z", "update_time": "2026-01-01T00:00:00Z"}
        job = {"id": JOB, "status": "error" if self._troubled else "finished", "repository": "library/tiny"}
        return json.dumps([{**job, "policy_id": POLICY, "operation": "transfer", "tags": ["1"], **times}])

    def log(self) -> str:
        return _LOG

    def systeminfo(self) -> str:
        return json.dumps({"auth_mode": "db_auth", "harbor_version": "v1.4.1"})


_BODIES: Mapping[str, Callable[[Expected], str]] = {
    "/systeminfo": Expected.systeminfo,
    "/policies/replication": Expected.policies,
    "/jobs/replication": Expected.jobs,
    "/log": Expected.log,
    "/registries": Expected.registries,
}


def _access(scope: str) -> dict[str, Any]:
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    return {"type": kind, "name": name, "actions": actions.split(",")}


def _reply(
    question: Question, status: int, output: str = "", *, headers: Mapping[str, Any] | None = None, **data: Any
) -> Observation:
    return _answer(question, output=output, data={"status": status, "headers": dict(headers or {}), **data})


def _answer(
    question: Question, *, exit_code: int | None = None, output: str = "", data: Mapping[str, Any] | None = None
) -> Observation:
    return Observation(
        question=question,
        status=Status.ANSWERED,
        exit_code=exit_code,
        output=output,
        data=dict(data or {}),
        started=datetime.now(UTC),
        duration=0.0,
    )

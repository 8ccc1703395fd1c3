"""Each cause alone, in wording and with names that were not recorded."""

from __future__ import annotations

import pytest

from cargo_runbook.facts.harbor.job_log import JobLog, read_log_text
from cargo_runbook.facts.harbor.replication import (
    Answer,
    Health,
    Redirect,
    ReplicationFacts,
    RepositoryFacts,
    StartFacts,
    TrustedKeys,
)
from cargo_runbook.findings import Verdict
from cargo_runbook.rules.replication import codes
from tests.rules.replication_facts import (
    HTTP,
    HTTPS,
    D,
    checking,
    creating,
    diagnose,
    failing,
    front,
    job,
    listed,
    opening,
    pings,
    pushing,
    refused,
    registry,
    retrying,
    token,
)

TO = f"Post {HTTPS}/api/projects/: "
DIAL = "dial tcp 192.0.2.9:8443: "
OLD = "Post https://old-name.example/service/token?x=1: "
LOOKUP = f"Head {HTTPS}/v2/a/blobs/{D}: Get https://old-name.example/service/token?service=harbor-registry: "

GONE = "dial tcp: lookup jobservice: no such host"

CASES = [
    ("name, Go 1.9", retrying(creating(TO + "dial tcp: lookup 镜像.example on 10.254.0.100:53: no such host")), "CRG403"),
    ("name, alpine", retrying(creating(TO + "dial tcp: lookup 镜像.example: Name does not resolve")), "CRG403"),
    ("name server fails", retrying(creating(TO + "dial tcp: lookup 镜像.example on 10.0.0.2:53: server misbehaving")), "CRG404"),
    ("refused, Go 1.9", retrying(creating(TO + DIAL + "getsockopt: connection refused")), "CRG405"),
    ("no route", retrying(creating(TO + DIAL + "getsockopt: no route to host")), "CRG406"),
    ("dropped packets", retrying(creating(TO + DIAL + "getsockopt: connection timed out")), "CRG406"),
    ("unknown CA", retrying(creating(TO + "x509: certificate signed by unknown authority")), "CRG407"),
    ("other name", retrying(creating(TO + "x509: certificate is valid for a.example, b.example, not 镜像.example")), "CRG408"),
    ("no IP in it", retrying(creating(TO + "x509: cannot validate certificate for 192.0.2.9 because it doesn't")), "CRG408"),
    ("expired, Go 1.9", retrying(creating(TO + "x509: certificate has expired or is not yet valid")), "CRG409"),
    ("plain HTTP there", retrying(creating(TO + "http: server gave HTTP response to HTTPS client")), "CRG410"),
    ("reset", retrying(creating(TO + "read tcp 192.0.2.1:5->192.0.2.9:8443: read: connection reset by peer")), "CRG411"),
    ("realm's name", retrying(checking(LOOKUP + "dial tcp: lookup old-name.example: no such host")), "CRG412"),
    ("realm's certificate", retrying(checking(LOOKUP + "x509: certificate signed by unknown authority")), "CRG412"),
    ("realm on another port", retrying(checking(LOOKUP.replace("old-name.example", "镜像.example:9") + "EOF")), "CRG412"),
    ("token is a page", retrying(checking(f"Head {HTTPS}/v2/: invalid character '<' looking for beginning of value")), "CRG413"),
    ("token is empty", failing(checking("401 "), registry_logs=registry("error authorizing context: malformed token")), "CRG413"),
    ("answer never came", retrying(creating(TO + "net/http: request canceled (Client.Timeout exceeded)")), "CRG414"),
    ("no role, by claims", failing(checking("401 "), tokens=(token(),)), "CRG416"),
    ("no role, by ping", failing(checking("401 "), pings=pings(200, 200)), "CRG416"),
    ("guest, by claims", failing(pushing('401 {"errors":[]}'), tokens=(token("pull"),)), "CRG417"),
    ("other key", failing(checking("401 "), tokens=(token("pull", "push"),), keys=(TrustedKeys("b", ("BBBB",), "E8"),)), "CRG418"),
    (
        "bad signature",
        failing(checking("401 "), registry_logs=registry("unable to verify token signature: crypto/rsa")),
        "CRG418",
    ),
    ("clock", failing(checking("401 "), registry_logs=registry("token not to be used before 2026-01-01 12:05")), "CRG419"),
    ("issuer", failing(checking("401 "), registry_logs=registry("token from untrusted issuer: x")), "CRG420"),
    ("audience", failing(checking("401 "), registry_logs=registry("token intended for another audience: x")), "CRG420"),
    ("stranger", failing(checking("401 "), tokens=(token(status=401, scoped=False), token(subject=""))), "CRG421"),
    ("stranger, public project", failing(pushing("401 "), tokens=(token("pull", subject=""), token(subject=""))), "CRG421"),
    ("token service says 401", failing(checking('401 {"code":"x"}'), tokens=(token(status=401), token(status=401))), "CRG421"),
    ("sometimes a stranger", failing(checking("401 "), tokens=(token("pull", "push"), token(subject=""))), "CRG422"),
    ("sometimes a bad ping", failing(checking("401 "), pings=pings(200, 400, 200)), "CRG422"),
    ("redirect", failing(checking("401 ", HTTP), HTTP, redirect=Redirect(301, HTTPS, "E4")), "CRG423"),
    ("redirect elsewhere", failing(checking("401 "), redirect=Redirect(302, "https://new.example", "E4")), "CRG423"),
    ("http to a TLS port", failing(refused("400 <html>The plain HTTP request was sent to HTTPS port</html>", HTTP), HTTP), "CRG423"),
    ("http to a TLS port, no body", failing(checking("400 ", HTTP), HTTP), "CRG423"),
    ("http to a Go server", retrying(creating(f'Post {HTTP}/api/: malformed HTTP response "\\x15\\x03\\x01"', HTTP), HTTP), "CRG423"),
    ("password, by systeminfo", failing(refused("401 "), destination=Health("b", Answer(200, "{}", "E9"))), "CRG424"),
    ("password, by a token", failing(refused("401 "), tokens=(token(subject=""),)), "CRG424"),
    ("registry stopped", failing(checking("502 ")), "CRG425"),
    ("registry stopped while pushing", failing(pushing("502 <html>"), destination=Health("b", None, Answer(502, "", "E9"))), "CRG425"),
    ("ui stopped", failing(refused("502 <html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>")), "CRG426"),
    ("token service 503", failing(checking("503 <html>")), "CRG427"),
    ("token service 404", failing(checking("404 <html>")), "CRG427"),
    ("token service 500", failing(checking("500 "), front_logs=front('GET /service/token?scope=x HTTP/1.1" 500')), "CRG427"),
    ("too large", failing(pushing("413 <html><head><title>413 Request Entity Too Large</title></head></html>")), "CRG428"),
    ("may not create", failing(refused("403 Only system admin can create project")), "CRG429"),
    ("no Harbor", failing(refused("404 404 page not found")), "CRG430"),
    ("name not taken", failing(refused("400 project name is not in lower case or contains illegal characters!")), "CRG431"),
    ("firewall's page", failing(refused("403 <html>blocked</html>")), "CRG431"),
    ("source registry", failing("pulling manifest of a/b:1 from http://registry:5000: 502 "), "CRG433"),
    ("source refused", retrying("pulling manifest of a/b:1 from http://registry:5000: dial tcp: connection refused"), "CRG433"),
    ("database down", failing(refused("401 "), destination=Health("b", Answer(500, "Unexpected error", "E9"))), "CRG434"),
    ("database down, 500", failing(refused("500 "), destination=Health("b", Answer(500, "Unexpected error", "E9"))), "CRG434"),
    ("proxy", retrying(creating(TO + "Service Unavailable")), "CRG435"),
    (
        "not known to Harbor",
        ReplicationFacts(
            jobs=listed(), start=StartFacts(200, (), 5, "E4"), repositories=(RepositoryFacts("a/b", False, 2, 200, "E5"),)
        ),
        "CRG436",
    ),
    ("no job", ReplicationFacts(jobs=listed(), start=StartFacts(200, (), 5, "E4")), "CRG437"),
    ("stopped", ReplicationFacts(jobs=listed(job(1, "stopped"))), "CRG438"),
    ("disk full", failing(pushing('500 {"errors":[{"code":"UNKNOWN","detail":{"Op":"write","Err":28}}]}')), "CRG439"),
    ("disk full, by the registry", failing(pushing("503 "), registry_logs=registry("x: no space left on device")), "CRG439"),
    (
        "jobservice down",
        ReplicationFacts(jobs=listed(job(1, "retrying")), logs={1: JobLog(500, (), False, f"Get http://jobservice/log: {GONE}", "E2")}),
        "CRG432",
    ),
    ("silent", ReplicationFacts(jobs=listed(job(1, "running")), logs={1: read_log_text(opening(), "E2")}), "CRG414"),
    ("retrying, log not known", retrying("doing something new: the moon is not full"), "CRG401"),
    ("error, log not known", failing("doing something new on https://b.example: 418 teapot"), "CRG402"),
]  # fmt: skip


@pytest.mark.parametrize(("known", "code"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_cause_alone_is_the_only_root_cause(known: ReplicationFacts, code: str) -> None:
    diagnosis = diagnose(known)
    assert diagnosis.root_causes == (code,)
    assert code not in diagnosis.refuted
    assert all(f.chain for f in diagnosis.findings if f.status is Verdict.FAULT)


def test_every_code_of_replication_can_be_at_fault_by_these_rules() -> None:
    waiting = ReplicationFacts(
        jobs=listed(job(1, "running", "a/1"), job(2, "pending", "a/2")), logs={1: read_log_text(opening(), "E2")}
    )
    told = [f.code for known in (*(case[1] for case in CASES), waiting) for f in diagnose(known).findings
            if f.status is Verdict.FAULT]  # fmt: skip
    assert set(told) == set(codes())

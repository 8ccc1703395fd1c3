"""Questions and observations: one thing done to look, and what came back.

A question says what is asked and from where; it holds no secret, only the name of the account whose credentials
are meant. An observation is its answer. Both are plain data: they can be written as JSON, replayed, and judged
again years later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from cargo_runbook.texts import Text


class Place(StrEnum):
    """Kinds of places from which one looks."""

    OPERATOR = "operator"
    CARGO_HOST = "cargo host"
    CONTAINER = "container"
    NODE = "node"
    CLUSTER = "cluster"
    HARBOR = "Harbor of"
    CARGO_ADMIN = "Cargo-Admin of"


@dataclass(frozen=True, order=True)
class Vantage:
    """The place from which one looks.

    `host` is a host's name in the inventory (of a node of Kubernetes for `Place.NODE`, or a kubectl context for
    `Place.CLUSTER`, or the name of an environment for its APIs); `container` the name of a container on that host.
    """

    place: Place
    host: str = ""
    container: str = ""

    def __str__(self) -> str:
        if self.place is Place.CONTAINER:
            return f"container {self.container} on {self.host}"
        return f"{self.place} {self.host}".strip()


OPERATOR = Vantage(Place.OPERATOR)


@dataclass(frozen=True, kw_only=True)
class Question:
    """Something to ask.

    Args:
        deadline: seconds, for the whole of it.
        environment: name of another environment of the same inventory whose hosts, CA and accounts are meant, such
            as the destination of a replication; empty for the environment that is looked at.
        attempt: tells questions apart that are asked several times on purpose; equal ones are asked once.
    """

    kind: ClassVar[str]
    vantage: Vantage = OPERATOR
    deadline: float = 10.0
    environment: str = ""
    attempt: int = 0

    def key(self) -> str:
        """SHA-256 (hex) of all that matters for the answer: equal questions have equal keys."""
        body = question_to_json(self)
        body.pop("deadline")
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

    def __str__(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Command(Question):
    """A command at the operator, on a Cargo host, on a node, or in a container. `argv` never holds a secret."""

    kind: ClassVar[str] = "command"
    argv: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.argv)


@dataclass(frozen=True, kw_only=True)
class KubeCommand(Question):
    """`kubectl --context CONTEXT ARGS`; the context is the vantage's host."""

    kind: ClassVar[str] = "kubectl"
    args: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(("kubectl", *self.args))


@dataclass(frozen=True, kw_only=True)
class HttpRequest(Question):
    """An HTTP request from the operator. Redirects are never followed: they are shown.

    Args:
        connect_to: address to connect to instead of what the URL's host resolves to (as curl's --connect-to).
        account: name of an account of the environment whose credentials go along as Basic.
        bearer: `token:<sha256>` reference (see `Observation.data["token"]`) to a token that was received before.
        body: JSON text to send; it holds no secret.
    """

    kind: ClassVar[str] = "http"
    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    connect_to: str = ""
    account: str = ""
    bearer: str = ""
    body: str = ""

    def __str__(self) -> str:
        who = f" as {self.account}" if self.account else ""
        where = f" at {self.connect_to}" if self.connect_to else ""
        return f"{self.method} {self.url}{who}{where}"


@dataclass(frozen=True, kw_only=True)
class DnsQuery(Question):
    """A DNS query sent to one name server; with an empty `server`, a look-up by the operator's own resolver."""

    kind: ClassVar[str] = "dns"
    name: str
    server: str = ""
    rdtype: str = "A"

    def __str__(self) -> str:
        return f"{self.name} {self.rdtype} @{self.server or 'system resolver'}"


@dataclass(frozen=True, kw_only=True)
class TlsHandshake(Question):
    """A TLS handshake from the operator, to see the certificate and whether it is trusted for `server_name`.

    `address` is a name or an IP address to connect to.
    """

    kind: ClassVar[str] = "tls"
    address: str
    server_name: str
    port: int = 443

    def __str__(self) -> str:
        return f"TLS {self.server_name}:{self.port} at {self.address}"


class Status(StrEnum):
    """How asking ended. Whatever came back, an exit code of 1 or an NXDOMAIN too, is `answered`."""

    ANSWERED = "answered"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    WITHHELD = "withheld"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What came back.

    Args:
        question: what was asked.
        status: how asking ended.
        exit_code: of a command; None for other kinds, or when there was none.
        output: standard output, response body or answer section as text; redacted, capped.
        error: standard error or the reason of the failure; redacted, capped.
        data: the structured part, by kind:
            http: `status` (int), `headers` (lower-case names), `peer` (address), `token` (reference, claims and
            header of a JWT in the body, never the token itself), `user` (who logged in), `reason` when unreachable;
            dns: `rcode` (NOERROR, NXDOMAIN, SERVFAIL, REFUSED, ...), `addresses` (list), `source`;
            tls: `trusted` (bool), `problem` (expired, unknown_ca, wrong_name, not_tls, ...), `certificate` (PEM),
            `names`, `issuer`, `not_before`, `not_after`;
            unreachable, any kind: `reason` (name_not_resolved, refused, no_route, reset, timeout, host_key_unknown,
            host_key_changed, authentication, ...), `zh`: that reason's sentence in Chinese; `error` has it in English.
        started: UTC time.
        duration: seconds.
        truncated: the output was longer than the cap.
        sha256: hex digest of the whole redacted output, before it was cut.
        id: set when it is filed as evidence (`E1`, `E2`, ...).
    """

    question: Question
    status: Status
    exit_code: int | None = None
    output: str = ""
    error: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    started: datetime
    duration: float
    truncated: bool = False
    sha256: str = ""
    id: str = ""

    @property
    def vantage(self) -> Vantage:
        return self.question.vantage

    @property
    def complaint(self) -> Text:
        """`error` for a reader: in Chinese where the failure has a sentence of ours, else what was printed."""
        return Text(self.error.strip(), str(self.data.get("zh", "") or self.error.strip()))

    @property
    def answered(self) -> bool:
        return self.status is Status.ANSWERED

    def header(self, name: str) -> str:
        """The first value of a header of an HTTP answer (`name` in lower case); empty without one."""
        headers = self.data.get("headers")
        value = headers.get(name, "") if isinstance(headers, Mapping) else ""
        return value if isinstance(value, str) else str(next(iter(value), ""))


_KINDS: dict[str, type[Question]] = {c.kind: c for c in (Command, KubeCommand, HttpRequest, DnsQuery, TlsHandshake)}


def question_to_json(question: Question) -> dict[str, Any]:
    """A question as JSON-ready data, with its `kind`."""
    body: dict[str, Any] = {"kind": question.kind}
    for name in question.__dataclass_fields__:
        value = getattr(question, name)
        if isinstance(value, Vantage):
            value = {"place": str(value.place), "host": value.host, "container": value.container}
        body[name] = [list(v) if isinstance(v, tuple) else v for v in value] if isinstance(value, tuple) else value
    return body


def question_from_json(body: Mapping[str, Any]) -> Question:
    """The inverse of `question_to_json`.

    Raises:
        KeyError: unknown kind.
        TypeError: unknown or missing field.
    """
    fields = dict(body)
    cls = _KINDS[fields.pop("kind")]
    vantage = fields.pop("vantage")
    fields["vantage"] = Vantage(Place(vantage["place"]), vantage["host"], vantage["container"])
    for name, value in fields.items():
        if isinstance(value, list):
            fields[name] = tuple(tuple(v) if isinstance(v, list) else v for v in value)
    return cls(**fields)


def observation_to_json(observation: Observation) -> dict[str, Any]:
    """An observation as JSON-ready data."""
    return {
        "id": observation.id,
        "question": question_to_json(observation.question),
        "status": str(observation.status),
        "exit_code": observation.exit_code,
        "output": observation.output,
        "error": observation.error,
        "data": dict(observation.data),
        "started": observation.started.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "duration": round(observation.duration, 4),
        "truncated": observation.truncated,
        "sha256": observation.sha256,
    }


def observation_from_json(body: Mapping[str, Any]) -> Observation:
    """The inverse of `observation_to_json`."""
    fields = dict(body)
    fields["question"] = question_from_json(fields["question"])
    fields["status"] = Status(fields["status"])
    fields["started"] = datetime.fromisoformat(fields["started"].replace("Z", "+00:00"))
    return Observation(**fields)

"""Which codes a job's last error can mean, by what it was doing and how it was answered."""

from __future__ import annotations

from collections.abc import Callable

from cargo_runbook.facts.harbor.go_error import Kind, origin
from cargo_runbook.facts.harbor.job_log import Failure, Operation, Side
from cargo_runbook.facts.harbor.logs import disk_full_in

Found = tuple[str, ...]

UNAUTHORIZED_READING: Found = ("CRG416", "CRG418", "CRG419", "CRG420", "CRG421", "CRG422", "CRG423")
UNAUTHORIZED_PUSHING: Found = ("CRG417", "CRG421", "CRG422")

_NETWORK = {
    Kind.NO_SUCH_NAME: "CRG403",
    Kind.NAME_SERVER: "CRG404",
    Kind.REFUSED: "CRG405",
    Kind.NO_ROUTE: "CRG406",
    Kind.UNKNOWN_CA: "CRG407",
    Kind.WRONG_NAME: "CRG408",
    Kind.NOT_VALID_NOW: "CRG409",
    Kind.NO_TLS: "CRG410",
    Kind.CLOSED: "CRG411",
    Kind.NOT_JSON: "CRG413",
    Kind.TLS_EXPECTED: "CRG423",
    Kind.REDIRECTED: "CRG423",
    Kind.PROXY: "CRG435",
}
_PUSHING = (Operation.PUSH_BLOB, Operation.PUSH_MANIFEST)


def suspects(failure: Failure) -> Found:
    """The codes that `failure` can mean; empty when its text is not known."""
    if failure.side is Side.SOURCE:
        return ("CRG433",)
    if failure.is_network:
        return _network(failure)
    if failure.error.status // 100 == 3 or _plain_http(failure):
        return ("CRG423",)
    if failure.error.status == 407:
        return ("CRG435",)
    return _OF_OPERATION.get(failure.operation, _untold)(failure)


def _plain_http(failure: Failure) -> bool:
    said, plain = failure.error.body.lower(), origin(failure.url)[0] == "http"
    told = "plain http request" in said or "http request to an https server" in said
    # HEAD is answered without the body that would say so.
    return failure.error.status == 400 and (told or (plain and not said))


def _network(failure: Failure) -> Found:
    kind, (_, host, port) = failure.error.kind, origin(failure.url)
    _, asked_host, asked_port = origin(failure.error.url)
    elsewhere = bool(host and asked_host) and (asked_host, asked_port) != (host, port)
    if kind in (Kind.OTHER, Kind.PROXY, Kind.NOT_JSON):
        return (_NETWORK[kind],) if kind in _NETWORK else ()
    # Only the realm of the destination's challenge makes jobservice ask another host for a token.
    if elsewhere and "/v2/" not in failure.error.url and "/api/" not in failure.error.url:
        return ("CRG412",)
    if kind is Kind.TIMEOUT:
        # Without `dial` the connection was made, and no answer came on it.
        return ("CRG406",) if "dial" in failure.error.text or "handshake" in failure.error.text else ("CRG414",)
    return (_NETWORK[kind],)


def _creating(failure: Failure) -> Found:
    status, page = failure.error.status, failure.error.body.lstrip().startswith("<")
    if status == 401:
        return ("CRG424", "CRG434")
    if status == 403:
        return ("CRG431",) if page else ("CRG429",)
    if status in (404, 405):
        return ("CRG430",)
    if status == 500:
        return ("CRG426", "CRG434")
    return ("CRG426",) if status > 500 else ("CRG431",)


def _checking(failure: Failure) -> Found:
    status = failure.error.status
    if failure.error.body:
        # HEAD is answered without a body: a body belongs to the token request that went before it.
        return ("CRG421", "CRG422") if status == 401 else ("CRG427",)
    if status == 401:
        return UNAUTHORIZED_READING
    if status == 403:
        return ("CRG416", "CRG431")
    if status == 500:
        return ("CRG425", "CRG427", "CRG434")
    return ("CRG425",) if status > 500 else ("CRG431",)


def _pushing(failure: Failure) -> Found:
    status = failure.error.status
    if status == 401:
        return UNAUTHORIZED_PUSHING
    if status == 403:
        return ("CRG417", "CRG431")
    if status == 413:
        return ("CRG428",)
    if status == 507 or disk_full_in(failure.error.body):
        return ("CRG439",)
    if status == 500:
        return ("CRG425", "CRG427", "CRG434", "CRG439")
    return ("CRG425", "CRG427") if status > 500 else ("CRG431",)


def _untold(failure: Failure) -> Found:
    return ("CRG417", *UNAUTHORIZED_READING) if failure.error.status == 401 else ()


_OF_OPERATION: dict[Operation, Callable[[Failure], Found]] = {
    Operation.CREATE_PROJECT: _creating,
    Operation.CHECK_BLOB: _checking,
    Operation.DESTINATION_CLIENT: _checking,
    Operation.PUSH_BLOB: _pushing,
    Operation.PUSH_MANIFEST: _pushing,
}

# What a job does in order. A failure proves that the stages before it work; those behind it were not reached.
STAGES: tuple[tuple[str, ...], ...] = (
    ("CRG403", "CRG404", "CRG435"),
    ("CRG405", "CRG406"),
    ("CRG407", "CRG408", "CRG409", "CRG410"),
    ("CRG411", "CRG414"),
    ("CRG424", "CRG426", "CRG429", "CRG430", "CRG434"),
    ("CRG433",),
    ("CRG412", "CRG413", "CRG425", "CRG427"),
    ("CRG416", "CRG418", "CRG419", "CRG420", "CRG421", "CRG422", "CRG423", "CRG431"),
    ("CRG417", "CRG428", "CRG439"),
)
ALL_STAGES: tuple[str, ...] = tuple(code for stage in STAGES for code in stage)
_REACHED: dict[Operation, int] = {
    Operation.CREATE_PROJECT: 4,
    Operation.PULL_MANIFEST: 5,
    Operation.PULL_BLOB: 5,
    Operation.LIST_TAGS: 0,
    Operation.SOURCE_CLIENT: 0,
    Operation.DESTINATION_CLIENT: 6,
    Operation.CHECK_BLOB: 6,
    Operation.PUSH_BLOB: 8,
    Operation.PUSH_MANIFEST: 8,
}


def works(failure: Failure) -> frozenset[str]:
    """Codes that cannot be, since the job got past them."""
    reached = _REACHED.get(failure.operation, 0)
    if failure.operation is Operation.CREATE_PROJECT and failure.is_network:
        found = suspects(failure)
        reached = next((i for i, stage in enumerate(STAGES) if set(found) & set(stage)), 0)
    if failure.operation is Operation.CHECK_BLOB and failure.error.status in (401, 403):
        # The registry itself answered, to a request that had fetched its token.
        reached = 7
    passed = {code for stage in STAGES[:reached] for code in stage}
    return frozenset(passed - set(suspects(failure)))


def pushing(failure: Failure) -> bool:
    return failure.operation in _PUSHING

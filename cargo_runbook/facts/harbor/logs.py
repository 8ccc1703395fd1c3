"""What the destination wrote down about the same requests: its registry's log and its front's access log."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from urllib.parse import parse_qs, unquote_plus, urlsplit


class Refusal(StrEnum):
    """Why a registry refused a token (docker-registry 2.6 to 2.8, `registry/auth/token`)."""

    NO_TOKEN = "no token"  # noqa: S105 - a reason
    SCOPE = "scope"
    KEY = "key"
    TIME = "time"
    CLAIMS = "claims"
    MALFORMED = "malformed"
    UNTOLD = "untold"


@dataclass(frozen=True)
class RegistryRefusal:
    """One refusal. `key_id` is that of a key that is not trusted; fields that the line does not have are empty.

    A `referer` means that a redirect led to the request.
    """

    reason: Refusal
    method: str
    path: str
    key_id: str
    text: str
    referer: str = ""


@dataclass(frozen=True)
class RegistryLog:
    """Refusals, in order, without the challenges at `/v2/` that every client meets. `disk_full`: the line that says so."""

    refusals: tuple[RegistryRefusal, ...]
    disk_full: str
    evidence: str


@dataclass(frozen=True)
class FrontLine:
    """One line of an access log in nginx's combined format. `user` is empty when no Basic credentials were sent."""

    time: datetime | None
    user: str
    method: str
    path: str
    scope: str
    status: int


@dataclass(frozen=True)
class FrontLog:
    lines: tuple[FrontLine, ...]
    evidence: str

    def token_requests(self) -> tuple[FrontLine, ...]:
        """Requests to the token service with credentials."""
        return tuple(line for line in self.lines if line.path.endswith("/service/token") and line.user)


_FIELD = re.compile(r'([a-z][\w.]*)=(?:"((?:[^"\\]|\\.)*)"|(\S*))')
_REASONS = tuple(
    (reason, re.compile(pattern))
    for reason, pattern in (
        (Refusal.KEY, r"untrusted key with ID: \\*\"?(?P<key>[0-9A-Za-z:]+)|unable to verify token signature"),
        (Refusal.TIME, r"token not to be used (?:before|after)|token (?:is )?expired"),
        (Refusal.CLAIMS, r"untrusted issuer|intended for another audience"),
        (Refusal.MALFORMED, r"malformed token"),
        (Refusal.SCOPE, r"insufficient scope"),
        (Refusal.NO_TOKEN, r"authorization token required"),
        (Refusal.UNTOLD, r"invalid token"),
    )
)
_FRONT = re.compile(
    r'(?P<peer>\S+) \S+ (?P<user>.*?) \[(?P<time>[^\]]*)\] "(?P<method>[A-Z]+) (?P<target>\S+)[^"]*" (?P<status>\d{3}) '
)


def disk_full_in(text: str) -> str:
    """The words that say that a disk is full, empty when none does. 28 is ENOSPC as the filesystem driver writes it."""
    match = re.search(r'no space left on device|disk quota exceeded|"Err":\s*28\b', text.replace('\\"', '"'))
    return match[0] if match else ""


def read_registry_log(text: str, evidence: str) -> RegistryLog:
    """The refusals in a registry's log, text format or a prefix of syslog or docker before it.

    Why a token is not trusted stands on a line without a request; the refused request is on the line after it.
    """
    refusals: list[RegistryRefusal] = []
    unplaced: list[RegistryRefusal] = []
    disk_full = ""
    for line in text.splitlines():
        disk_full = disk_full or disk_full_in(line)
        refusal = _refusal(line)
        if refusal is None:
            continue
        if refusal.reason is Refusal.UNTOLD and unplaced:
            refusals += [replace(r, method=refusal.method, path=refusal.path) for r in unplaced]
            unplaced = []
        elif refusal.reason in _UNPLACED and not refusal.path:
            unplaced.append(refusal)
        else:
            refusals.append(refusal)
    return RegistryLog((*refusals, *unplaced), disk_full, evidence)


_UNPLACED = (Refusal.KEY, Refusal.TIME, Refusal.CLAIMS)


def _refusal(line: str) -> RegistryRefusal | None:
    fields = {match[1]: match[2] if match[2] is not None else match[3] for match in _FIELD.finditer(line)}
    message = fields.get("msg", "")
    method, path = fields.get("http.request.method", ""), fields.get("http.request.uri", "")
    for reason, pattern in _REASONS:
        if found := pattern.search(message):
            # Asking /v2/ without a token is how every client begins.
            if reason is Refusal.NO_TOKEN and (not path or path.rstrip("/") == "/v2"):
                return None
            key, referer = found.groupdict().get("key") or "", fields.get("http.request.referer", "")
            return RegistryRefusal(reason, method, path, key, message.replace('\\"', '"'), referer)
    return None


def read_front_log(text: str, evidence: str) -> FrontLog:
    """The requests in an access log; lines of another form are passed over."""
    return FrontLog(tuple(line for raw in text.splitlines() if (line := _front_line(raw)) is not None), evidence)


def _front_line(raw: str) -> FrontLine | None:
    match = _FRONT.search(raw)
    if match is None:
        return None
    try:
        parts = urlsplit(match["target"])
    except ValueError:
        return None
    try:
        time = datetime.strptime(match["time"], "%d/%b/%Y:%H:%M:%S %z")
    except ValueError:
        time = None
    user = "" if match["user"] == "-" else unquote_plus(match["user"])
    scope = " ".join(parse_qs(parts.query).get("scope", ()))
    return FrontLine(time, user, match["method"], parts.path, scope, int(match["status"]))

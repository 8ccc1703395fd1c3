"""The error at the end of a replication log line: an HTTP status, or the text of a Go network error.

Harbor 1.4 was shipped with Go 1.9; rebuilt ones carry a newer Go. URLs stand with or without quotes, a refused
connection says `getsockopt:` or `connect:`, an expired certificate has or has no `: current time ...`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit


class Kind(StrEnum):
    """What went wrong. HTTP is an answer with a status that was not wanted; OTHER is a text that is not known."""

    HTTP = "http"
    NO_SUCH_NAME = "no such name"
    NAME_SERVER = "name server"
    REFUSED = "refused"
    NO_ROUTE = "no route"
    TIMEOUT = "timeout"
    UNKNOWN_CA = "unknown ca"
    WRONG_NAME = "wrong name"
    NOT_VALID_NOW = "not valid now"
    NO_TLS = "no tls"
    TLS_EXPECTED = "tls expected"
    CLOSED = "closed"
    NOT_JSON = "not json"
    REDIRECTED = "redirected"
    PROXY = "proxy"
    OTHER = "other"


@dataclass(frozen=True)
class GoError:
    """An error taken apart.

    Args:
        kind: see Kind.
        text: the innermost text, without the requests before it.
        status, body: of an HTTP answer; 0 and empty otherwise.
        requests: method and URL of each request that the error is wrapped in, outermost first.
    """

    kind: Kind
    text: str
    status: int = 0
    body: str = ""
    requests: tuple[tuple[str, str], ...] = ()

    @property
    def is_network(self) -> bool:
        """Whether Harbor 1.4 takes it for temporary, so that the job retries every 5 minutes."""
        return self.kind is not Kind.HTTP

    @property
    def url(self) -> str:
        """The URL of the request that failed; empty when none is named."""
        return self.requests[-1][1] if self.requests else ""


_REQUEST = re.compile(
    r'(?P<method>Get|Head|Post|Put|Patch|Delete|Options) (?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>\S+?)):\s+(?P<rest>.*)',
    re.DOTALL,
)
_CREATE = re.compile(r"failed to create project .+? on \S+ with user .*?: (?P<rest>\d{3}\b.*)", re.DOTALL)
_STATUS = (
    re.compile(r"(?P<status>[1-5]\d\d)(?:\s(?P<body>.*))?", re.DOTALL),
    re.compile(r"http error: code (?P<status>\d{3}), message (?P<body>.*)", re.DOTALL),
    re.compile(r"http status code: (?P<status>\d{3}), body: (?P<body>.*)", re.DOTALL),
)

# First match wins. A failed look-up often carries the error of the name server's own connection, so it comes first.
_KINDS = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (Kind.PROXY, r"proxyconnect"),
        (
            Kind.NO_SUCH_NAME,
            r"lookup .*: (no such host|name or service not known|name does not resolve|no address associated)",
        ),
        (
            Kind.NAME_SERVER,
            r"lookup .*: .*(server misbehaving|temporary failure|try again|timeout|timed out|refused|unreachable"
            r"|no answer|no route|not permitted|dns)",
        ),
        (Kind.UNKNOWN_CA, r"x509: .*(unknown authority|not trusted|unknown issuer)"),
        (Kind.NOT_VALID_NOW, r"x509: .*(has expired|not yet valid)"),
        (
            Kind.WRONG_NAME,
            r"x509: .*(is valid for|not valid for any names|cannot validate certificate for|common name)",
        ),
        (Kind.NO_TLS, r"gave HTTP response to HTTPS client|does not look like a TLS handshake|oversized record"),
        (Kind.TLS_EXPECTED, r"malformed HTTP (response|status).*\\x15|HTTP request to an HTTPS server"),
        (Kind.NO_TLS, r"\btls: (?!.*timeout)|x509: "),
        (Kind.REFUSED, r"connection refused"),
        (Kind.NO_ROUTE, r"no route to host|(network|host) is (unreachable|down)"),
        (Kind.TIMEOUT, r"i/o timeout|timed out|handshake timeout|Client\.Timeout|deadline exceeded|request canceled"),
        (Kind.CLOSED, r"reset by peer|\bEOF$|broken pipe|closed idle connection|connection broken|closed network"),
        (Kind.NOT_JSON, r"invalid character .*(looking for|after|in )|end of JSON input|json: cannot unmarshal"),
        (Kind.REDIRECTED, r"stopped after \d+ redirects|unsupported protocol scheme"),
        (
            Kind.PROXY,
            r"^(service unavailable|forbidden|bad gateway|gateway time-?out|proxy authentication required)$",
        ),
    )
)


def read_go_error(text: str) -> GoError:
    """The error in `text`; its kind is OTHER when the text is not known."""
    rest, requests = text.strip(), []
    if created := _CREATE.fullmatch(rest):
        rest = created["rest"].strip()
    while match := _REQUEST.fullmatch(rest):
        requests.append((match["method"].upper(), match["quoted"] if match["quoted"] is not None else match["bare"]))
        rest = match["rest"].strip()
    for pattern in _STATUS:
        if answer := pattern.fullmatch(rest):
            body = (answer["body"] or "").strip()
            return GoError(Kind.HTTP, rest, int(answer["status"]), body, tuple(requests))
    kind = next((kind for kind, pattern in _KINDS if pattern.search(rest)), Kind.OTHER)
    return GoError(kind, rest, requests=tuple(requests))


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL, with the scheme's own port filled in; empty and 0 where there is none."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        port = parts.port
    except ValueError:
        return "", "", 0
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").rstrip("."), port or {"https": 443, "http": 80}.get(scheme, 0)

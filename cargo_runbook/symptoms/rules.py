"""What the build of a text says that no single pattern can: whose token service failed, and which refusal it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

from cargo_runbook.symptoms.cleaning import Paste
from cargo_runbook.symptoms.matching import REACH, Match
from cargo_runbook.symptoms.structure import (
    Address,
    Reference,
    differ,
    is_public,
    is_public_hub,
    read_address,
    realms,
    references,
    requests,
    scope_of,
)

_TOKEN_SIGNS = ("service=", "scope=", "/token", "/auth?", "realm")
_NEAR = 2500
# As many requests of a line are looked at: none stand behind each other in more.
_LONGEST_CHAIN = 6
_NETWORK = frozenset({"connection-refused-or-unreachable", "gateway-error"})
_FETCHES_TOKEN = re.compile(
    r"(?:fetch|retriev|request|obtain|acquir|gett?)(?:e|ing)? (?:an? |the )?(?:new )?(?:\w{3,12} )?(?:auth )?token\b",
    re.IGNORECASE,
)
# What introduces the last line of a command, and how long one may be that says nothing new.
_SAYS = re.compile(r"^(?:fatal |level=fatal msg=)?error:? ", re.IGNORECASE)
_LONGEST_ECHO = 120
# A daemon that could not be reached, or has no such image, counts this much less beside a registry that was asked.
_BESIDE_A_REGISTRY = 0.6
# How logs tell what is an error, and what is less. Beside an error, a warning counts this much less.
_ERROR = re.compile(r"level=(?:error|fatal)\b|\[(?:ERROR|FATAL)\]|\bERROR\b|\b(?:ERRO|FATA)\[\d|\b[EF]\d{4} ")
_WARNING = re.compile(
    r"level=(?:warning|info|debug)\b|\[(?:WARN(?:ING)?|INFO|DEBUG)\]|\bWARN(?:ING)?\b|\b(?:WARN|INFO|DEBU)\[\d|\b[IW]\d{4} "
)
_TOLD_AS_A_WARNING = 0.8
# The status that a client waited for, before the one that it got.
_WAITED_FOR = re.compile(
    r"(?<!not )\bexpect(?:ed|ing) (?:\w{1,12} ){0,3}[{\[(]?\d{3}(?:, ?\d{3}){0,9}[}\])]?", re.IGNORECASE
)
# A request in a log of requests, with the status of its answer; and the same request in the registry's own log.
_LOGGED = re.compile(r"\"([A-Z]{3,7} /v2/[^\s\"]{0,300}) HTTP/\d(?:\.\d)?\" (\d{3})\b")
_URI = re.compile(r"http\.request\.uri=\"?(/v2/[^\s\"]{0,300})")
# What is said of a login, and of nothing that comes after it.
_LOGINS = frozenset({"prompted-again", "login-attempt-401", "login-401", "login-ping-401", "last-login"})
# What only a registry says, and only to a client that works.
_VERDICTS = frozenset({"not-logged-in", "bad-credentials", "permission-denied", "rate-limited"})


def structural(paste: Paste, found: list[Match]) -> list[Match]:
    """`found` with what the build of the lines adds to it and takes away from it."""
    added = list(_token_services(paste))
    found = list(_without_echo(paste, found))
    found = [match for match in found if not _is_waited_for(paste, match)]
    found = _without_first_requests(paste, found)
    found = list(_without_logins_that_succeed(paste, found))
    if any(match.cause != "client-config" and _asks_registry(paste, match) for match in found):
        found = [_lighter(match) if _is_of_the_node(match) else match for match in found]
    answered = max((match.place for match in found if match.cause in _VERDICTS), default=-1)
    found = [_lighter(match) if _is_of_a_step(match) and match.place < answered else match for match in found]
    if any(_ERROR.search(paste.text, match.start, match.end) for match in found):
        found = [_as_a_warning(paste, match) for match in found]
    return sorted([*found, *added], key=lambda match: match.place)


def _without_echo(paste: Paste, found: list[Match]) -> Iterator[Match]:
    """`found` without the last line where it only says the end of an earlier one again, as many commands do."""
    text = paste.text.rstrip()
    start = text.rfind("\n") + 1
    said = _SAYS.sub("", text[start:].strip())
    again = 2 < len(said) <= _LONGEST_ECHO and any(
        paste.text[match.start : match.end].rstrip().endswith(said) for match in found if match.start < start
    )
    return (match for match in found if not (again and match.start >= start))


def _is_waited_for(paste: Paste, match: Match) -> bool:
    """Whether a match is the status that was waited for: `expected status 401 but got 200`."""
    return any(
        waited.start() <= match.place and match.place + len(match.words) <= waited.end()
        for waited in _WAITED_FOR.finditer(paste.text, match.start, match.end)
    )


def _without_first_requests(paste: Paste, found: list[Match]) -> list[Match]:
    """`found` without a 401 in a log of requests where the same request succeeds later: each client asks so first."""
    refused = {match.start for match in found if match.cause == "not-logged-in"}
    answers = [(m[1], m[2], m.start()) for m in _LOGGED.finditer(paste.text)] if refused else []
    good = {request: place for request, status, place in answers if status.startswith("2")}
    last = {request: place for request, status, place in answers if status == "401"}
    normal = {request for request, place in last.items() if good.get(request, -1) > place}
    paths = {request.partition(" ")[2] for request in normal}
    dropped: set[int] = set()
    for start in refused if normal else ():
        end = paste.line_around(start, REACH)[1]
        request, uri = _LOGGED.search(paste.text, start, end), _URI.search(paste.text, start, end)
        if (request and request[1] in normal) or (uri and uri[1] in paths):
            dropped.add(start)
    return [match for match in found if match.start not in dropped]


def _without_logins_that_succeed(paste: Paste, found: list[Match]) -> Iterator[Match]:
    """`found` without a login's refusal where a later try went well: `login succeeded` is what it ended with."""
    succeeded = paste.lower.rfind("login succeeded")
    refused = {match.start for match in found if match.name in _LOGINS and match.place < succeeded}
    return (match for match in found if match.start not in refused)


def _asks_registry(paste: Paste, match: Match) -> bool:
    """Whether a registry or its token service was asked in a match's line: then the client worked."""
    asked = requests(paste.text[match.start : match.end])
    return any(address.is_registry or address.asks_for_token for address in asked)


def _is_of_the_node(match: Match) -> bool:
    """Whether a match is about a daemon, or about what it has: scanners ask it first, and the registry after it."""
    return (
        match.name in ("daemon-unreachable", "socket-unreachable", "local-image-missing")
        or "no such image" in match.words.lower()
    )


def _is_of_a_step(match: Match) -> bool:
    """Whether a match is about a step of a command that may have gone on: what a registry answered later ended it."""
    return match.name.startswith("arguments") or match.name == "daemon-unreachable"


def _as_a_warning(paste: Paste, match: Match) -> Match:
    """A match lighter where its line is told as a warning, or as less."""
    where = paste.text, match.start, match.end
    told_as_less = _WARNING.search(*where) and not _ERROR.search(*where)
    return replace(match, weight=match.weight * _TOLD_AS_A_WARNING) if told_as_less else match


def _lighter(match: Match) -> Match:
    return replace(match, weight=match.weight * _BESIDE_A_REGISTRY)


def _token_services(paste: Paste) -> Iterator[Match]:
    """A token service of another name than the registry's, or a token service that alone does not answer."""
    seen: set[int] = set()
    for sign in _TOKEN_SIGNS:
        place = paste.lower.find(sign)
        count = 0
        while place >= 0 and count < 60:
            start, end = paste.line_around(place, REACH)
            if start not in seen:
                seen.add(start)
                yield from _token_service(paste, start, end)
            count += 1
            place = paste.lower.find(sign, end)


def _token_service(paste: Paste, start: int, end: int) -> Iterator[Match]:
    line = paste.text[start:end]
    asked = requests(line)
    named = cache(references)
    for token in dict.fromkeys((*asked[:_LONGEST_CHAIN], *realms(line)[:_LONGEST_CHAIN])):
        registry = _registry(paste, line, asked, start, token, named) if token.asks_for_token else None
        if registry is not None and differ(registry, token):
            name = registry[0] + (f":{registry[1]}" if registry[1] else "")
            words = f"{name} -> {token.scheme}://{token.host}" + (f":{token.port}" if token.explicit else "")
            yield Match(
                "realm-elsewhere",
                "wrong-domain",
                98,
                ("token-service", "connection-refused-or-unreachable", "dns-unresolvable", "tls-trust"),
                words,
                paste.line_of(start),
                start,
                end,
                start,
            )
            return


def _registry(
    paste: Paste,
    line: str,
    asked: tuple[Address, ...],
    start: int,
    token: Address,
    named_in: Callable[[str], tuple[Reference, ...]],
) -> tuple[str, str] | None:
    """Host and port (empty: the scheme's own) of the registry that a line asks `token` for."""
    outer = next((address for address in asked if address.is_registry or address.is_whole_host), None)
    if outer is not None:
        return outer.host, outer.port if outer.explicit else ""
    before = paste.text[max(0, start - _NEAR) : start]
    if not asked and (answered := [address for address in requests(before) if address.is_registry]):
        # A challenge that is printed on a line of its own answers the request before it.
        return answered[-1].host, answered[-1].port if answered[-1].explicit else ""
    after = paste.text[start : start + _NEAR]
    wanted = scope_of(token)
    # Who asks for the token of a repository has named that repository; the nearest name may be another image's.
    named = [each for each in named_in(before + after) if each.repository == wanted] if wanted else []
    if named:
        same = [each for each in named if not differ((each.host, each.port), token)]
        return (same or named)[-1].host, (same or named)[-1].port
    if wanted and is_public(token.host):
        return None
    if nearest := named_in(line) or named_in(before):
        return nearest[-1].host, nearest[-1].port
    if nearest := named_in(after):
        return nearest[0].host, nearest[0].port
    return None


def fails_at_token(paste: Paste, match: Match) -> str:
    """How the failed request of a match's line ends at a token service: `hub`, `own`, or empty when it does not."""
    asked = requests(paste.text[match.start : match.end])
    if not asked or not asked[-1].asks_for_token:
        return "own" if _FETCHES_TOKEN.search(paste.text, match.start, max(match.start, match.place)) else ""
    return "hub" if is_public_hub(asked[-1].host) else "own"


def adjusted(paste: Paste, match: Match) -> Match:
    """A match as the last request of its line makes it: what fails at a token service is that service's failure."""
    if (
        match.cause
        not in (
            *_NETWORK,
            "tls-trust",
            "dns-unresolvable",
            "storage-or-upload",
        )
        and not match.name.startswith("status-404")
        and not match.name.startswith("arguments")
    ):
        return match
    where = fails_at_token(paste, match)
    if not where:
        return match
    if match.cause in ("gateway-error", "storage-or-upload", "client-config", "repository-or-project-missing") or (
        where == "hub" and match.cause in _NETWORK
    ):
        also = (match.cause, *match.also)
        return replace(match, cause="token-service", also=tuple(dict.fromkeys(also)))
    return replace(match, also=tuple(dict.fromkeys(("token-service", *match.also))))


__all__ = ["adjusted", "read_address", "structural"]

"""The way of a pull, a push or a login as the client goes it: stations in their order, and where it breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cargo_runbook.findings import LOGIN, PULL, PUSH, Diagnosis, Verdict
from cargo_runbook.texts import Text
from cargo_runbook.views import words

_CLIENT = Text("client", "客户端")
_NOT_TRIED = Text("not tried, for a diagnosis writes nothing", "未尝试：诊断不写入任何内容")


@dataclass(frozen=True)
class Station:
    """One station with how the way to it ended.

    Args:
        meaning: how it ended, in words.
        code: of what is at fault there.
        request: what the client sends there; empty where the label says it.
    """

    label: Text
    verdict: Verdict
    meaning: Text
    code: str = ""
    request: str = ""

    def __str__(self) -> str:
        label = f"{self.label.en} {self.request}".strip()
        return f"{label} ({self.label.zh}): {self.meaning.en}{f' {self.code}' if self.code else ''}"

    @property
    def told(self) -> Text:
        """The station with its state as one sentence part."""
        request, code = (f" {each}" if each else "" for each in (self.request, self.code))
        return Text(str(self), f"{self.label.zh}{request}：{self.meaning.zh}{code}")


@dataclass(frozen=True)
class _Stop:
    """Where a station's verdict comes from.

    Args:
        checks: findings of these checks are all of it; none of them for what a diagnosis can't try.
        codes: findings beside the path that break the way here, where they are root causes.
        proof: code that has to be found ok before the station is.
    """

    label: Text
    request: str = ""
    checks: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    proof: str = ""


def _stop(check: str, request: str = "", codes: tuple[str, ...] = ()) -> _Stop:
    return _Stop(words.STATIONS[check], request, (check,), codes)


_SAVED_LOGIN = ("CRG505", "CRG506", "CRG507")
_RIGHTS = ("CRG508", "CRG509", "CRG510", "CRG511", "CRG512", "CRG513", "CRG514")
_MAY_PUSH = "CRG511"
_NEVER_IN_A_PULL = ("CRG511", "CRG512", "CRG720", "CRG721", "CRG722")
"""What breaks no pull: the right to push, and room for what is pushed."""

_TO_THE_TOKEN_SERVICE = (
    _stop("dns"),
    _stop("tls"),
    _stop("challenge", "GET /v2/"),
    _stop("login", "GET token", _SAVED_LOGIN),
)
# docker push: a token with that scope, POST begins an upload, PATCH and PUT bring each layer, PUT the manifest
# (OCI distribution specification, pushing a blob in chunks). The registry writes all of it to its storage.
_WAYS: Mapping[str, tuple[_Stop, ...]] = {
    PULL: tuple(_stop(check) for check in words.STATIONS),
    PUSH: (
        *_TO_THE_TOKEN_SERVICE,
        _Stop(words.STATIONS["token"], "scope push", ("token", "project"), _RIGHTS, _MAY_PUSH),
        _Stop(Text("upload", "开始上传"), "POST", codes=("CRG504",)),
        _Stop(Text("layers", "镜像层"), "PATCH, PUT"),
        _Stop(Text("storage", "存储"), checks=("storage",)),
        _Stop(Text("manifest", "清单"), "PUT"),
    ),
    LOGIN: (*_TO_THE_TOKEN_SERVICE, _stop("token", "GET /v2/")),
}


def operation_of(diagnosis: Diagnosis) -> str:
    """What the picture is about: what was said to fail; else a push, where nothing but pushes is broken; else a pull.

    A pull whose first request fails says the same as a login: where the way breaks behind the login, it is the pull's.
    """
    pull_breaks = Verdict.FAULT in diagnosis.cells().values()
    said = diagnosis.operation
    if said in _WAYS and (said != LOGIN or not pull_breaks or _breaks(_way(LOGIN, diagnosis))):
        return said
    return PUSH if not pull_breaks and set(diagnosis.root_causes) & set(_NEVER_IN_A_PULL) else PULL


def stations(diagnosis: Diagnosis) -> tuple[Station, ...]:
    """The stations of the operation in their order, the client first (where the look started from, so never in doubt).

    What lies behind a fault is not testable, though it was tested by going around the broken link.
    """
    return tuple(_way(operation_of(diagnosis), diagnosis))


def _way(operation: str, diagnosis: Diagnosis) -> list[Station]:
    way = [Station(_CLIENT, Verdict.OK, words.MEANINGS[Verdict.OK])]
    for stop in _WAYS[operation]:
        way.append(_station(stop, diagnosis, broken=_breaks(way)))
    return way


def _breaks(way: list[Station]) -> bool:
    return any(station.verdict is Verdict.FAULT for station in way)


def _station(stop: _Stop, diagnosis: Diagnosis, *, broken: bool) -> Station:
    on_path = [f for f in diagnosis.findings if f.check in stop.checks]
    beside = [f for f in diagnosis.findings if f.code in stop.codes and f.check not in stop.checks]
    at_fault = [f for f in on_path if f.status is Verdict.FAULT]
    at_fault += [f for f in beside if f.status is Verdict.FAULT and not f.consequence_of]
    found = {f.status for f in on_path}
    proven = not stop.proof or any(f.code == stop.proof and f.status is Verdict.OK for f in diagnosis.findings)
    if at_fault:
        code = min((f.code for f in at_fault), key=lambda c: (c not in diagnosis.root_causes, c))
        return Station(stop.label, Verdict.FAULT, words.MEANINGS[Verdict.FAULT], code, stop.request)
    if Verdict.UNKNOWN in found:
        verdict = Verdict.UNKNOWN
    elif broken or not proven or Verdict.OK not in found or Verdict.SKIPPED in found:
        verdict = Verdict.SKIPPED
    else:
        verdict = Verdict.OK
    untried = not (stop.checks or broken)
    return Station(stop.label, verdict, _NOT_TRIED if untried else words.MEANINGS[verdict], request=stop.request)

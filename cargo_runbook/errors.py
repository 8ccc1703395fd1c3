"""Errors that a person can cause, each told as a sentence.

An error carries what failed, where one was looking from, what was seen and what to do next; the command line
prints exactly that and never a traceback. Each class has an exit code of the design: 2 for wrong usage or
configuration, 3 for "could not tell".
"""

from __future__ import annotations

from cargo_runbook.texts import Language, Text, both_of, language_now, tell

# Kinds of places as `Vantage` names them (observations.Place), which evidence keeps in English.
_PLACES = {
    "operator": "operator",
    "cargo host": "Cargo 主机",
    "container": "容器",
    "node": "节点",
    "cluster": "集群",
    "Harbor of": "Harbor：",
    "Cargo-Admin of": "Cargo-Admin：",
}


class RunbookError(Exception):
    """Base of every error that a user can cause.

    Args:
        what: the failure as one sentence, without a full stop at the end.
        vantage: the place from which one was looking, as text; empty when there is none.
        seen: what was observed (a reply, a fingerprint, a line of a file); never a secret.
        next_step: what to do now, as an instruction.
        section: the section of the guide that deals with it, by its Chinese title.
    """

    exit_code = 2
    _is_filed = False

    def __init__(self, what: str, *, vantage: str = "", seen: str = "", next_step: str = "", section: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.vantage = vantage
        self.seen = seen
        self.next_step = next_step
        self.section = section

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only fields do not survive the default pickling of exceptions.
        return _rebuild, (type(self), dict(self.__dict__))

    @property
    def both(self) -> Text:
        """What failed, in both languages as far as it was told so."""
        return both_of(self.what)

    def in_full(self) -> Text:
        """All that it says, in both languages as far as it was told so: what is kept is kept in English."""
        return Text(self._said("en"), self._said("zh"))

    def __str__(self) -> str:
        return self._said("en" if self._is_filed else language_now())

    def _said(self, language: Language) -> str:
        said = [both_of(part).say(language) for part in (self.what, self.seen, self.next_step)]
        if self.vantage:
            frame = Text(f" (seen from {self.vantage})", f"（观察位置：{_in_chinese(self.vantage)}）")
            said[0] += frame.say(language)
        if self.section:
            said.append(Text(f"Guide: {self.section}", f"排查路径：{self.section}").say(language))
        return "\n  ".join(part for part in said if part)

    def _render_traceback_(self) -> list[str]:
        # IPython's hook: a notebook shows the sentence, not where in the code it was raised. What IPython asks for next is
        # the value that the runner writes into the ledger.
        shown, self._is_filed = str(self).splitlines(), True
        return shown


def _in_chinese(vantage: str) -> str:
    kind = next((each for each in _PLACES if vantage == each or vantage.startswith(f"{each} ")), "")
    name = vantage[len(kind) + 1 :]
    if kind == "container":
        container, _, host = name.partition(" on ")
        name = f"{container}（{host}）" if host else container
    return f"{_PLACES[kind]} {name}".strip() if kind else vantage


def _rebuild(cls: type[RunbookError], fields: dict[str, object]) -> RunbookError:
    error = cls.__new__(cls)
    Exception.__init__(error, fields.get("what", ""))
    error.__dict__.update(fields)
    return error


class UsageError(RunbookError):
    """A command was called with something that it can't take."""


class InventoryError(RunbookError):
    """An inventory file is wrong. `file`, `line` and `key` say where.

    The text starts with `FILE:LINE: `, so that editors and terminals can jump to it.
    """

    def __init__(self, problem: str, *, file: str, line: int = 0, key: str = "", next_step: str = "") -> None:
        place, both = f"{file}:{line}" if line else file, both_of(problem)
        super().__init__(tell(f"{place}: {both.en}", f"{place}: {both.zh}"), next_step=next_step)
        self.file = file
        self.line = line
        self.key = key


class UnknownEnvironment(RunbookError):
    """No inventory file describes the environment that was asked for."""


class SecretUnavailable(RunbookError):
    """A credential reference of the inventory leads to nothing."""


class ConnectionFailed(RunbookError):
    """A host, cluster or name server could not be reached; nothing can be told about it."""

    exit_code = 3


class HostKeyError(ConnectionFailed):
    """The host key of an SSH server is unknown or changed. Nothing was sent to it.

    Args:
        host: the host as known_hosts names it.
        fingerprint: SHA256 fingerprint of the key that the server showed.
        known: SHA256 fingerprint that known_hosts has, empty when it has none.
    """

    def __init__(self, host: str, *, fingerprint: str, known: str = "", vantage: str = "", next_step: str = "") -> None:
        if known:
            what = tell(
                f"the host key of {host} is not the one that known_hosts has ({fingerprint} now, {known} known). "
                "Nothing was sent",
                f"{host} 的主机密钥与 known_hosts 中的不同（现在 {fingerprint}，已知 {known}）。没有发送任何内容",
            )
        else:
            what = tell(
                f"the host key of {host} is not in known_hosts ({fingerprint}). Nothing was sent",
                f"known_hosts 中没有 {host} 的主机密钥（{fingerprint}）。没有发送任何内容",
            )
        super().__init__(what, vantage=vantage, next_step=next_step)
        self.host = host
        self.fingerprint = fingerprint
        self.known = known


class NotLoggedIn(SecretUnavailable):
    """Docker on the operator has no login for the registry."""


class AuthenticationFailed(ConnectionFailed):
    """A server refused the credentials that the environment names."""


class StaleState(RunbookError):
    """Something has changed since a plan was made from it; nothing was done on top of that."""


class Stopped(RunbookError):
    """A look was stopped by whoever started it, before it came to its end; nothing was changed."""

    exit_code = 3

    def __init__(self) -> None:
        super().__init__(
            tell("stopped before it came to its end", "在完成之前被中断"),
            next_step=tell("Run it again: it starts anew.", "请重新执行：会从头开始。"),
        )


class RunFailed(RunbookError):
    """A notebook run ended without a verdict."""

    exit_code = 3

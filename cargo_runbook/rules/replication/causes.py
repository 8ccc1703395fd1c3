"""Suspects for a failure, the clues that refute or prove them, and what is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cargo_runbook.findings import Link
from cargo_runbook.texts import Text


@dataclass(frozen=True)
class Clue:
    """One thing that is known: where it is written, which codes it refutes, which one it proves."""

    link: Link
    refutes: frozenset[str] = frozenset()
    proves: str = ""


@dataclass(frozen=True)
class Cause:
    """What can be said of one failure. `detail` names repository, operation, place and error."""

    suspects: tuple[str, ...]
    clues: tuple[Clue, ...]
    detail: Text

    @property
    def proven(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(clue.proves for clue in self.clues if clue.proves))

    @property
    def left(self) -> tuple[str, ...]:
        """Codes that are proven, else those that nothing refutes; all again when the clues contradict each other."""
        if self.proven:
            return self.proven
        refuted = self.refuted
        return tuple(code for code in self.suspects if code not in refuted)

    @property
    def refuted(self) -> frozenset[str]:
        """Codes that a clue speaks against. A proof of one is none against the others; contradicting clues refute none."""
        refuted = frozenset(code for clue in self.clues for code in clue.refutes)
        if self.proven:
            return refuted - set(self.proven)
        return refuted if set(self.suspects) - refuted else frozenset()

    @property
    def told(self) -> bool:
        """Whether the cause is known: proven, or the only one left.

        That answers vary is never told by being the only one left: somebody may have mended it since.
        """
        return bool(self.proven) or (len(self.left) == 1 and self.left[0] != "CRG422")

    def links(self, code: str) -> tuple[Link, ...]:
        """What speaks for `code`, and what ruled out the others."""
        return tuple(c.link for c in self.clues if code not in c.refutes and (not c.proves or c.proves == code))


_QUESTIONS = {
    "CRG416": Text(
        "a token for the repository, asked as the replication's user: `sub` and `access`",
        "以同步账号请求该镜像仓库的 token，查看 sub 与 access",
    ),
    "CRG417": Text(
        "a token for the repository, asked as the replication's user: `sub` and `access`",
        "以同步账号请求该镜像仓库的 token，查看 sub 与 access",
    ),
    "CRG418": Text("`kid` of that token against root.crt of the destination", "token 的 kid 与目的仓库 root.crt 对比"),
    "CRG419": Text("the clocks of token service and registry", "token service 与 registry 的时钟"),
    "CRG420": Text("issuer and audience of that token", "token 的签发者与受众"),
    "CRG421": Text(
        "a token without a scope, asked as the replication's user: 200 or 401",
        "以同步账号请求不带 scope 的 token：200 还是 401",
    ),
    "CRG422": Text(
        "the same ping and token several times, and each node by itself", "多次重复测试连接和 token，并逐个节点询问"
    ),
    "CRG423": Text("whether the saved endpoint redirects", "保存的 endpoint 是否重定向"),
    "CRG424": Text("systeminfo of the destination: 200 or 500", "目的仓库的 systeminfo：200 还是 500"),
    "CRG425": Text("`/v2/` of the destination, and its front's log", "目的仓库的 /v2/ 以及前端日志"),
    "CRG426": Text("systeminfo of the destination: 200 or 500", "目的仓库的 systeminfo：200 还是 500"),
    "CRG427": Text(
        "a token of the destination, and its front's log: who answered 5xx", "目的仓库的 token 与前端日志：谁返回了 5xx"
    ),
    "CRG431": Text("the destination's own log of that request", "目的仓库关于该请求的日志"),
    "CRG434": Text("systeminfo of the destination: 200 or 500", "目的仓库的 systeminfo：200 还是 500"),
    "CRG439": Text("the destination registry's log, and its disk", "目的仓库 registry 的日志和磁盘"),
    "CRG414": Text(
        "the jobs of all policies and the logs of those that run", "所有同步策略的任务，以及正在运行的任务的日志"
    ),
    "CRG415": Text(
        "the jobs of all policies and the logs of those that run", "所有同步策略的任务，以及正在运行的任务的日志"
    ),
    "CRG432": Text("the log of any job, which comes from jobservice", "任意任务的日志（由 jobservice 提供）"),
    "CRG433": Text("`/v2/` and tags at the source", "源仓库的 /v2/ 和标签列表"),
    "CRG436": Text("the repositories that Harbor lists, and their tags", "Harbor 列出的镜像仓库，以及各仓库的标签"),
}


def question(codes: Iterable[str]) -> Text:
    """What to ask so that `codes` can be told apart; empty when nothing is known that would."""
    asked = list(dict.fromkeys(_QUESTIONS[code] for code in codes if code in _QUESTIONS))
    return Text("; ".join(text.en for text in asked), "；".join(text.zh for text in asked))

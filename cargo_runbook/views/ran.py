"""The line below a step: when it ran, how long it took, whether it still counts; or how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text as RichText

from cargo_runbook.texts import Text
from cargo_runbook.views.notebook import View

RAN = Text("ran at {at} UTC, took {seconds} s", "于 {at} UTC 执行，耗时 {seconds} 秒")
FROZEN = Text("shown as it was, not run again", "显示当时的结果，未重新执行")
OLDER = Text("older than what was asked at {since} UTC", "早于 {since} UTC 的检查")
BEFORE_CHANGE = Text("from before the change of {since} UTC: run it again", "早于 {since} UTC 的修改，请重新执行")
RUNNING = Text("running for {seconds} s, {count} answers so far", "已运行 {seconds} 秒，得到 {count} 个结果")
STOPPING = Text("being stopped, {seconds} s", "正在停止，{seconds} 秒")
STOPPED = Text(
    "stopped after {seconds} s; nothing was changed, and nothing runs on at the hosts",
    "已在 {seconds} 秒后停止；没有修改任何东西，主机上也没有遗留进程",
)
STILL_ENDING = Text(
    "stopped after {seconds} s; nothing was changed. What answers to nothing is given up at its deadline, within a minute",
    "已在 {seconds} 秒后停止；没有修改任何东西。没有应答的查询将在一分钟内到期结束",
)
BUSY = Text("another step is running: wait for it, or stop it", "另一步骤正在执行：请等待或停止它")
LEFT = Text(
    "what a kernel that ended had left of this notebook is kept as the record {record}",
    "上次内核意外结束时的内容已保存为记录 {record}",
)
NOT_YET = Text("not run yet", "尚未执行")


def clock(at: datetime) -> str:
    """`10:04:11`."""
    return f"{at:%H:%M:%S}"


@dataclass(frozen=True, repr=False)
class RanNote(View):
    """The line.

    Args:
        parts: sentences, in their order.
        warns: it does not count any more, or was stopped.
    """

    parts: tuple[Text, ...]
    warns: bool = False

    template = "ran.html.j2"

    def _values(self) -> Mapping[str, Any]:
        return {"note": self}

    def _text(self) -> RenderableType:
        return RichText("; ".join(f"{part.en} · {part.zh}" for part in self.parts))

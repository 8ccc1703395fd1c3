"""The matrix of a batch, environments against checks: for a terminal and as a page. Pure: rows in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as RichText

from cargo_runbook.findings import CHECKS, Verdict
from cargo_runbook.texts import Language, Text, language_from
from cargo_runbook.views.words import HEALTH, MEANINGS, SIGNS, STATIONS, one_line

STYLES = {"healthy": "green", "fault": "bold red", "unknown": "yellow", "failed": "bold red"}
_CELLS = {Verdict.OK: "green", Verdict.FAULT: "bold red", Verdict.UNKNOWN: "yellow", Verdict.SKIPPED: "dim"}
ENVIRONMENT = Text("environment", "环境")
STATUS = Text("status", "状态")
ROOT_CAUSES = Text("root causes", "根本原因")
SHARE = Text("{count} environments share {code}", "{count} 个环境的根本原因同为 {code}")
ALONE = Text("1 environment has {code}", "1 个环境的根本原因为 {code}")
SINCE = Text("since the batch {before}", "与批次 {before} 相比")
SAME = Text("nothing changed", "没有变化")
NEW, GONE = Text("new", "新增"), Text("not in this batch", "不在本批次中")
TITLE = Text("Batch {batch} of {runbook}", "批次 {batch}（{runbook}）")

Row = Mapping[str, Any]


def matrix_table(rows: Sequence[Row], language: Language | None = None) -> RenderableType:
    """The matrix for a terminal; signs carry the meaning, colours only help."""
    say = language or language_from()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(ENVIRONMENT.say(say), no_wrap=True)
    for check in CHECKS:
        table.add_column(STATIONS[check].say(say), no_wrap=True)
    table.add_column(STATUS.say(say), no_wrap=True)
    table.add_column(ROOT_CAUSES.say(say))
    for row in rows:
        cells = [_sign(row[check]) for check in CHECKS]
        status = RichText(HEALTH[row["status"]].say(say), style=STYLES[row["status"]])
        table.add_row(one_line(row["environment"]), *cells, status, one_line(row["root_causes"] or row["reason"][:60]))
    return table


def group_lines(
    groups: Mapping[str, Sequence[str]], titles: Mapping[str, Text], language: Language | None = None
) -> Group:
    """A line a root cause: how many environments share it, and which."""
    say = language or language_from()
    lines = []
    for code, names in groups.items():
        sentence = share_words(code, names)
        title = titles[code].say(say) if code in titles else ""
        shown = ", ".join(names[:6]) + (" …" if len(names) > 6 else "")
        lines.append(RichText.assemble((sentence.say(say), "bold"), f" {title}: ", (one_line(shown), "dim")))
    return Group(*lines)


def change_lines(before: str, changes: Sequence[Any], language: Language | None = None) -> Group:
    """What is not as it was in the batch before."""
    say = language or language_from()
    lines = [RichText(SINCE.fill({"before": before}).say(say), style="dim")]
    for change in changes:
        was, now = change_words(change)
        lines.append(RichText(f"  {one_line(change.environment)}  {was.say(say)} → {now.say(say)}"))
    return Group(*lines, *([] if changes else [RichText(f"  {SAME.say(say)}")]))


def change_words(change: Any) -> tuple[Text, Text]:
    """What an environment was and what it is now: the word for its status, with the codes."""
    was, now = HEALTH.get(change.before, NEW), HEALTH.get(change.after, GONE)
    before, after = " ".join(change.root_causes_before), " ".join(change.root_causes_after)
    return tuple(
        Text(f"{word.en} {codes}".strip(), f"{word.zh} {codes}".strip())
        for word, codes in ((was, before), (now, after))
    )  # type: ignore[return-value]


def share_words(code: str, names: Sequence[str]) -> Text:
    """How many environments have a root cause: "14 environments share CRG201"."""
    return (SHARE if len(names) > 1 else ALONE).fill({"count": len(names), "code": code})


def matrix_page(summary: Any, titles: Mapping[str, Text], language: Language | None = None) -> str:
    """A self-contained page: heat map, groups, changes. Everything that comes from hosts is escaped; no script."""
    say = language or language_from()
    pages = Environment(loader=PackageLoader("cargo_runbook.views"), autoescape=True, undefined=StrictUndefined)
    return pages.get_template("matrix.html.j2").render(
        language=say,
        title=TITLE.fill({"batch": summary.batch, "runbook": summary.runbook}).say(say),
        headings=[ENVIRONMENT.say(say), *(STATIONS[c].say(say) for c in CHECKS), STATUS.say(say), ROOT_CAUSES.say(say)],
        checks=CHECKS,
        rows=summary.rows(),
        signs={str(verdict): sign for verdict, sign in SIGNS.items()},
        meanings={str(verdict): text.say(say) for verdict, text in MEANINGS.items()},
        health={status: text.say(say) for status, text in HEALTH.items()},
        groups=[
            (
                share_words(code, names).say(say),
                titles[code].say(say) if code in titles else "",
                ", ".join(names),
            )
            for code, names in summary.groups.items()
        ],
        since=SINCE.fill({"before": summary.before}).say(say) if summary.before else "",
        same=SAME.say(say),
        changes=[(change.environment, *(word.say(say) for word in change_words(change))) for change in summary.changes],
    )


def _sign(value: str) -> RichText:
    verdict = Verdict(value)
    return RichText(SIGNS[verdict], style=_CELLS[verdict])

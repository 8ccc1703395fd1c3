"""`cargo-runbook remedies`: what each remedy does, whether it lasts, and how it is undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cargo_runbook.cli.console import JsonOption, out, print_json, tell
from cargo_runbook.texts import language_from

if TYPE_CHECKING:
    from cargo_runbook.remedies.remedy import Remedy

_HELP = tell(
    """List the remedies: for which findings, with which effect, whether they last, how they are undone.

\b
Examples:
  cargo-runbook remedies                list them
  cargo-runbook remedies --markdown     the page docs/fixes.md
  cargo-runbook fix CRG201 --env prod-1 the plan of one, for an environment
""",
    """列出修复方法：适用的诊断代码、影响、持久性以及撤销方式。

\b
示例：
  cargo-runbook remedies                列出全部
  cargo-runbook remedies --markdown     生成 docs/fixes.md
  cargo-runbook fix CRG201 --env prod-1 针对某个环境的具体方案
""",
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("remedies", help=_HELP)(remedies)


def remedies(
    as_json: JsonOption = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help=tell("Print as Markdown.", "以 Markdown 输出。"))
    ] = False,
) -> None:
    """Prints the table of remedies."""
    from cargo_runbook.remedies.table import REMEDIES

    if as_json:
        print_json([_as_json(remedy) for remedy in REMEDIES.values()])
        return
    if markdown:
        print(as_markdown(), end="")
        return
    language, console = language_from(), out()
    for remedy in REMEDIES.values():
        console.print(f"[bold]{remedy.name}[/bold]  {remedy.title.say(language)}  ({', '.join(codes_of(remedy))})")
        console.print(f"  {remedy.how.say(language)}", markup=False)


def codes_of(remedy: Remedy) -> tuple[str, ...]:
    """The findings that have it."""
    # Late, as in `codes`.
    from cargo_runbook.rules.catalog import catalog

    return tuple(code.code for code in catalog().values() if remedy.name in code.remedies)


def _as_json(remedy: Remedy) -> dict[str, object]:
    return {
        "remedy": remedy.name,
        "codes": list(codes_of(remedy)),
        "by_hand": remedy.build is None,
        **{
            key: getattr(getattr(remedy, name), language)
            for name in ("title", "how", "effect", "durability", "inverse")
            for key, language in ((name, "en"), (f"{name}_zh", "zh"))
        },
    }


_HEAD = """# Fixes

Made by `cargo-runbook remedies --markdown` from `cargo_runbook/remedies/table.py`; a test holds the two together.

`cargo-runbook fix CODE --env E` shows the plan for a finding and changes nothing: each action with its machine and file,
a diff with secrets masked, its effect, what it survives, how it is undone, and a digest of all that and of the state that
it was made from. `--confirm DIGEST` makes the plan again and does it only if it is the same; a production environment
also asks for `--reason`. Before and after, the real docker client does what the inventory says must work, and logs in to
another environment as the control. `proven` needs a red call before, green ones after, an unchanged control and the
finding gone. What is not proven is taken back at once, but for `--keep` (exit code 4).

Each change has a folder below `reports/changes/`: its plan, a journal that is on the disk before each action, and the
edited files before and after (0600: they may hold secrets, and are no part of a record). `fix --env E --resume ID`
finishes a change that was cut off, `--rollback ID` takes one back. A file that is neither as it was nor as planned is
left alone, and said so.

| remedy | findings | what it does | 做什么 | effect | survives | undone by |
|---|---|---|---|---|---|---|
"""


def as_markdown() -> str:
    """The page `docs/fixes.md`."""
    from cargo_runbook.remedies.table import REMEDIES

    rows = [
        f"| {r.name}{' (by hand)' if r.build is None else ''} | {', '.join(codes_of(r)) or '-'} | {r.title.en}. {r.how.en} "
        f"| {r.title.zh}。{r.how.zh} | {r.effect.en} | {r.durability.en} | {r.inverse.en} |"
        for r in REMEDIES.values()
    ]
    return _HEAD + "\n".join(rows) + "\n"

"""`cargo-runbook codes`: what a finding code means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cargo_runbook.cli import completion
from cargo_runbook.cli.console import JsonOption, out, print_json, tell
from cargo_runbook.errors import UsageError
from cargo_runbook.texts import language_from

if TYPE_CHECKING:
    from cargo_runbook.rules.catalog import Code

_HELP = tell(
    """Say what a finding code means: section of the guide, severity, what it can follow from.

\b
Examples:
  cargo-runbook codes                all codes, a line each
  cargo-runbook codes CRG301         one code, explained
  cargo-runbook codes --markdown     the page docs/finding-codes.md
""",
    """说明诊断代码的含义：对应指南章节、严重程度、可能的上游原因。

\b
示例：
  cargo-runbook codes                列出所有代码
  cargo-runbook codes CRG301         解释一个代码
  cargo-runbook codes --markdown     生成 docs/finding-codes.md
""",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("codes", help=_HELP)(codes)


def codes(
    wanted: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CODE]...",
            show_default=False,
            help=tell("Codes (default: all).", "代码（默认全部）。"),
            autocompletion=completion.codes,
        ),
    ] = None,
    json: JsonOption = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help=tell("Print as Markdown.", "以 Markdown 输出。"))
    ] = False,
) -> None:
    """Print codes of the catalog."""
    # Late: the catalog is YAML, and no other command needs a parser for it.
    from cargo_runbook.rules.catalog import catalog

    chosen = [_find(name) for name in wanted] if wanted else list(catalog().values())
    if json:
        print_json([_as_json(code) for code in chosen])
    elif markdown:
        print(as_markdown(chosen), end="")
    else:
        _print(chosen, explained=bool(wanted))


def _find(name: str) -> Code:
    from cargo_runbook.rules.catalog import catalog

    code = catalog().get(name.upper())
    if code is None:
        raise UsageError(
            tell(f"there is no finding code {name}", f"没有诊断代码 {name}"),
            next_step=tell("`cargo-runbook codes` lists them all.", "用 `cargo-runbook codes` 查看全部代码。"),
        )
    return code


def _as_json(code: Code) -> dict[str, object]:
    return {
        "code": code.code,
        "check": code.check,
        "severity": str(code.severity),
        "section": code.section,
        "title": code.title.en,
        "title_zh": code.title.zh,
        "explanation": code.explanation.en,
        "explanation_zh": code.explanation.zh,
        "follows_from": list(code.follows_from),
    }


def _print(chosen: list[Code], *, explained: bool) -> None:
    language = language_from()
    console = out()
    for code in chosen:
        if not explained:
            console.print(f"{code.code}  {code.severity:<8}  {code.title.say(language)}", markup=False)
            continue
        console.print(f"[bold]{code.code}[/bold]  {code.title.en}  {code.title.zh}")
        console.print(f"  {code.explanation.say(language)}", markup=False)
        console.print(f"  {tell('Guide', '指南')}: {code.section}", markup=False)
        if code.follows_from:
            console.print(f"  {tell('can follow from', '可能源于')}: {', '.join(code.follows_from)}", markup=False)


def as_markdown(chosen: list[Code]) -> str:
    """The page `docs/finding-codes.md`."""
    lines = [
        "# Finding codes",
        "",
        "Made by `cargo-runbook codes --markdown` from `cargo_runbook/rules/catalog.yml`; a test holds the two together.",
        "A code is stable and never used again for something else. Checks are the stations of a pull.",
        "",
        "| code | what | 含义 | check | severity | section of the guide | can follow from |",
        "|---|---|---|---|---|---|---|",
    ]
    for code in chosen:
        follows = ", ".join(code.follows_from) or "-"
        lines.append(
            f"| {code.code} | {code.title.en} | {code.title.zh} | {code.check} | {code.severity} "
            f"| {code.section} | {follows} |"
        )
    return "\n".join([*lines, ""])

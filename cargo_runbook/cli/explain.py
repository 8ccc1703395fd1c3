"""`cargo-runbook explain`: paste what a client printed, get the likely cause and where to go on."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cargo_runbook.cli.choice import ReplayOption
from cargo_runbook.cli.console import InventoryOption, JsonOption, message, print_json, tell
from cargo_runbook.cli.language import OutputLanguageOption, chosen_language
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.texts import Language

if TYPE_CHECKING:
    from cargo_runbook.findings import Diagnosis
    from cargo_runbook.symptoms import Book
    from cargo_runbook.symptoms.answer import Answer

# What can only be meant as the name of a file.
_FILE_NAME = re.compile(r"(?:~|\.{1,2})?/\S+|(?!\S*://)\S+\.(?:txt|log)")
_LONGEST_ARGUMENT = 4096
# Of a paste with many errors so many are listed.
_MOST_STATEMENTS = 8

_HELP = tell(
    """Say what an error text of docker, containerd, kubelet, Harbor and the like means.

\b
Examples:
  cargo-runbook explain 'Get https://reg/v2/: dial tcp: lookup reg on 10.0.0.2:53: no such host'
  docker pull reg/p/r 2>&1 | cargo-runbook explain
  cargo-runbook explain jobservice.log --json
  cargo-runbook explain error.txt --env prod-1     go on and test the candidates live
  cargo-runbook explain --jsonl errors.jsonl       a line {"id", "text"} in, a line {"id", "causes"} out

Exit code: 0 a cause was named (with --env: healthy), 1 fault found by --env, 2 wrong usage, 3 could not tell.
""",
    """解释 docker、containerd、kubelet、Harbor 等输出的报错。

\b
示例：
  cargo-runbook explain 'Get https://reg/v2/: dial tcp: lookup reg on 10.0.0.2:53: no such host'
  docker pull reg/p/r 2>&1 | cargo-runbook explain
  cargo-runbook explain jobservice.log --json
  cargo-runbook explain error.txt --env prod-1     继续在该环境中实测
  cargo-runbook explain --jsonl errors.jsonl       每行输入 {"id", "text"}，每行输出 {"id", "causes"}

退出码：0 给出了原因（使用 --env 时：正常），1 --env 发现故障，2 用法错误，3 无法判断。
""",
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("explain", help=_HELP)(explain)


def explain(
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEXT|FILE|-]",
            help=tell(
                "The text, or a file with it. Without: standard input.", "报错文本，或文件名；省略时读取标准输入。"
            ),
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
    jsonl: Annotated[
        Path | None,
        typer.Option("--jsonl", metavar="FILE", help=tell("Classify each line of a file.", "逐行分类文件中的文本。")),
    ] = None,
    patterns: Annotated[
        Path | None,
        typer.Option("--patterns", metavar="FILE", help=tell("Own patterns (YAML).", "自定义模式文件（YAML）。")),
    ] = None,
    env: Annotated[
        str, typer.Option("--env", "-e", metavar="NAME", help=tell("Test the candidates there.", "在该环境中实测。"))
    ] = "",
    inventory: InventoryOption = None,
    replay: ReplayOption = "",
    lang: OutputLanguageOption = "",
) -> None:
    """Explains one text, or each line of a file."""
    language = chosen_language(lang)
    book = _book(patterns)
    if jsonl is not None:
        _classify(jsonl, book)
        return
    given = _answer(_read(text), book)
    if not env:
        _show(given, language, as_json=as_json, environment=_environment_of(given, inventory))
        raise typer.Exit(3 if given.cause == "unknown" else 0)
    _go_on(given, env, inventory, replay, None if as_json else language)


def _book(patterns: Path | None) -> Book | None:
    from cargo_runbook.symptoms import Book, read_patterns, shipped

    if patterns is None:
        return None
    return Book((*read_patterns(_file(patterns), str(patterns)), *shipped()))


def _answer(text: str, book: Book | None) -> Answer:
    from cargo_runbook.execution.pasting import understood

    return understood(text, book)


def _read(given: str | None) -> str:
    if given is None or given == "-":
        if given is None and sys.stdin.isatty():
            message(tell("Paste the text, then end it with Ctrl-D.", "请粘贴报错内容，以 Ctrl-D 结束。"))
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    # What a client prints holds spaces; a text without any is taken for a file when there is one of that name.
    if len(given) < _LONGEST_ARGUMENT and "\n" not in given:
        if Path(given).is_file():
            return _file(Path(given))
        if _FILE_NAME.fullmatch(given):
            raise UsageError(
                tell(f"there is no file {given}", f"没有文件 {given}"),
                next_step=tell(
                    "Look at its name; a text may also come from standard input: cargo-runbook explain -",
                    "请检查文件名；报错内容也可以从标准输入读取：cargo-runbook explain -",
                ),
            )
    return given


def _file(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(tell(f"{path} can't be read", f"无法读取 {path}"), seen=str(error.strerror)) from error


def _lines(path: Path) -> Iterator[tuple[Any, str]]:
    for number, line in enumerate(_file(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield row["id"], str(row["text"])
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                tell(
                    f'{path}:{number} is no line of the form {{"id": ..., "text": ...}}',
                    f'{path}:{number} 不符合 {{"id": ..., "text": ...}} 的格式',
                ),
                seen=type(error).__name__,
            ) from error


def _classify(path: Path, book: Book | None) -> None:
    from cargo_runbook.secret import Redactor
    from cargo_runbook.symptoms import explain as explain_text
    from cargo_runbook.symptoms.answer import answer

    for name, text in _lines(path):
        given = answer(explain_text(text, book), Redactor())
        body = {"id": name, "causes": given.causes_json(), "section": given.section, "notebook": given.notebook}
        print(json.dumps(body, ensure_ascii=False))


def _go_on(given: Answer, env: str, inventory: Path | None, replay: str, language: Language | None) -> None:
    """Diagnoses the environment for what the text is about, and answers with the proven cause; as JSON without a language."""
    from cargo_runbook.execution.pasting import image_of, proven_causes
    from cargo_runbook.findings import diagnosis_to_json
    from cargo_runbook.investigation import open_investigation

    # Opening sends nothing: it tells whose domain the environment has.
    with open_investigation(env, inventory=inventory, replay=replay) as opened:
        image = image_of(given, opened.environment)
    operation = given.subject.operation
    with open_investigation(env, inventory=inventory, image=image, operation=operation, replay=replay) as investigation:
        diagnosis = investigation.diagnose()
    proven = proven_causes(given, diagnosis)
    if language is None:
        body = given.to_json()
        body["proven"] = [{"code": code, "cause": cause} for code, cause in proven.items()]
        body["diagnosis"] = diagnosis_to_json(diagnosis)
        print_json(body)
    else:
        _show(given, language, as_json=False, environment=env)
        _show_proof(diagnosis, proven, language)
    raise typer.Exit(diagnosis.status.exit_code)


def _environment_of(given: Answer, inventory: Path | None) -> str:
    """The environment of the inventory that has the text's domain; `ENV` where none does, or none can be read."""
    from cargo_runbook.inventory.loader import find_inventory, load_all

    domain = given.subject.domain
    try:
        found = [e.name for e in load_all(find_inventory(inventory)) if domain in (e.domain, f"{e.domain}:{e.port}")]
    except RunbookError:
        return "ENV"
    return found[0] if found else "ENV"


def _show(given: Answer, language: Language, *, as_json: bool, environment: str) -> None:
    if as_json:
        print_json(given.to_json())
        return
    from cargo_runbook.views.explanation import explanation_card
    from cargo_runbook.views.terminal import show

    show(explanation_card(given, environment, language, most=_MOST_STATEMENTS))


def _show_proof(diagnosis: Diagnosis, proven: dict[str, str], language: Language) -> None:
    from cargo_runbook.views.explanation import proof_lines
    from cargo_runbook.views.terminal import show

    show(proof_lines(diagnosis, proven, language))

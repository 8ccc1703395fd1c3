"""The command line: one place where commands come together and where errors become sentences.

Each command group is a file beside this one that has `register(app: typer.Typer) -> None`. Other packages add
groups by the entry point group `cargo_runbook.commands`: a `typer.Typer`, or a `register` function of that kind.

Exit codes: those of the commands (0 healthy, 1 fault, 2 wrong usage or configuration, 3 could not tell, 4 not
proven), 130 after Ctrl-C, 141 when the reader of the output went away.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points, version
from typing import Annotated, Any, NoReturn

import typer

from cargo_runbook.cli import (
    batch,
    codes,
    completion,
    diagnose,
    doctor,
    env,
    explain,
    fix,
    notebook,
    records,
    remedies,
    shell_commands,
    summary,
)
from cargo_runbook.cli import run as run_command
from cargo_runbook.cli.completion import VARIABLE as COMPLETE
from cargo_runbook.cli.console import PROGRAM, complain, message, tell
from cargo_runbook.cli.language import OPTION, chosen_language, has_its_own, said, speak, take_language
from cargo_runbook.cli.language import VARIABLE as LANGUAGE
from cargo_runbook.errors import InventoryError, RunbookError
from cargo_runbook.pasteable import forget
from cargo_runbook.texts import language_from

COMMANDS_GROUP = "cargo_runbook.commands"
BUILT_IN = (
    explain.register,
    diagnose.register,
    fix.register,
    remedies.register,
    run_command.register,
    batch.register,
    summary.register,
    notebook.register,
    shell_commands.register,
    records.register,
    env.register,
    doctor.register,
    codes.register,
    completion.register,
)

_HELP = tell(
    """Find what is broken in a Cargo registry, with the proof, and keep a record.

\b
Examples:
  cargo-runbook env init prod-1          write an inventory file to fill in
  cargo-runbook env check                are the inventory files right?
  cargo-runbook explain 'TEXT'           what an error text means
  cargo-runbook diagnose --env prod-1    the cause, with its chain
  cargo-runbook fix CRG201 --env prod-1  what would mend it; nothing is changed yet
  cargo-runbook run 00_triage --env prod-1
                                         the same as a notebook, kept as a record
""",
    """定位 Cargo 镜像仓库的故障原因，给出证据，并留下记录。

\b
示例：
  cargo-runbook env init prod-1          生成一份待填写的环境文件
  cargo-runbook env check                检查环境文件是否正确
  cargo-runbook explain '报错内容'        解释一段报错的原因
  cargo-runbook diagnose --env prod-1    给出原因和推理链
  cargo-runbook fix CRG201 --env prod-1  显示修复方案，此时不做任何修改
  cargo-runbook run 00_triage --env prod-1
                                         以 Notebook 执行同样的排查，并留下记录
""",
)


def build() -> typer.Typer:
    """The application with all command groups. A broken add-on costs a warning, never the other commands."""
    app = typer.Typer(
        name=PROGRAM,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(help=_HELP)(_options)
    for register in BUILT_IN:
        register(app)
    for entry in sorted(entry_points(group=COMMANDS_GROUP)):
        add_entry_point(app, entry)
    return app


def add_entry_point(app: typer.Typer, entry: EntryPoint) -> None:
    """Add what `entry` names: a `typer.Typer` (as the group `entry.name`) or a `register(app)` function."""
    try:
        loaded = entry.load()
        if isinstance(loaded, typer.Typer):
            app.add_typer(loaded, name=entry.name)
        else:
            loaded(app)
    except Exception as error:  # noqa: BLE001 - any package may stand behind an entry point, and fail in any way
        complain(
            tell(
                f'the command group "{entry.name}" is left out, {entry.value} does not load: {error}',
                f"命令组 “{entry.name}” 已略过，{entry.value} 无法加载：{error}",
            )
        )


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help=tell("Show the version.", "显示版本。")),
    ] = False,
    # Taken out before the command line is read (see `run`): it may stand anywhere.
    _language: Annotated[
        str,
        typer.Option(
            OPTION,
            metavar="en|zh",
            help=tell(
                "Language of all texts. Default: CARGO_RUNBOOK_LANG, the locale.",
                "所有文字的语言。默认取 CARGO_RUNBOOK_LANG，其次取系统语言。",
            ),
            show_default=False,
        ),
    ] = "",
) -> None:
    pass


def run(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name). Gives the exit code; never raises for an expected error."""
    before = os.environ.get(LANGUAGE)
    forget()
    try:
        return _run(arguments)
    finally:
        # `--lang` is for this command line alone.
        if before is None:
            os.environ.pop(LANGUAGE, None)
        else:
            os.environ[LANGUAGE] = before


def _run(arguments: Sequence[str]) -> int:
    try:
        command = typer.main.get_command(build())
        rest = _in_the_language_wanted(command, arguments)
        speak(command, language_from())
        if os.environ.get(COMPLETE):
            completion.answer(command)
        # Not command.main(): it would turn a broken pipe into exit code 1, which means "fault found" here.
        with command.make_context(PROGRAM, rest) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as done:
        return done.exit_code
    except InventoryError as error:
        # These begin with FILE:LINE, for editors and terminals to jump to.
        message(str(error))
        return error.exit_code
    except RunbookError as error:
        complain(str(error))
        return error.exit_code
    except typer.TyperException as error:
        _complain_usage(error)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        complain(tell("stopped", "已中断"))
        return 130
    except BrokenPipeError:
        _quiet_stdout()
        return 141
    except Exception as error:  # noqa: BLE001 - the last place where an error can become a sentence
        _complain_unexpected(error)
        return 3
    return 0


def _in_the_language_wanted(command: Any, arguments: Sequence[str]) -> list[str]:
    """The arguments without `--lang`, which counts for everything that is said from now on."""
    language, rest = take_language(arguments)
    if has_its_own(command, rest):
        return list(arguments)
    if language:
        os.environ[LANGUAGE] = chosen_language(language)
    return rest


def _complain_usage(error: typer.TyperException) -> None:
    context = getattr(error, "ctx", None)
    text = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        print(text, file=sys.stderr)
        return
    complain(said(text, language_from()))
    if context is not None:
        print(tell(f"  Try: {context.command_path} --help", f"  请看：{context.command_path} --help"), file=sys.stderr)


def _complain_unexpected(error: Exception) -> None:
    # The message of a foreign exception may quote anything, a password too: only its type and place are shown.
    last = traceback.extract_tb(error.__traceback__)[-1]
    complain(
        tell(
            f"this should not have happened: {type(error).__name__} in {last.name}, {last.filename}:{last.lineno}",
            f"程序内部错误：{type(error).__name__}，位于 {last.name}，{last.filename}:{last.lineno}",
        )
    )
    if os.environ.get("CARGO_RUNBOOK_TRACEBACK"):
        # Late: nobody else needs it to say what went wrong.
        from cargo_runbook.secret import Redactor

        print(Redactor().redact("".join(traceback.format_exception(error))), end="", file=sys.stderr)
    else:
        print("  CARGO_RUNBOOK_TRACEBACK=1 shows the whole way there; read it before you pass it on.", file=sys.stderr)


def _quiet_stdout() -> None:
    # The interpreter flushes standard output once more at its end; that must not fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> NoReturn:
    """Entry point of the console script."""
    for stream in (sys.stdout, sys.stderr):
        # A locale that can't say a name in Chinese must not end a diagnosis.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _quiet_stdout()
        code = 141
    sys.exit(code)

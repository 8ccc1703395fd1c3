"""The command line as a person meets it: exit codes, sentences, streams."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import typer

from cargo_runbook.cli import main
from cargo_runbook.errors import ConnectionFailed, HostKeyError, InventoryError, RunbookError, UsageError
from cargo_runbook.secret import Secret

CALL = [sys.executable, "-c", "from cargo_runbook.cli.main import main; main()"]


def with_command(monkeypatch: pytest.MonkeyPatch, command: object) -> None:
    """The real application with one more command `try-out`."""

    def register(app: typer.Typer) -> None:
        app.command("try-out")(command)  # type: ignore[type-var]

    monkeypatch.setattr(main, "BUILT_IN", (*main.BUILT_IN, register))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("that does not go", next_step="Do this."), 2),
        (ConnectionFailed("no way to cargo-1", vantage="operator", seen="connection refused"), 3),
        (HostKeyError("192.0.2.1", fingerprint="SHA256:a", known="SHA256:b"), 3),
    ],
)
def test_an_error_is_printed_as_its_sentence_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: RunbookError, code: int
) -> None:
    def fail() -> None:
        raise error

    with_command(monkeypatch, fail)
    assert main.run(["try-out"]) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"cargo-runbook: {error}\n")


def test_an_inventory_error_begins_with_file_and_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise InventoryError("no", file="a.yaml", line=3)

    with_command(monkeypatch, fail)
    assert main.run(["try-out"]) == 2
    assert capsys.readouterr().err == "a.yaml:3: no\n"


def test_an_error_that_nobody_foresaw_shows_neither_its_message_nor_local_variables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        password = "hunter2"
        raise ValueError(password)

    with_command(monkeypatch, fail)
    assert main.run(["try-out"]) == 3
    told = capsys.readouterr().err
    assert "this should not have happened: ValueError in fail" in told
    assert "hunter2" not in told
    assert "Traceback" not in told


def test_the_whole_way_to_an_error_shows_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ValueError(f"can't use {Secret('c4nary-77').reveal()} with password: other-one")

    monkeypatch.setenv("CARGO_RUNBOOK_TRACEBACK", "1")
    with_command(monkeypatch, fail)
    assert main.run(["try-out"]) == 3
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "ValueError: can't use ‹secret 1 password› with password" in told
    assert "can't use c4nary-77" not in told


def test_a_commands_own_exit_code_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault() -> None:
        raise typer.Exit(1)

    with_command(monkeypatch, fault)
    assert main.run(["try-out"]) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["--nonsense"], "No such option: --nonsense"),
        (["env", "show"], "Missing argument 'NAME'"),
        (["env", "chek"], "No such command 'chek'. Did you mean 'check'"),
        (["env", "list", "much"], "Got unexpected extra argument(s) (much)"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main.run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"cargo-runbook: {told}")
    assert "\n  Try: cargo-runbook" in captured.err


def test_without_arguments_the_help_is_shown_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Usage: cargo-runbook")


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert re.fullmatch(r"cargo-runbook \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_ctrl_c_ends_with_130_and_a_word(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with_command(monkeypatch, stop)
    assert main.run(["try-out"]) == 130
    assert capsys.readouterr().err == "cargo-runbook: stopped\n"


def test_ctrl_c_in_a_real_process_leaves_no_traceback(tmp_path: Path) -> None:
    program = (
        "import time, typer\nfrom cargo_runbook.cli import main\n"
        "def wait() -> None:\n    print('waiting', flush=True)\n    time.sleep(30)\n"
        "main.BUILT_IN = (*main.BUILT_IN, lambda app: app.command('wait')(wait))\nmain.main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert (process.returncode, told.splitlines()[-1]) == (130, "cargo-runbook: stopped")
    assert "Traceback" not in told


def test_a_reader_that_went_away_is_no_error_to_shout_about() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*CALL, "env", "schema"], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_broken_command_group_costs_a_warning_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()
    main.add_entry_point(app, EntryPoint("odd", "no_such_module:app", main.COMMANDS_GROUP))
    assert capsys.readouterr().err == (
        'cargo-runbook: the command group "odd" is left out, no_such_module:app does not load: '
        "No module named 'no_such_module'\n"
    )
    assert app.registered_groups == []


def test_a_command_group_comes_as_an_application_or_as_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer()
    main.add_entry_point(app, EntryPoint("env", "cargo_runbook.cli.env:app", main.COMMANDS_GROUP))
    main.add_entry_point(app, EntryPoint("x", "cargo_runbook.cli.env:register", main.COMMANDS_GROUP))
    assert [group.name for group in app.registered_groups] == ["env", "env"]


def test_help_is_chinese_for_a_chinese_locale() -> None:
    variables = {**os.environ, "CARGO_RUNBOOK_LANG": "zh"}
    told = subprocess.run([*CALL, "--help"], env=variables, capture_output=True, text=True, check=True).stdout
    assert "定位 Cargo 镜像仓库的故障原因" in told
    assert "环境清单" in told


def test_a_locale_without_chinese_does_not_end_in_an_error() -> None:
    variables = {**os.environ, "CARGO_RUNBOOK_LANG": "zh", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*CALL, "--help"], env=variables, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\nfrom cargo_runbook.cli import main\nmain.run(['--help'])\n"
        "print([m for m in ('papermill','pandas','paramiko','httpx','nbformat','jupyterlab','IPython','dns') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"

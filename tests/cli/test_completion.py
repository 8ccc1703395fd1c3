"""The Tab key, in real shells where they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cargo_runbook.cli import main
from tests.terminal import Terminal

# What bash does at the Tab key, with the words as they stand.
TAB = """
eval "$(cargo-runbook completion bash)"
COMP_WORDS=({words}) COMP_CWORD={place}
_cargo_runbook_completion cargo-runbook
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
REAL = {"bash": ["-n"], "zsh": ["-n"], "fish": ["--no-execute"]}


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which `cargo-runbook` is this very code."""
    program = tmp_path / "cargo-runbook"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cargo_runbook "$@"\n')
    program.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


def tab(path: str, line: str, folder: Path) -> list[str]:
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    script = TAB.format(words=quoted, place=len(words) - 1)
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True,
        cwd=folder,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.slow
def test_the_tab_key_completes_commands_options_and_names_in_bash(path: str, tmp_path: Path) -> None:
    inventory = tmp_path / "environments"
    inventory.mkdir()
    for name in ("prod-1", "prod-2", "test-1"):
        (inventory / f"{name}.yaml").touch()
    assert tab(path, "cargo-runbook dia", tmp_path) == ["diagnose"]
    assert "drill" in tab(path, "cargo-runbook sandbox d", tmp_path)
    assert "--env" in tab(path, "cargo-runbook diagnose --e", tmp_path)
    assert tab(path, "cargo-runbook diagnose --env prod", tmp_path) == ["prod-1", "prod-2"]
    assert "40_replication_stuck" in tab(path, "cargo-runbook run 4", tmp_path)
    assert tab(path, "cargo-runbook diagnose --replay token-service-d", tmp_path) == ["token-service-dead"]
    assert tab(path, "cargo-runbook codes CRG20", tmp_path)[:2] == ["CRG201", "CRG202"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed (tools/debian-packages.sh tests)")
def test_the_tab_key_completes_in_zsh(path: str, tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "prod-1.yaml").touch()
    variables = {"PATH": path, "HOME": str(tmp_path), "TERM": "vt100"}
    shell = Terminal("zsh", "-f", "-i", variables=variables, folder=tmp_path)
    try:
        shell.type("PS1=; autoload -U compinit; compinit -u -D\n")
        shell.type('eval "$(cargo-runbook completion zsh)"; print rea""dy\n')
        shell.until("ready\r\n")
        shell.type("cargo-runbook diagno\t")
        shell.until("diagnose")
        shell.type("--env pr\t")
        shell.until("prod-1")
    finally:
        shell.close()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed (tools/debian-packages.sh tests)")
def test_the_tab_key_completes_in_fish(path: str, tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "prod-1.yaml").touch()
    asked = "complete -C 'cargo-runbook diagno'; complete -C 'cargo-runbook diagnose --env pr'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"cargo-runbook completion fish | source; {asked}"],
        env={**os.environ, "PATH": path, "HOME": str(tmp_path)}, capture_output=True, text=True, check=True, cwd=tmp_path,
        timeout=60,
    )  # fmt: skip
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["diagnose", "prod-1"]
    assert done.stderr == ""


@pytest.mark.slow
def test_the_tab_key_says_nothing_where_there_is_no_inventory(path: str, tmp_path: Path) -> None:
    assert tab(path, "cargo-runbook diagnose --env pr", tmp_path) == []


@pytest.mark.parametrize("shell", REAL)
def test_each_shell_can_read_its_function(shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main.run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "cargo-runbook" in script
    assert "_CARGO_RUNBOOK_COMPLETE" in script
    if shutil.which(shell):
        file = tmp_path / "script"
        file.write_text(script)
        subprocess.run([shell, *REAL[shell], str(file)], check=True)


def test_a_shell_that_is_not_known_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["completion", "tcsh"]) == 2
    assert "tcsh" in capsys.readouterr().err

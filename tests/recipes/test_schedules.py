"""The recipes for cron and systemd: read by the programs they are for, and each command line is one of ours."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
import typer

from cargo_runbook.cli.main import build
from tests.execution.batch.many import write_many

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"
OURS = "cargo-runbook"


def parse(words: list[str]) -> None:
    """Raises where the command line takes no such command, option or argument."""
    command = typer.main.get_command(build())
    name, *rest = words
    with command.make_context(OURS, list(words)) as context:
        (known := command.commands[name]).make_context(name, rest, parent=context)  # type: ignore[attr-defined]
    assert known.name == name


def unit(name: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((RECIPES / name).read_text())
    return parser


def test_the_service_runs_a_command_line_of_ours_and_takes_findings_for_results() -> None:
    service = unit("cargo-triage.service")["Service"]
    program, *words = shlex.split(service["ExecStart"])
    assert Path(program).name == OURS
    parse(words)
    assert service["SuccessExitStatus"].split() == ["1", "3"], "2, wrong usage, is a failure of the service"
    deadline = float(words[words.index("--deadline") + 1])
    assert deadline < float(service["TimeoutStartSec"]), "the batch ends by itself, with true records"


def test_the_timer_belongs_to_the_service_and_comes_every_day() -> None:
    timer = unit("cargo-triage.timer")
    assert timer["Timer"]["OnCalendar"] == "*-*-* 06:15"
    assert timer["Install"]["WantedBy"] == "timers.target"
    assert (RECIPES / "cargo-triage.service").exists()


@pytest.mark.services("systemd-analyze")
@pytest.mark.slow
def test_systemd_takes_both_units(tmp_path: Path) -> None:
    # With programs that exist here: where a machine has them is its own business.
    for name in ("cargo-triage.service", "cargo-triage.timer"):
        text = (RECIPES / name).read_text().replace("/srv/runbook/.venv/bin/cargo-runbook", "/bin/true")
        (tmp_path / name).write_text(text.replace("/srv/runbook", str(tmp_path)).replace("User=runbook\n", ""))
    units = [str(tmp_path / "cargo-triage.service"), str(tmp_path / "cargo-triage.timer")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if "cargo-triage" in line]
    assert (done.returncode, told) == (0, []), done.stderr
    calendar = subprocess.run(
        ["systemd-analyze", "calendar", "*-*-* 06:15"], capture_output=True, text=True, check=True
    )
    assert "06:15:00" in calendar.stdout


def cron_line() -> str:
    (line,) = [line for line in (RECIPES / "crontab").read_text().splitlines() if re.match(r"[0-9*]", line)]
    return line


def test_the_line_for_cron_has_five_fields_and_a_command_line_of_ours() -> None:
    *times, command = cron_line().split(maxsplit=5)
    assert [bool(re.fullmatch(r"[0-9*/,-]+", field)) for field in times] == [True] * 5
    assert "%" not in command, "cron takes it for a line end"
    (line,) = re.findall(rf"\.venv/bin/{OURS} (.*?) >>", command)
    parse(shlex.split(line))


@pytest.mark.slow
@pytest.mark.services("flock")
def test_what_cron_would_run_leaves_data_messages_and_one_line_about_the_exit_code(tmp_path: Path) -> None:
    notebook, inventory, _ = write_many(tmp_path, "prod-fault", "prod-1", "fault-1")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    program = tmp_path / ".venv/bin/cargo-runbook"
    program.write_text(f'#!/bin/bash\nexec {sys.executable} -m cargo_runbook "$@"\n')
    program.chmod(0o755)
    command = cron_line().split(maxsplit=5)[5].replace("00_triage", str(notebook)).replace("prod-*", "fault-*")
    variables = {**os.environ, "CARGO_RUNBOOK_HOME": str(tmp_path), "CARGO_RUNBOOK_INVENTORY": str(inventory)}
    done = subprocess.run(["bash", "-c", command], env=variables, capture_output=True, text=True, check=False)
    assert done.stdout == "cargo-runbook batch: exit code 1\n", (tmp_path / "batch.log").read_text()
    assert (tmp_path / "batch.jsonl").read_text().count("\n") == 2

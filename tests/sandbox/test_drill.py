"""Game days: what is broken is not told, the verdict is scored, and everything is healed afterwards."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.errors import UsageError
from cargo_sandbox.drill import GameDay, candidates, judge, points_for
from cargo_sandbox.faults.catalog import fault
from cargo_sandbox.paths import StateFolder, state_folder
from tests.practice import PracticeSandbox
from tests.terminal import Terminal
from tests.test_project import ROOT


@pytest.mark.parametrize(
    ("answer", "truth", "verdict"),
    [
        (["CRG201"], ["CRG201"], "right"),
        (["CRG304", "CRG201"], ["CRG201", "CRG304"], "right"),
        (["CRG201"], ["CRG201", "CRG304"], "partly"),
        (["CRG201", "CRG602"], ["CRG201"], "partly"),
        (["CRG602"], ["CRG201"], "wrong"),
        ([], ["CRG201"], "wrong"),
    ],
)
def test_a_verdict_is_right_when_it_names_the_root_causes_and_nothing_else(
    answer: list[str], truth: list[str], verdict: str
) -> None:
    assert judge(answer, truth) == verdict


def test_two_minutes_are_free_and_no_slowness_costs_more_than_half() -> None:
    assert [points_for("right", seconds) for seconds in (0, 120, 149, 150, 180, 100_000)] == [100, 100, 100, 99, 98, 50]
    assert (points_for("partly", 0), points_for("partly", 100_000), points_for("wrong", 0)) == (50, 25, 0)


def test_a_drill_takes_what_hurts_and_has_a_cause_that_can_be_named() -> None:
    names = {fault.name for fault in candidates(cluster=False)}
    assert "wrong-domain" in names
    # It needs the cluster; nothing is wrong by it; nobody could tell.
    assert not names & {"domain-unresolved-pipeline", "admin-needs-no-cargo-admin-project", "host-down"}
    assert "domain-unresolved-pipeline" in {fault.name for fault in candidates(cluster=True)}


def test_without_a_drill_there_is_nothing_to_answer(tmp_path: Path) -> None:
    game = GameDay(StateFolder("x", tmp_path))
    assert (game.current(), game.past()) == (None, ())
    with pytest.raises(UsageError, match="no drill goes on"):
        game.answer(["CRG201"])


def drill(sandbox: PracticeSandbox, *arguments: str) -> Any:
    done = sandbox.cli("drill", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.sandbox
def test_what_a_drill_breaks_is_told_nowhere_until_it_is_answered_and_then_healed(sandbox: PracticeSandbox) -> None:
    begun = drill(sandbox, "--seed", "7")
    game = GameDay(state_folder(sandbox.name))
    going_on = game.current()
    assert going_on is not None
    name = going_on.fault
    assert begun["symptom"] == going_on.symptom != ""
    assert begun["environment"] == going_on.environment

    status = json.loads(sandbox.cli("status", "--json").stdout)
    assert (status["broken"], status["drill"]) == ([], True)
    listed = json.loads(sandbox.cli("faults", "--json").stdout)
    assert [fault["name"] for fault in listed if fault["broken"]] == []
    files = [file for file in state_folder(sandbox.name).path.glob("*") if file.is_file()]
    files += [file for file in state_folder(sandbox.name).faults.rglob("*") if file.is_file()]
    assert [file for file in files if name in file.name or name.encode() in file.read_bytes()] == []

    again = sandbox.cli("drill")
    assert (again.returncode, "a drill goes on" in again.stderr) == (2, True)
    typo = sandbox.cli("drill", "--answer", "CRG000")
    assert (typo.returncode, "the drill goes on" in typo.stderr) == (2, True)

    truth = next(fault["expected_root_causes"] for fault in listed if fault["name"] == name)
    # In small letters, as one types it at 3 a.m.
    result = drill(sandbox, *[word for code in truth for word in ("--answer", code.lower())])
    assert (result["verdict"], result["fault"], result["truth"]) == ("right", name, truth)
    assert result["points"] >= 50
    assert json.loads(sandbox.cli("status", "--json").stdout)["broken"] == []
    past = drill(sandbox, "--list")
    assert (past["going_on"], past["drills"][-1]["points"]) == (False, result["points"])


@pytest.mark.sandbox
def test_a_drill_that_is_given_up_shows_the_truth_and_heals(sandbox: PracticeSandbox) -> None:
    sandbox.break_("no-role")
    refused = sandbox.cli("drill")
    assert (refused.returncode, "broken already" in refused.stderr) == (2, True)
    sandbox.heal()
    drill(sandbox, "--seed", "1")
    told = sandbox.cli("drill", "--reveal").stdout
    assert "The truth: CRG" in told
    assert "Everything is healed." in told
    assert json.loads(sandbox.cli("status", "--json").stdout)["broken"] == []


# Files of every machine, which a fault may name; whatever it makes has a number for its name.
OF_THE_MACHINES = re.compile(
    r"/run/(?:dnsmasq|dockerd|sshd)\.pid|/run/nginx\.conf|/run/docker\.sock|/var/log/(?:dockerd|dnsmasq)\.log"
)
OF_A_FAULT = re.compile(r"/run/\d(?:\.[a-z]+|/[a-z.]+)?|/tmp/layer")


def test_no_file_that_is_there_only_because_of_a_fault_is_called_by_its_name() -> None:
    telling = [
        f"{file.name}: {path}"
        for file in sorted((ROOT / "cargo_sandbox" / "faults" / "data").glob("*.yml"))
        for path in re.findall(r"(?<![\w./}])/(?:run|tmp|var/log)/[\w./-]+", file.read_text("utf-8"))
        if not OF_THE_MACHINES.fullmatch(path) and not OF_A_FAULT.fullmatch(path)
    ]
    assert telling == []


def processes_of(sandbox: PracticeSandbox, machine: str) -> set[str]:
    return set(sandbox.on(machine, "ps", "-eo", "args=").stdout.splitlines())


@pytest.mark.sandbox
def test_what_runs_only_because_of_a_fault_is_not_called_by_its_name(sandbox: PracticeSandbox) -> None:
    before = processes_of(sandbox, "dns")
    sandbox.break_("dns-servfail")
    new = [line for line in processes_of(sandbox, "dns") - before if not line.startswith("ps ")]
    assert [line.rpartition("/")[2] for line in new] == ["unnamed.py"]


@pytest.mark.sandbox
def test_on_a_terminal_the_verdict_is_asked_for_until_there_is_one(sandbox: PracticeSandbox) -> None:
    drill = [sys.executable, "-m", "cargo_runbook", "sandbox", "drill", "--name", sandbox.name]
    english = {"CARGO_RUNBOOK_LANG": "en"}
    later = Terminal(*drill, "--seed", "7", variables=english)
    assert "a user of" in later.until("> ")
    later.type("\n")
    assert later.ended() == 0
    going_on = GameDay(state_folder(sandbox.name)).current()
    assert going_on is not None, "Enter leaves it for later"
    (truth, *_) = fault(going_on.fault).expected_root_causes
    sandbox.cli("drill", "--reveal")

    now = Terminal(*drill, "--seed", "7", variables=english)
    now.until("> ")
    now.type("CRG000\n")
    assert "there is no finding code CRG000; the drill goes on" in now.until("> ").replace("\r\n", " ")
    now.type(f"{truth.lower()}\n")
    assert "Your verdict is" in now.until("Everything is healed.")
    assert now.ended() == 0
    assert "Traceback" not in now.shown

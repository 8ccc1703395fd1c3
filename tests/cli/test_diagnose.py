"""`diagnose`, `run` and `records` as they are typed, on replayed evidence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cargo_runbook.cli.main import run

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize(
    ("recording", "environment", "code", "status", "roots"),
    [
        ("healthy", "cargo", 0, "healthy", []),
        ("domain-unresolved", "cargo", 1, "fault", ["CRG101"]),
        ("wrong-domain", "cargo", 1, "fault", ["CRG201"]),
        ("wrong-domain", "devops", 0, "healthy", []),
        ("host-down", "devops", 3, "unknown", []),
    ],
)
def test_the_exit_code_and_the_json_say_the_same(
    capsys: Capture, recording: str, environment: str, code: int, status: str, roots: list[str]
) -> None:
    assert run(["diagnose", "--env", environment, "--replay", recording, "--json"]) == code
    body = json.loads(capsys.readouterr().out)
    assert (body["environment"], body["status"], body["root_causes"]) == (environment, status, roots)
    assert body["replayed"].startswith("replayed evidence of ")


def test_one_use_can_be_asked_for_by_image_account_and_action(capsys: Capture) -> None:
    use = ["--image", "devops_test-cargo/node:8.9-alpine", "--account", "alice", "--action", "push"]
    assert run(["diagnose", "--env", "cargo", "--replay", "guest-pushes", "--json", *use]) == 1
    body = json.loads(capsys.readouterr().out)
    assert body["root_causes"] == ["CRG511"]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--account", "mallory"), "cargo has no account 'mallory'"),
        (("--account", "mallory"), "admin, alice, docker-config"),
        (("--action", "delete"), "'delete' is no action"),
    ],
)
def test_a_use_that_can_not_be_is_one_sentence_and_exit_code_2(
    capsys: Capture, option: tuple[str, ...], said: str
) -> None:
    assert run(["diagnose", "--env", "cargo", "--replay", "guest-pushes", *option]) == 2
    assert said in capsys.readouterr().err


def test_several_environments_give_a_list_and_the_worst_exit_code(capsys: Capture) -> None:
    assert run(["diagnose", "--env", "dev*", "--env", "cargo", "--replay", "wrong-domain", "--json"]) == 1
    bodies = json.loads(capsys.readouterr().out)
    assert {body["environment"]: body["status"] for body in bodies} == {"cargo": "fault", "devops": "healthy"}


def test_a_host_that_is_down_leaves_the_other_environment_as_it_is(capsys: Capture) -> None:
    assert run(["diagnose", "--env", "*", "--replay", "host-down", "--json"]) == 3
    bodies = json.loads(capsys.readouterr().out)
    states = {body["environment"]: body["status"] for body in bodies}
    assert states == {"cargo": "healthy", "devops": "unknown", "ha": "healthy"}


def test_piped_output_has_the_table_and_the_chain_and_no_escape_sequence(capsys: Capture) -> None:
    assert run(["diagnose", "--env", "*", "--replay", "wrong-domain"]) == 1
    printed = capsys.readouterr()
    assert "cargo        ●    ●    ✗ 201      ○      ○      ○        ○\n" in printed.out
    assert "cargo: CRG201 Wrong domain in the challenge   使用错误的域名访问\n" in printed.out
    assert "cargo-runbook run 00_triage --env cargo" in printed.out
    assert "\x1b" not in printed.out + printed.err
    assert printed.err == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["diagnose", "--env", "nope", "--replay", "healthy"], 'no environment is called "nope"'),
        (["diagnose", "--env", "cargo", "--replay", "nope"], "there is no recording named 'nope'"),
        (["run", "nope", "--env", "cargo", "--replay", "healthy"], "there is no runbook named 'nope'"),
        (["run", "00_triage", "--env", "cargo", "--replay", "healthy", "-p", "image"], "'image' is no parameter"),
        (["run", "00_triage", "--env", "*", "--replay", "healthy", "-p", "imag=x"], "has no parameter 'imag'"),
        (["records", "show", "nope"], "there is no record 'nope'"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(capsys: Capture, arguments: list[str], sentence: str) -> None:
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("cargo-runbook: ")
    assert printed.err.count(sentence) == 1
    assert "Traceback" not in printed.err


def test_a_run_is_listed_and_shown(capsys: Capture, tmp_path: Path) -> None:
    reports = ["--reports", str(tmp_path)]
    assert run(["run", "00_triage", "--env", "cargo", "--replay", "wrong-domain", "--json", *reports]) == 1
    ran = json.loads(capsys.readouterr().out)
    assert set(ran) >= {"record", "path", "environment", "runbook", "status", "root_causes"}
    assert (ran["runbook"], ran["status"], ran["root_causes"]) == ("00_triage", "fault", ["CRG201"])
    assert Path(ran["path"], "notebook.ipynb").is_file()

    assert run(["records", "list", "--json", *reports]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert set(listed) >= {"record", "environment", "runbook", "status", "root_causes", "time", "incident"}
    assert (listed["record"], listed["head"]) == (ran["record"], ran["head"])

    assert run(["records", "show", ran["record"], *reports]) == 0
    shown = capsys.readouterr().out
    assert ran["head"] in shown
    assert "CRG201 Wrong domain in the challenge" in shown


def test_a_folder_that_is_no_record_does_not_hide_the_others(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "2026/03/04/foreign").mkdir(parents=True)
    assert run(["records", "list", "--reports", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert "foreign is not a record: it has no record.json" in printed.err
    assert "no records below" in printed.err

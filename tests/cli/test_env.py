"""`cargo-runbook env` as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cargo_runbook.cli.main import run

PASSWORD = "Pwd123456"
GOOD = """\
domain: cargo.example.com
hosts:
  - name: cargo-1
    address: 192.0.2.14
accounts:
  - username: admin
    kind: admin
    password: env:CARGO_RUNBOOK_TEST_PASSWORD
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, without any inventory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
    monkeypatch.setenv("CARGO_RUNBOOK_TEST_PASSWORD", PASSWORD)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("CARGO_RUNBOOK_INVENTORY", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(folder: Path, **files: str) -> None:
    (folder / "environments").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "environments" / f"{name}.yaml").write_text(text, "utf-8")


def test_init_writes_an_example_that_is_right_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["env", "init", "prod-1"]) == 0
    assert capsys.readouterr().out == "environments/prod-1.yaml\n"
    assert run(["env", "check"]) == 0
    assert capsys.readouterr().out == "1 environment files are right\n"
    assert [path.name for path in (folder / "environments").iterdir()] == ["prod-1.yaml"]


@pytest.mark.parametrize("suffix", ["yaml", "yml"])
def test_init_never_overwrites(folder: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    (folder / "environments").mkdir()
    there = folder / "environments" / f"a.{suffix}"
    there.write_text("mine", "utf-8")
    assert run(["env", "init", "a"]) == 2
    assert capsys.readouterr().err == (
        f"cargo-runbook: environments/a.{suffix} is there already; nothing was written\n"
    )
    assert (there.read_text("utf-8"), len(list(there.parent.iterdir()))) == ("mine", 1)


@pytest.mark.parametrize("name", ["../a", "A", "", "a b", "-"])
def test_init_refuses_what_can_be_no_name(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run(["env", "init", "--", name]) == 2
    assert f'"{name}" can\'t be the name of an environment' in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_list_shows_each_environment_and_gives_the_same_as_json(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, a=GOOD, b=GOOD + "port: 5000\nstage: production\nkubernetes:\n  context: prod\n")
    assert run(["env", "list"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["name", "stage", "domain", "hosts", "cluster"],
        ["a", "test", "cargo.example.com", "cargo-1", "-"],
        ["b", "production", "cargo.example.com:5000", "cargo-1", "prod"],
    ]
    assert run(["env", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[1] == {
        "name": "b",
        "stage": "production",
        "domain": "cargo.example.com:5000",
        "hosts": "cargo-1",
        "cluster": "prod",
    }


def test_list_shows_the_good_ones_beside_a_broken_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a=GOOD, broken="domain: [")
    assert run(["env", "list"]) == 2
    captured = capsys.readouterr()
    assert "cargo.example.com" in captured.out
    assert "environments/broken.yaml:1: this is not YAML" in captured.err


def test_show_gives_defaults_and_references_but_no_secret(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a=GOOD)
    assert run(["env", "show", "a"]) == 0
    shown = capsys.readouterr().out
    assert "root: /compass/cargo-ansible/cargo" in shown
    assert "password: env:CARGO_RUNBOOK_TEST_PASSWORD" in shown
    assert run(["env", "show", "a", "--json"]) == 0
    as_json = capsys.readouterr().out
    assert json.loads(as_json)["port"] == 443
    assert PASSWORD not in shown + as_json


def test_an_unknown_environment_is_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, prod=GOOD)
    assert run(["env", "show", "prd"]) == 2
    assert capsys.readouterr().err == (
        'cargo-runbook: no environment is called "prd" in environments\n  Did you mean prod?\n'
    )


def test_check_lists_every_problem_of_every_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        folder,
        a=GOOD.replace("env:CARGO_RUNBOOK_TEST_PASSWORD", PASSWORD),
        b=GOOD + "ca: none.crt\nprt: 1\n",
        c=GOOD + "ca: none.crt\n",
    )
    assert run(["env", "check"]) == 2
    told = capsys.readouterr().err
    assert [line.partition(": ")[0] for line in told.splitlines() if line.startswith("environments/")] == [
        "environments/a.yaml:8",
        "environments/b.yaml:10",
    ]
    assert f"{folder}/environments/c.yaml:9: ca: {folder}/environments/none.crt can't be read" in told
    assert told.endswith("cargo-runbook: 3 mistakes in the environment files\n")
    assert PASSWORD not in told


def test_check_looks_only_at_the_environments_that_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, good=GOOD, broken="[")
    assert run(["env", "check", "g*"]) == 0
    assert run(["env", "check", "broken"]) == 2
    assert run(["env", "check", "other"]) == 2
    assert 'no environment is called "other"' in capsys.readouterr().err


def test_check_notes_a_password_that_is_not_there_without_failing(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CARGO_RUNBOOK_TEST_PASSWORD")
    write(folder, a=GOOD)
    assert run(["env", "check"]) == 0
    assert "a.yaml:8: password of admin: the variable CARGO_RUNBOOK_TEST_PASSWORD is not set" in capsys.readouterr().err


def test_check_as_json_says_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a=GOOD, b=GOOD + "prt: 1\n")
    assert run(["env", "check", "--json"]) == 2
    data = json.loads(capsys.readouterr().out)
    assert (data["ok"], data["environments"]) == (False, ["a"])
    assert [(p["file"], p["line"], p["key"]) for p in data["problems"]] == [("environments/b.yaml", 9, "prt")]


def test_a_missing_inventory_says_what_to_type(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["env", "check"]) == 2
    assert "there is no inventory: environments is not a folder\n  Write a first file with:" in capsys.readouterr().err


def test_the_schema_can_be_written_to_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["env", "schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert run(["env", "schema", "--output", "schema.json"]) == 0
    assert json.loads((folder / "schema.json").read_text("utf-8")) == printed
    assert run(["env", "schema", "--output", "none/schema.json"]) == 2


def test_messages_are_chinese_for_a_chinese_reader(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "zh")
    write(folder, a=GOOD)
    assert run(["env", "check"]) == 0
    assert capsys.readouterr().out == "1 个环境文件正确\n"

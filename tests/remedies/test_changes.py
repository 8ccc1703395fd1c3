"""A change that is done, cut off at any point, finished or taken back: on real files of this machine."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from cargo_runbook.connections.changing import Changing, digest_of
from cargo_runbook.errors import ConnectionFailed, StaleState, UsageError
from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import OPERATOR
from cargo_runbook.remedies import applying, journal
from cargo_runbook.remedies.actions import Action, FileEdit, MadeBy
from cargo_runbook.remedies.journal import Change
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.remedies.storing import keep_files, plan_to_json, restore, store
from cargo_runbook.secret import Redactor


@pytest.fixture
def changing() -> Changing:
    body = {"name": "e", "domain": "registry.example", "hosts": [{"name": "h", "address": "192.0.2.1"}]}
    return Changing(Environment.model_validate(body))


def edit(changing: Changing, path: Path, after: bytes | None) -> FileEdit:
    return FileEdit(before=changing.read(OPERATOR, str(path)), after=after)


def begun(tmp_path: Path, *actions: Action) -> tuple[Plan, Change]:
    plan = Plan(environment="e", stage="test", code="CRG101", remedy="r", actions=actions, made="now")
    change = journal.begin(tmp_path / "reports", "e", "CRG101", {**store(plan, Redactor()), "wish": {}})
    keep_files(change, plan)
    return plan, change


def silent(_action: Action, _phase: str) -> None:
    pass


def test_a_file_is_replaced_and_taken_back_with_its_mode(tmp_path: Path, changing: Changing) -> None:
    path = tmp_path / "a file"
    path.write_bytes(b"one\n")
    path.chmod(0o640)
    plan, change = begun(tmp_path, edit(changing, path, b"two\n"))
    applying.do(plan, change, changing, silent)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"two\n", 0o640)
    applying.undo(plan, change, changing, silent)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"one\n", 0o640)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".cargo")] == []


def test_a_file_that_was_not_there_is_made_and_taken_away(tmp_path: Path, changing: Changing) -> None:
    path = tmp_path / "new"
    plan, change = begun(tmp_path, edit(changing, path, b"x"))
    applying.do(plan, change, changing, silent)
    assert path.read_bytes() == b"x"
    applying.undo(plan, change, changing, silent)
    assert not path.exists()


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path, changing: Changing) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"one")
    link.symlink_to(real)
    plan, change = begun(tmp_path, edit(changing, link, b"two"))
    applying.do(plan, change, changing, silent)
    assert (link.is_symlink(), real.read_bytes()) == (True, b"two")


def test_a_file_that_somebody_changed_meanwhile_is_left_alone(tmp_path: Path, changing: Changing) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"one")
    plan, change = begun(tmp_path, edit(changing, path, b"two"))
    path.write_bytes(b"somebody's")
    with pytest.raises(StaleState, match="neither as it was nor as it was meant to be"):
        applying.do(plan, change, changing, silent)
    assert path.read_bytes() == b"somebody's"
    assert [event["event"] for event in change.events()] == ["begin"]


def test_the_write_itself_refuses_a_file_that_is_not_as_it_was_read(tmp_path: Path, changing: Changing) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"one")
    state = changing.read(OPERATOR, str(path))
    path.write_bytes(b"other")
    with pytest.raises(StaleState, match="has changed since the plan was made"):
        changing.write(state, b"two")
    assert path.read_bytes() == b"other"


@pytest.mark.parametrize("written", [0, 1, 2])
@pytest.mark.parametrize("announced", [True, False])
def test_a_change_cut_off_anywhere_is_finished_or_taken_back_from_its_folder(
    tmp_path: Path, changing: Changing, written: int, announced: bool
) -> None:
    """`written` files are written; the next one may be announced, and nothing of it done."""
    for way in ("finish", "take back"):
        folder = tmp_path / way
        folder.mkdir()
        paths = [folder / "a", folder / "b"]
        for path in paths:
            path.write_bytes(b"before " + path.name.encode())
        _, change = begun(folder, *(edit(changing, path, b"after " + path.name.encode()) for path in paths))
        for number in range(1, written + 1):
            change.note("begin", action=number)
            paths[number - 1].write_bytes(b"after " + paths[number - 1].name.encode())
            if number < written or not announced:
                change.note("done", action=number)
        if announced and written < 2:
            change.note("begin", action=written + 1)
        found, body = journal.find(folder / "reports", change.id)
        again = restore(found, body)
        if way == "finish":
            applying.do(again, found, changing, silent)
            assert [p.read_bytes() for p in paths] == [b"after a", b"after b"]
        else:
            applying.undo(again, found, changing, silent)
            assert [p.read_bytes() for p in paths] == [b"before a", b"before b"]
            applying.undo(again, found, changing, silent)
            assert [p.read_bytes() for p in paths] == [b"before a", b"before b"]


@pytest.mark.parametrize("name", ["before-1", "after-1"])
@pytest.mark.parametrize("damage", [b"other", None])
def test_a_damaged_copy_is_found_by_its_digest_and_nothing_is_written_from_it(
    tmp_path: Path, changing: Changing, name: str, damage: bytes | None
) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"one")
    plan, change = begun(tmp_path, edit(changing, path, b"two"))
    applying.do(plan, change, changing, silent)
    found, body = journal.find(tmp_path / "reports", change.id)
    assert body["stored"][0]["sha256"] == [digest_of(b"one"), digest_of(b"two")]
    if damage is None:
        (change.path / name).unlink()
    else:
        (change.path / name).write_bytes(damage)
    with pytest.raises(StaleState, match=f"{name} is not the copy that was kept"):
        restore(found, body)
    assert path.read_bytes() == b"two"


def test_an_edit_that_a_script_made_is_still_that_when_it_is_taken_up_again(tmp_path: Path, changing: Changing) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"one")
    made_by = MadeBy("/c/change-domain.sh a.example", "0" * 64)
    plain = edit(changing, path, b"two")
    plan, change = begun(tmp_path, replace(plain, made_by=made_by))
    assert plan.digest != replace(plan, actions=(plain,)).digest, "bound to the script and its arguments"
    other = replace(plain, made_by=replace(made_by, digest="1" * 64))
    assert plan.digest != replace(plan, actions=(other,)).digest, "bound to what the script is"
    again = restore(*journal.find(tmp_path / "reports", change.id))
    assert again.actions == plan.actions
    shown = plan_to_json(again, Redactor())["actions"][0]
    assert shown["made_by"] == {"command": "/c/change-domain.sh a.example", "script": "0" * 64}


def test_a_journal_whose_last_line_was_cut_off_is_read_up_to_there(tmp_path: Path, changing: Changing) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"one")
    _, change = begun(tmp_path, edit(changing, path, b"two"))
    change.note("begin", action=1)
    change.note("done", action=1)
    log = change.path / journal.JOURNAL
    log.write_bytes(log.read_bytes()[:-9])
    assert [event["event"] for event in change.events()] == ["begin"]


def test_what_a_change_keeps_is_for_its_owner_alone(tmp_path: Path, changing: Changing) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"one")
    _, change = begun(tmp_path, edit(changing, path, b"two"))
    change.note("begin", action=1)
    assert stat.S_IMODE(change.path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in change.path.iterdir()} == {0o600}
    assert {p.name for p in change.path.iterdir()} == {"plan.json", "journal.jsonl", "before-1", "after-1"}


def test_an_unknown_change_is_one_sentence_with_the_known_ones(tmp_path: Path, changing: Changing) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"one")
    _, change = begun(tmp_path, edit(changing, path, b"two"))
    for name in ("nope", "../reports", ""):
        with pytest.raises(UsageError, match=change.id):
            journal.find(tmp_path / "reports", name)


def test_only_commands_of_the_list_are_run(changing: Changing) -> None:
    for argv in (
        ("docker", "rm", "-f", "tengine"),
        ("sh", "-c", "true"),
        ("docker", "restart", "-t", "10", "tengine; reboot"),
        ("docker", "restart", "-t", "10", "--", "x"),
        ("docker-compose", "-f", "/c.yml", "down"),
        ("reboot",),
    ):
        with pytest.raises(UsageError, match="no command that a plan may have"):
            changing.run(OPERATOR, argv)


def test_a_folder_that_is_not_there_is_a_sentence(changing: Changing, tmp_path: Path) -> None:
    with pytest.raises(ConnectionFailed, match="could not be read"):
        changing.read(OPERATOR, str(tmp_path / "no" / "such" / "file"))


def test_the_digest_of_a_plan_is_bound_to_what_it_was_made_from(tmp_path: Path, changing: Changing) -> None:
    path = tmp_path / "f"

    def plan(content: bytes, after: bytes) -> Plan:
        path.write_bytes(content)
        actions = (edit(changing, path, after),)
        return Plan(environment="e", stage="test", code="CRG101", remedy="r", actions=actions)

    same, other_state, other_end = plan(b"1", b"2"), plan(b"0", b"2"), plan(b"1", b"3")
    assert same.digest == plan(b"1", b"2").digest
    assert len({same.digest, other_state.digest, other_end.digest}) == 3
    assert same.actions[0].bound()["before"] == digest_of(b"1")


def test_a_secret_in_a_plan_is_masked_on_both_sides(tmp_path: Path, changing: Changing) -> None:
    path = tmp_path / "config.yml"
    path.write_bytes(b"http:\n  secret: 9623244cb81ca36fc97181816eb7878c\nrealm: a\n")
    action = edit(changing, path, b"http:\n  secret: 0123244cb81ca36fc97181816eb78999\nrealm: b\n")
    shown = plan_to_json(Plan(environment="e", stage="test", code="CRG201", remedy="r", actions=(action,)), Redactor())
    diff = shown["actions"][0]["diff"]
    assert "9623244c" not in diff
    assert "0123244c" not in diff
    assert "+realm: b" in diff

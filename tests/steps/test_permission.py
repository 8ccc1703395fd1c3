"""The steps of the notebook about rights, over the recorded faults."""

from __future__ import annotations

import pytest

from cargo_runbook.findings import Verdict
from cargo_runbook.investigation import Investigation, open_investigation
from cargo_runbook.rules.access import CODES
from cargo_runbook.steps import SECTIONS
from cargo_runbook.tables import Table

STEPS = {step.name: step for step in SECTIONS["60_permission"]}


def looked(investigation: Investigation, name: str) -> tuple[set[str], Table]:
    """The faults and the table of one step."""
    findings, (table,) = investigation.look(STEPS[name])
    return {f.code for f in findings if f.status is Verdict.FAULT}, table


def row(table: Table, *beginning: str) -> list[str]:
    """The rest of the row that begins so."""
    rows = [[cell.said.en for cell in each] for each in table.rows]
    (found,) = [each for each in rows if tuple(each[: len(beginning)]) == beginning]
    return found[len(beginning) :]


def test_every_code_of_rights_is_shown_by_one_step() -> None:
    shown = [code for step in STEPS.values() for code in step.codes if code in CODES]
    assert sorted(shown) == sorted(CODES)


@pytest.mark.parametrize(
    ("recording", "step", "code", "beginning", "rest"),
    [
        ("not-logged-in", "logins", "CRG505", ("docker-config",), ["-", "platform", "docker login on this computer",
         "docker is not logged in"]),
        ("wrong-password", "logins", "CRG506", ("docker-config",), ["bob", "platform", "docker login on this computer",
         "refused (401)"]),
        ("project-missing-in-harbor", "projects", "CRG508", ("devops_test-cargo",), ["no", "yes", "devops", "private"]),
        ("project-missing-in-cargo-admin", "projects", "CRG509", ("devops_test-cargo",), ["yes", "no", "-", "?"]),
        ("no-role", "roles", "CRG510", ("bob", "devops_test-cargo"), ["no", "-", "private: by role in the tenant",
         "pull"]),
        ("guest-pushes", "roles", "CRG511", ("alice", "devops_test-cargo"), ["yes", "guest (访客)",
         "private: by role in the tenant", "push"]),
        ("user-pushes-public-project", "roles", "CRG512", ("alice", "devops_test-cargo"), ["yes", "-",
         "public: everybody pulls, only admin pushes", "push"]),
    ],
)  # fmt: skip
def test_the_step_that_is_about_a_cause_shows_it(
    recording: str, step: str, code: str, beginning: tuple[str, ...], rest: list[str]
) -> None:
    with open_investigation("cargo", replay=recording) as investigation:
        faults, table = looked(investigation, step)
    assert faults == {code}
    assert row(table, *beginning) == rest


def test_the_tokens_are_shown_decoded_beside_those_of_nobody() -> None:
    with open_investigation("cargo", replay="no-role") as investigation:
        _, table = looked(investigation, "tokens")
    assert row(table, "docker-config") == ["pull devops_test-cargo/node", "bob", "-", "none"]
    assert row(table, "admin", "push base/tools") == ["admin", "*, pull, push", "-"]


def test_admin_needs_no_project_in_cargo_admin_and_no_table_says_otherwise() -> None:
    with open_investigation("cargo", replay="admin-needs-no-cargo-admin-project") as investigation:
        for name in STEPS:
            faults, table = looked(investigation, name)
            assert faults == set()
            assert Verdict.FAULT not in {cell.verdict for each in table.rows for cell in each}
        assert investigation.diagnose().root_causes == ()


def test_where_nothing_is_missing_the_projects_are_not_asked_and_that_is_said() -> None:
    with open_investigation("cargo", replay="admin-needs-no-cargo-admin-project") as investigation:
        _, table = looked(investigation, "projects")
    assert table.rows == ()
    assert table.note is not None
    assert "were not looked at" in table.note.en


def test_a_diagnosis_with_all_rights_there_asks_for_tokens_and_nothing_deeper() -> None:
    with open_investigation("cargo", replay="admin-needs-no-cargo-admin-project") as investigation:
        investigation.diagnose()
        asked = [str(observation.question) for observation in investigation.evidence]
    assert not [question for question in asked if "/api/v2" in question or "project_name" in question]
    assert len([question for question in asked if "scope=" in question]) == 5
    assert [question for question in asked if "systeminfo" in question]

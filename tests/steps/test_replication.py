"""The steps of 40_replication_stuck and 50_replication_failed, over the recorded states of the practice installation."""

from __future__ import annotations

import pytest

from cargo_runbook.findings import Verdict
from cargo_runbook.investigation import open_investigation
from cargo_runbook.steps import SECTIONS
from cargo_runbook.tables import Table

STUCK, FAILED = "40_replication_stuck", "50_replication_failed"


def look(recording: str, runbook: str, step: str) -> tuple[list[str], Table]:
    """The codes at fault that a step shows, and its first table."""
    (wanted,) = (each for each in SECTIONS[runbook] if each.name == step)
    with open_investigation("cargo", replay=recording) as investigation:
        findings, tables = investigation.look(wanted)
    return [f.code for f in findings if f.status is Verdict.FAULT], tables[0]


def rows(table: Table) -> list[list[str]]:
    return [[cell.said.en for cell in row] for row in table.rows]


def test_a_stuck_job_its_log_and_the_name_that_jobservice_does_not_know() -> None:
    codes, table = look("replication-dns", STUCK, "jobs")
    assert codes == ["CRG401"]
    assert [row[3] for row in rows(table)] == ["retrying", "finished", "no job"]
    _, table = look("replication-dns", STUCK, "logs")
    assert [row[2] for row in rows(table)] == ["no HTTP status: retried"]
    codes, table = look("replication-dns", STUCK, "names")
    assert codes == ["CRG403"]
    assert rows(table)[-1][1:3] == ["container harbor-jobservice on cargo", "does not resolve"]


def test_the_guides_steps_are_said_with_the_values_of_this_environment() -> None:
    _, table = look("replication-dns", STUCK, "change")
    values = [row[2] for row in rows(table)]
    assert values[:2] == ["203.0.113.17 devops.caicloudprivatetest.com"] * 2
    assert [row[1] for row in rows(table)][2:] == [
        "Harbor, replication: stop the jobs (停止任务)",
        "Cargo-Admin: trigger the replication again",
    ]


@pytest.mark.parametrize(
    ("recording", "code", "asked", "answer"),
    [
        ("replication-401-no-role", "CRG416", "ping of the saved target", "200, 200, 200"),
        ("replication-401-no-role", "CRG416", "token of the replication's user", "-"),
        ("replication-401-token-not-trusted", "CRG418", "ping of the saved target", "400, 400, 400"),
        (
            "replication-401-no-scheme",
            "CRG423",
            "http://devops.caicloudprivatetest.com/v2/",
            "301 → https://devops.caicloudprivatetest.com/v2/",
        ),
    ],
)
def test_the_same_line_of_a_log_is_told_apart_by_what_the_destination_says(
    recording: str, code: str, asked: str, answer: str
) -> None:
    _, logs = look(recording, FAILED, "logs")
    assert rows(logs)[0][1:3] == ["checking for a layer", "HTTP 401: over"]
    codes, table = look(recording, FAILED, "destination")
    assert codes == [code]
    assert answer in [row[2] for row in rows(table) if row[1] == asked]


def test_each_node_behind_one_address_is_asked_by_itself() -> None:
    _, table = look("replication-ha-one-node", FAILED, "sides")
    assert [row[::2] for row in rows(table)][-2:] == [["ha-1", "200"], ["ha-2", "401"]]


def test_the_jobs_that_hold_the_workers_are_listed_and_can_not_be_stopped() -> None:
    codes, table = look("replication-silent-destination", STUCK, "workers")
    assert codes == ["CRG414", "CRG415"]
    assert {row[2] for row in rows(table)} == {"https://203.0.113.20:8443"}
    assert [row[4] for row in rows(table)] == ["no answer: a stop does not end it"] * 3


def test_a_harbor_that_is_not_able_is_shown_first() -> None:
    codes, table = look("harbor-database-down", FAILED, "able")
    assert codes == []
    assert rows(table) == [["cargo", "systeminfo", "status 500"]]
    assert table.rows[0][2].verdict is Verdict.FAULT

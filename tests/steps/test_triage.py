"""The triage's step about logs."""

from __future__ import annotations

from pathlib import Path

from cargo_runbook.facts.service_logs import ServicesFacts, read_service_log
from cargo_runbook.inventory.loader import load_environment
from cargo_runbook.steps import Gathered
from cargo_runbook.steps.triage import logs_table
from tests.facts.test_service_logs import log
from tests.rules.path_facts import DOMAIN, HEALTHY


def gathered(folder: Path, facts: ServicesFacts | None, contact: str = "") -> Gathered:
    text = f"domain: {DOMAIN}\nhosts: [{{name: cargo-1, address: 192.0.2.14}}]\n{contact}"
    (folder / "cargo.yml").write_text(text, encoding="utf-8")
    return Gathered(load_environment("cargo", folder), HEALTHY, {"services": facts} if facts else {})


CONTACT = "contact: {name: On-call, how: on-call@example.com}\n"


def test_the_table_shows_what_a_line_means_and_what_it_speaks_for(tmp_path: Path):
    token = read_service_log("cargo-token", log("2026-01-01T10:00:00Z project 'p' not exist in harbor"))
    admin = read_service_log("cargo-admin", log("ready"))
    [table] = logs_table(gathered(tmp_path, ServicesFacts((token, admin)), CONTACT))
    assert [[cell.said.en for cell in row] for row in table.rows] == [
        [
            "cargo-token",
            "The project is missing in Harbor",
            "1",
            "10:00:00",
            "project 'p' not exist in harbor",
            "CRG508",
        ],
        ["cargo-admin", "no known line among 1", "-", "-", "-", "-"],
    ]
    assert table.note is not None
    assert table.note.en == "Still unclear? Ask On-call on-call@example.com, with the record's head."


def test_without_a_cluster_the_commands_are_shown(tmp_path: Path):
    [table] = logs_table(gathered(tmp_path, ServicesFacts()))
    assert table.rows[0][1].said.en == "kubectl logs deploy/cargo-token --tail=2000 --timestamps"
    assert table.note is None


def test_evidence_without_logs_gives_no_table(tmp_path: Path):
    assert logs_table(gathered(tmp_path, None)) == ()

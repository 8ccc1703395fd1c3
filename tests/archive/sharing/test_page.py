"""A record as one page: it says what the record says, loads nothing and runs nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cargo_runbook.archive.files import write_json
from cargo_runbook.archive.record import NOTEBOOK
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.archive.sealing.look import write_findings
from cargo_runbook.archive.sharing.page import page
from cargo_runbook.cli.main import run
from cargo_runbook.remedies.journal import Change
from tests.archive.kept import STARTED, keep
from tests.views.diagnoses import evidence, wrong_domain

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)><iframe src='javascript:alert(3)'></iframe>"


def notebook(*outputs: str) -> dict[str, object]:
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "execution_count": number,
            "metadata": {},
            "source": "triage.look('dns')",
            "outputs": [
                {"output_type": "display_data", "metadata": {}, "data": {"text/html": html, "text/plain": "plain"}}
            ],
        }
        for number, html in enumerate(outputs, 1)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def test_the_page_has_the_verdict_its_chain_the_evidence_and_the_head(tmp_path: Path) -> None:
    record = keep(tmp_path)
    shown = page(record, "en")
    for said in (record.head, "CRG201", "Wrong domain in the challenge", "ruled out", record.header.record):
        assert said in shown
    for seen in evidence():
        assert f'id="{seen.id}"' in shown
    assert "使用错误的域名访问" in page(record, "zh")
    assert '<html lang="zh">' in page(record, "zh")


def test_nothing_is_loaded_and_nothing_runs(tmp_path: Path) -> None:
    draft = Draft(tmp_path, "cargo", "00_triage", STARTED)
    write_findings(draft.folder, wrong_domain(), evidence())
    body = notebook(HOSTILE, '<meta http-equiv="refresh" content="0;url=https://e.example">', "<a href='//e'>x</a>")
    for kind, content in (
        ("application/javascript", "alert(4)"),
        ("image/svg+xml", "<svg onload='alert(5)'><script>alert(6)</script></svg>"),
        ("text/markdown", HOSTILE),
        ("text/latex", HOSTILE),
        ("text/plain", HOSTILE),
    ):
        output = {"output_type": "display_data", "metadata": {}, "data": {kind: content}}
        body["cells"][0]["outputs"].append(output)  # type: ignore[index]
    body["cells"].append({"cell_type": "markdown", "id": "m", "metadata": {}, "source": HOSTILE})  # type: ignore[attr-defined]
    body["cells"].append({"cell_type": "raw", "id": "r", "metadata": {}, "source": HOSTILE})  # type: ignore[attr-defined]
    write_json(draft.folder / NOTEBOOK, body)
    shown = page(draft.seal(status="fault", reason=HOSTILE), "en")
    assert "default-src 'none'" in shown
    assert not re.search(r"<(script|iframe|link|object|embed)\b", shown)
    assert not re.search(r"<[^>]+\son\w+\s*=", shown)
    assert len(re.findall(r"<meta http-equiv", shown)) == 1
    assert not re.search(r"""<[^>]+(?:src|href)\s*=\s*["'](?!#|data:)""", shown)
    assert "triage" in shown


def test_export_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = keep(tmp_path)
    target = tmp_path / "record.html"
    assert run(["records", "export", record.header.record, "--to", str(target), "--reports", str(tmp_path)]) == 0
    assert record.head in target.read_text(encoding="utf-8")
    keep(tmp_path)
    assert run(["records", "export", "--env", "cargo", "--to", str(target), "--reports", str(tmp_path)]) == 2
    assert "a page shows one record, and these are 2" in capsys.readouterr().err


def test_a_run_without_a_verdict_has_a_page_too(tmp_path: Path) -> None:
    draft = Draft(tmp_path, "cargo", "00_triage", STARTED)
    write_json(draft.folder / "verdict.json", {"status": "failed"})
    (draft.folder / NOTEBOOK).write_text(json.dumps(notebook("<b>so far</b>")), encoding="utf-8")
    shown = page(draft.seal(status="failed", reason="the kernel died in cell 3"), "en")
    assert "the kernel died in cell 3" in shown
    assert "so far" in shown


def test_what_was_changed_stands_on_the_page_with_its_plan_and_its_proof(tmp_path: Path) -> None:
    record = keep(tmp_path)
    change = Change(record.path / "changes" / "C-1")
    change.path.mkdir(parents=True)
    action = {"effect": "edit", "host": "cargo", "target": "/etc/hosts", "diff": "+192.0.2.1 <name>"}
    plan = {"code": "CRG101", "plan": "hosts", "digest": "d", "actions": [action]}
    change.keep("plan.json", json.dumps(plan).encode())
    change.note("confirmed", operator="somebody", reason="INC-7")
    change.note("ended", proof="proven")
    shown = page(record, "en")
    assert '<b class="ok">proven</b>' in shown
    assert "+192.0.2.1 &lt;name&gt;" in shown
    assert "INC-7" in shown

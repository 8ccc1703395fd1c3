"""No secret that stands where Cargo, Harbor, docker, ssh, kubectl and people keep them gets out, by whichever way."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.guide import NOTEBOOKS
from tests.execution.notebooks import write_notebook
from tests.practice import ROOT
from tests.sandbox.planted import CONFIG, FILES, MARKER, PASTED, outputs, plant, unplant
from tests.sandbox.scanning import (
    BY_PAPERMILL,
    CLASSIFIED,
    EXPLAINED,
    HOME,
    INCIDENT,
    NOTED,
    OWN,
    REPORTS,
    RUN,
    arguments,
    commands,
    later_commands,
    pages,
    run_of,
    served,
    written,
)

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

ACCOUNTS = ("alice", "cargo-admin", "devops-admin")
MARKED = ("record.html", "record.zip!", "draft.en.md", "draft.zh.html", ".index.sqlite", "90_postmortem.ipynb")
WRITTEN = ("summary.html", "summary.csv", "summary.parquet", "95_batch_summary.ipynb", "/postmortems/", "/batches/")
# It is killed while a cell goes on, and leaves a draft.
CUT_OFF = f"""
rm -f {HOME}/begun
cargo-runbook run {HOME}/endless.ipynb {" ".join(RUN)} -p password=file:{HOME}/.kept 2>/dev/null & runner=$!
for _ in $(seq 600); do [ -e {HOME}/begun ] && break; sleep 0.1; done
kill -9 $runner
"""


def test_no_planted_secret_is_written_printed_served_or_called_and_the_marker_is_there(
    sandbox: Any, tmp_path: Path
) -> None:
    sandbox.break_("wrong-domain")
    planted = plant(sandbox, "cargo")
    for account in ACCOUNTS:
        planted.secrets[f"password of {account}"] = sandbox.password(account)
    given = planted.new("parameter of a notebook")
    pasted = f"{planted.lines(PASTED)}{MARKER}\n"
    noted = f"{MARKER}: it was password={planted.new('password in a note')}"
    logged = planted.new("password in a log"), planted.new("login in a log")
    assert len(planted.secrets) >= 40
    domain = "cargo.caicloudprivatetest.com"
    address = f"https://{domain}/v2/?account=admin&password={logged[0]}&n=1"
    sandbox.run("curl", "-sk", "-u", f"admin:{logged[1]}", address)
    sandbox.run("bash", "-c", f"mkdir -p {HOME}; umask 077; cat > {HOME}/.kept", input=given)
    for name, cells in {
        "own": (f"print('{MARKER}', password)", "raise ValueError(password)"),
        "endless": (f"print('{MARKER}', password)", f"open('{HOME}/begun', 'w').close(); import time; time.sleep(600)"),
    }.items():
        source = write_notebook(tmp_path / f"{name}.ipynb", *cells, more='password = ""')
        sandbox.run("bash", "-c", f"cat > {HOME}/{name}.ipynb", input=source.read_text(encoding="utf-8"))
    began = time.time()
    time.sleep(1.1)
    printed: dict[str, str] = {}

    def do(*words: str, stdin: str | None = None) -> str:
        done = sandbox.run(*words, input=stdin)
        printed[" ".join(words[1:])] = done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return str(done.stdout)

    def type_(words: list[str], stdin: str | None = None) -> str:
        return do("cargo-runbook", *words, stdin=stdin)

    def record_of(runbook: str) -> str:
        told = json.loads(type_(run_of(runbook)))
        assert (told["status"], told["root_causes"]) == ("fault", ["CRG201"])
        return str(told["record"])

    try:
        with arguments() as called:
            # Three at a time: most of it is waiting.
            with ThreadPoolExecutor(3) as pool:
                cut = pool.submit(sandbox.run, "bash", "-c", CUT_OFF)
                triage, other, *_ = pool.map(record_of, ["00_triage", *dict.fromkeys(NOTEBOOKS.values())])
                list(pool.map(type_, [OWN, *commands(triage, other)]))
                cut.result()
            for words in EXPLAINED:
                type_(words, pasted)
            type_(CLASSIFIED, json.dumps({"id": "1", "text": pasted}) + "\n")
            do(sys.executable, "-c", NOTED, INCIDENT, REPORTS, stdin=noted)
            for words in later_commands(triage):
                type_(words)
            for name, values in BY_PAPERMILL.items():
                given_to = [word for pair in values.items() for word in ("-p", *pair)]
                source_of = str(ROOT / "runbooks" / f"{name}.ipynb")
                do(sys.executable, "-m", "papermill", source_of, f"{HOME}/{name}.ipynb", *given_to)
            shown = served(sandbox, pages(triage, other))
    finally:
        unplant(sandbox, "cargo")
    files = written(sandbox, began)
    texts = files | shown | {words: text.encode() for words, text in printed.items()}
    texts |= {f"arguments {word!r}": word for word in called.seen}
    leaks = {where: sorted(planted.found_in(body)) for where, body in texts.items()}
    assert {where: found for where, found in leaks.items() if found} == {}
    _assert_the_marker_is_there(files, shown, printed, triage)
    # The draft that was left is a record now.
    assert [path for path in files if "-endless-" in path and path.endswith("manifest.json")]
    assert len([word for word in called.seen if b"guarded_kernel" in word]) > len(set(NOTEBOOKS.values()))


def _assert_the_marker_is_there(
    files: dict[str, bytes], shown: dict[str, bytes], printed: dict[str, str], triage: str
) -> None:
    """An empty report would pass as well: what stood beside the secrets is in everything that should show it."""
    marker = MARKER.encode()
    (evidence,) = [
        body.decode() for path, body in files.items() if path.endswith(f"reports/{_place(triage)}/evidence.jsonl")
    ]
    assert outputs(evidence).count(MARKER) >= 8
    for name in ("own", "endless"):
        (page,) = [
            body.decode() for path, body in files.items() if f"-{name}-" in path and path.endswith("notebook.ipynb")
        ]
        assert MARKER in page
        assert "‹secret " in page
    for file in MARKED:
        assert any(marker in body for path, body in files.items() if file in path), file
    assert [name for name in WRITTEN if not any(name in path for path in files)] == []
    for language in ("en", "zh"):
        assert marker in shown[f"served {language} /records/{triage}"]
        assert marker in shown[f"served {language} /incidents/{INCIDENT}"]
        assert triage.encode() in shown[f"served {language} /?q={MARKER}"]
        assert all(body.startswith(b"200") for where, body in shown.items() if "nowhere" not in where)
    assert triage in printed[f"records search {MARKER} --reports {REPORTS}"]
    assert "realm: https://" in printed[f"fix CRG201 --env cargo --reports {REPORTS}"]


def _place(record: str) -> str:
    return "/".join((record[:4], record[4:6], record[6:8], record))


def test_a_fix_that_is_done_writes_no_planted_secret_but_into_its_private_backups(sandbox: Any) -> None:
    sandbox.break_("wrong-domain")
    # Not into the registry's configuration: it is started again with it.
    places = {path: texts for path, texts in FILES.items() if path != CONFIG}
    planted = plant(sandbox, "cargo", places)
    planted.secrets |= {f"password of {account}": sandbox.password(account) for account in ACCOUNTS}
    began = time.time()
    time.sleep(1.1)
    try:
        shown = sandbox.run("cargo-runbook", "fix", "CRG201", "--env", "cargo", "--json", "--reports", REPORTS)
        digest = json.loads(shown.stdout)["digest"]
        command = ["fix", "CRG201", "--env", "cargo", "--confirm", digest, "--reports", REPORTS]
        done = sandbox.run("cargo-runbook", *command)
    finally:
        unplant(sandbox, "cargo", places)
    assert done.returncode == 0, done.stderr
    files = written(sandbox, began)
    backups = {path for path in files if Path(path).name.startswith(("before-", "after-"))}
    assert backups
    modes = sandbox.run("stat", "-c", "%a", *sorted(backups)).stdout.split()
    assert set(modes) == {"600"}
    leaks = {path: sorted(planted.found_in(body)) for path, body in files.items() if path not in backups}
    leaks["printed"] = sorted(planted.found_in((done.stdout + done.stderr + shown.stdout + shown.stderr).encode()))
    assert {where: found for where, found in leaks.items() if found} == {}
    assert any(path.endswith("journal.jsonl") for path in files)

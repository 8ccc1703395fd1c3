"""Secrets in every place where an installation keeps them: none is in anything that is written, printed or called."""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.guide import NOTEBOOKS
from tests.execution.notebooks import write_notebook
from tests.sandbox.planted import CONFIG, FILES, MARKER, PASTED, Planted, outputs, plant, unplant

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

HOME = "/home/engineer/planted"
REPORTS = f"{HOME}/reports"
ACCOUNTS = ("alice", "cargo-admin", "devops-admin")
# On operator: every file below the home folder that was written since, base64 of its bytes.
COLLECT = """
import base64, json, pathlib, sys
since = float(sys.argv[2])
found = {str(p): base64.b64encode(p.read_bytes()).decode()
         for p in pathlib.Path(sys.argv[1]).rglob("*")
         if p.is_file() and not p.is_symlink() and p.stat().st_mtime >= since}
print(json.dumps(found))
"""


class ArgumentsOfAll(threading.Thread):
    """Reads the arguments of all processes of this machine, again and again."""

    def __init__(self, planted: Planted) -> None:
        super().__init__(daemon=True)
        self.planted = planted
        self.seen: set[bytes] = set()
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    # It ended meanwhile.
                    continue
            time.sleep(0.02)


@contextmanager
def arguments(planted: Planted) -> Iterator[ArgumentsOfAll]:
    reader = ArgumentsOfAll(planted)
    reader.start()
    yield reader
    reader.over.set()
    reader.join()


def _commands(record: str) -> list[list[str]]:
    """Every command that shows something, but for those that open a page."""
    reports = ["--reports", REPORTS]
    return [
        ["env", "list"],
        ["env", "show", "cargo"],
        ["env", "check"],
        ["diagnose", "--env", "cargo"],
        ["diagnose", "--env", "cargo", "--json"],
        ["fix", "CRG201", "--env", "cargo", *reports],
        ["fix", "CRG201", "--env", "cargo", "--json", *reports],
        ["batch", "00_triage", "--env", "cargo", "--env", "devops", *reports],
        ["records", "list", *reports],
        ["records", "show", record, *reports],
        ["records", "show", record, "--json", *reports],
        ["records", "search", MARKER, *reports],
        ["records", "verify", *reports],
        ["records", "export", record, *reports, "--to", f"{HOME}/record.html"],
        ["records", "export", record, *reports, "--to", f"{HOME}/record.zip"],
        ["diagnose", "--from", record, *reports],
    ]


def _written(sandbox: Any, began: float) -> dict[str, bytes]:
    """What was written on operator since then."""
    collect = sandbox.run(sys.executable, "-c", COLLECT, "/home/engineer", str(began))
    return {path: base64.b64decode(body) for path, body in json.loads(collect.stdout).items()}


def test_no_planted_secret_is_written_printed_or_called_and_the_marker_is_there(sandbox: Any, tmp_path: Path) -> None:
    sandbox.break_("wrong-domain")
    planted = plant(sandbox, "cargo")
    for account in ACCOUNTS:
        planted.secrets[f"password of {account}"] = sandbox.password(account)
    given = planted.new("parameter of a notebook")
    pasted = f"{planted.lines(PASTED)}{MARKER}\n"
    logged = planted.new("password in a log"), planted.new("login in a log")
    assert len(planted.secrets) >= 40
    domain = "cargo.caicloudprivatetest.com"
    address = f"https://{domain}/v2/?account=admin&password={logged[0]}&n=1"
    sandbox.run("curl", "-sk", "-u", f"admin:{logged[1]}", address)
    sandbox.run("bash", "-c", f"mkdir -p {HOME}; umask 077; cat > {HOME}/.kept", input=given)
    source = write_notebook(tmp_path / "own.ipynb", f"print('{MARKER}', password)", "raise ValueError(password)",
                            more='password = ""')  # fmt: skip
    sandbox.run("bash", "-c", f"cat > {HOME}/own.ipynb", input=source.read_text(encoding="utf-8"))
    began = time.time()
    time.sleep(1.1)
    printed: dict[str, str] = {}
    try:
        with arguments(planted) as called:

            def do(*words: str, stdin: str | None = None) -> str:
                done = sandbox.run("cargo-runbook", *words, input=stdin)
                printed[" ".join(words)] = done.stdout + done.stderr
                assert "Traceback" not in done.stderr, done.stderr
                return str(done.stdout)

            def record_of(runbook: str) -> str:
                told = json.loads(do("run", runbook, "--env", "cargo", "--reports", REPORTS, "--json"))
                assert (told["status"], told["root_causes"]) == ("fault", ["CRG201"])
                return str(told["record"])

            def rest(words: Sequence[str]) -> str:
                return do(*words)

            # Three at a time: most of it is waiting.
            with ThreadPoolExecutor(3) as pool:
                triage, *_ = pool.map(record_of, ["00_triage", *dict.fromkeys(NOTEBOOKS.values())])
                own = ["run", f"{HOME}/own.ipynb", "--env", "cargo", "--reports", REPORTS]
                list(pool.map(rest, [[*own, "-p", f"password=file:{HOME}/.kept"], *_commands(triage)]))
            do("explain", "-", stdin=pasted)
            do("explain", "-", "--json", stdin=pasted)
    finally:
        unplant(sandbox, "cargo")
    files = _written(sandbox, began)
    texts = files | {words: text.encode() for words, text in printed.items()}
    texts |= {f"arguments {word!r}": word for word in called.seen}
    leaks = {where: sorted(planted.found_in(body)) for where, body in texts.items()}
    assert {where: found for where, found in leaks.items() if found} == {}
    # An empty report would pass as well: what stood beside the secrets is there.
    (evidence,) = [body.decode() for path, body in files.items() if path.endswith(f"{triage}/evidence.jsonl")]
    assert outputs(evidence).count(MARKER) >= 8
    (page,) = [body.decode() for path, body in files.items() if "-own-" in path and path.endswith("notebook.ipynb")]
    assert MARKER in page
    assert "‹secret " in page
    assert "realm: https://" in printed[f"fix CRG201 --env cargo --reports {REPORTS}"]
    assert len([word for word in called.seen if b"guarded_kernel" in word]) > len(set(NOTEBOOKS.values()))


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
    files = _written(sandbox, began)
    backups = {path for path in files if Path(path).name.startswith(("before-", "after-"))}
    assert backups
    modes = sandbox.run("stat", "-c", "%a", *sorted(backups)).stdout.split()
    assert set(modes) == {"600"}
    leaks = {path: sorted(planted.found_in(body)) for path, body in files.items() if path not in backups}
    leaks["printed"] = sorted(planted.found_in((done.stdout + done.stderr + shown.stdout + shown.stderr).encode()))
    assert {where: found for where, found in leaks.items() if found} == {}
    assert any(path.endswith("journal.jsonl") for path in files)

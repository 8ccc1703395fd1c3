"""Everything that cargo-runbook writes, prints, serves and calls, to be looked through for secrets."""

from __future__ import annotations

import base64
import io
import json
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from cargo_runbook.guide import NOTEBOOKS
from tests.sandbox.planted import MARKER

HOME = "/home/engineer/planted"
REPORTS = f"{HOME}/reports"
INCIDENT = "INC-4711"
# On operator: every file below the home folder that was written since, base64 of its bytes.
COLLECT = """
import base64, json, pathlib, sys
since = float(sys.argv[2])
found = {str(p): base64.b64encode(p.read_bytes()).decode()
         for p in pathlib.Path(sys.argv[1]).rglob("*")
         if p.is_file() and not p.is_symlink() and p.stat().st_mtime >= since}
print(json.dumps(found))
"""
# On operator: the pages of `records serve`, as a browser with the token gets them.
SERVED = """
import json, subprocess, sys, urllib.parse
from http.client import HTTPConnection
command = [sys.executable, "-m", "cargo_runbook", "records", "serve", "--no-browser", "--reports", sys.argv[1]]
server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
url = urllib.parse.urlsplit(server.stdout.readline().strip())
token, found = url.query.removeprefix("token="), {}
try:
    for path in json.loads(sys.argv[2]):
        for language in ("en", "zh"):
            connection = HTTPConnection(url.hostname, url.port, timeout=100)
            cookie = f"cargo-runbook-{url.port}={token}; lang={language}"
            connection.request("GET", path, headers={"Cookie": cookie})
            answer = connection.getresponse()
            told = f"{answer.status}\\n{answer.headers}\\n".replace(token, "TOKEN")
            found[f"served {language} {path}"] = told + answer.read().decode()
            connection.close()
finally:
    server.terminate()
    server.wait(20)
print(json.dumps(found))
"""
# On operator: a note that a person pastes into the postmortem's notebook.
NOTED = (
    "import sys; from cargo_runbook import open_incident; print(open_incident(*sys.argv[1:]).note(sys.stdin.read()))"
)

RUN = ["--env", "cargo", "--reports", REPORTS, "--incident", INCIDENT]
BY_PAPERMILL = {
    "90_postmortem": {"incident": INCIDENT, "reports": REPORTS},
    "95_batch_summary": {"reports": REPORTS},
}
"""Notebooks about the archive instead of an environment, with their parameters."""
OWN = ["run", f"{HOME}/own.ipynb", *RUN, "-p", f"password=file:{HOME}/.kept"]
"""A notebook of somebody's own, which is given a secret and shows it."""
EXPLAINED = [
    ["explain", "-"],
    ["explain", "-", "--json"],
    ["explain", "-", "--env", "cargo"],
    ["explain", "-", "--lang", "zh"],
]
"""These get the pasted secrets on their standard input."""
CLASSIFIED = ["explain", "--jsonl", "-"]


def run_of(runbook: str) -> list[str]:
    """A runbook on the environment that holds the secrets."""
    return ["run", runbook, *RUN, "--json"]


def typed() -> list[list[str]]:
    """Every command line of the scan."""
    return [OWN, run_of("00_triage"), *EXPLAINED, CLASSIFIED, *commands("A", "B"), *later_commands("A")]


NOT_SCANNED = {
    "notebook": "JupyterLab itself; what its kernels show is scanned by way of the runs",
    "demo": "it only calls the others",
    "records serve": "its pages are fetched",
    "completion": "it prints a script that is the same for everybody",
}
"""Commands that no list below types, each with the reason. Those of the practice installation handle its own secrets."""


def commands(record: str, other: str) -> list[list[str]]:
    """Every command that only reads, as it is typed, on a record of a broken run and on another one."""
    reports = ["--reports", REPORTS]
    return [
        ["env", "list"],
        ["env", "show", "cargo"],
        ["env", "show", "cargo", "--json"],
        ["env", "list", "--json"],
        ["env", "check"],
        ["env", "check", "--json"],
        ["env", "schema"],
        *([name, *option] for name in ("codes", "remedies") for option in ([], ["--json"], ["--markdown"])),
        ["doctor", "--env", "cargo", *reports],
        ["doctor", "--env", "cargo", "--json", *reports],
        *(
            ["shell-commands", runbook, "--env", "cargo"]
            for runbook in ("00_triage", *dict.fromkeys(NOTEBOOKS.values()))
        ),
        ["shell-commands", "00_triage", "--env", "cargo", "--json"],
        ["diagnose", "--env", "cargo"],
        ["diagnose", "--env", "cargo", "--json"],
        ["diagnose", "--from", record, *reports],
        ["fix", "CRG201", "--env", "cargo", *reports],
        ["fix", "CRG201", "--env", "cargo", "--json", *reports],
        ["batch", "00_triage", "--env", "cargo", "--env", "devops", *reports],
        ["batch", "60_permission", "--env", "cargo", "--json", *reports],
        ["records", "list", *reports],
        ["records", "list", "--json", *reports],
        ["records", "show", record, *reports],
        ["records", "show", record, "--json", *reports],
        ["records", "search", MARKER, *reports],
        ["records", "search", MARKER, "--json", *reports],
        ["records", "compare", record, other, "--all", *reports],
        ["records", "compare", record, other, "--json", *reports],
        ["records", "rejudge", "--all", *reports],
        ["records", "rejudge", "--all", "--json", *reports],
        ["records", "prune", "--keep", "1", *reports],
        ["records", "prune", "--keep", "1", "--json", *reports],
        ["records", "export", record, *reports, "--to", f"{HOME}/record.html"],
        ["records", "export", record, other, *reports, "--to", f"{HOME}/record.zip", "--json"],
    ]


def later_commands(record: str) -> list[list[str]]:
    """Commands that write into the archive or need what those before have written, in this order."""
    reports = ["--reports", REPORTS]
    drafts = [
        ["records", "postmortem", INCIDENT, "--lang", language, *to, *reports]
        for language in ("en", "zh")
        for to in ([], ["--to", f"{HOME}/draft.{language}.md"], ["--to", f"{HOME}/draft.{language}.html"])
    ]
    return [
        ["env", "init", "another", "--inventory", f"{HOME}/environments"],
        ["summary", *reports],
        ["summary", "--json", *reports],
        *(["summary", "--to", f"{HOME}/summary.{kind}", *reports] for kind in ("html", "csv", "parquet")),
        ["records", "seal", "--all", *reports, "--json"],
        ["records", "note", INCIDENT, MARKER, *reports, "--json"],
        *drafts,
        ["records", "import", f"{HOME}/record.zip", "--reports", f"{HOME}/elsewhere", "--json"],
        ["records", "reindex", *reports, "--json"],
        ["records", "verify", *reports],
        ["records", "verify", *reports, "--json"],
        ["records", "list", *reports],
        ["records", "show", record, *reports],
    ]


def pages(record: str, other: str) -> list[str]:
    """Every page of `records serve`."""
    return [
        "/",
        f"/?q={MARKER}",
        "/?status=failed&env=c*",
        f"/records/{record}",
        f"/records/{other}",
        f"/compare?a={record}&b={other}",
        f"/incidents/{INCIDENT}",
        "/verify",
        "/nowhere",
    ]


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command that there is with its words, groups left out."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(path), command
        return
    for name, each in inner.items():
        yield from leaves(each, (*path, name))


def written(sandbox: Any, began: float) -> dict[str, bytes]:
    """What was written on operator since then; what stands in a zip file by itself too."""
    collect = sandbox.run(sys.executable, "-c", COLLECT, "/home/engineer", str(began))
    files = {path: base64.b64decode(body) for path, body in json.loads(collect.stdout).items()}
    for path in [path for path in files if path.endswith(".zip")]:
        with zipfile.ZipFile(io.BytesIO(files[path])) as bundle:
            files |= {f"{path}!{name}": bundle.read(name) for name in bundle.namelist()}
    return files


def served(sandbox: Any, paths: Sequence[str]) -> dict[str, bytes]:
    """Each page in both languages, headers included."""
    done = sandbox.run(sys.executable, "-c", SERVED, REPORTS, json.dumps(paths))
    assert done.returncode == 0, done.stderr
    return {where: text.encode() for where, text in json.loads(done.stdout).items()}


class ArgumentsOfAll(threading.Thread):
    """Reads the arguments of all processes of this machine, again and again."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
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
def arguments() -> Iterator[ArgumentsOfAll]:
    """The arguments of all that is called while the context lasts."""
    reader = ArgumentsOfAll()
    reader.start()
    yield reader
    reader.over.set()
    reader.join()

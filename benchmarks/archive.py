"""An archive with very many records: how fast it is searched, made anew, verified, and added to.

    python benchmarks/archive.py [--records 100000] [--adds 60] [--folder DIR] [--json]

The records are synthetic: written by this file in the form in which the archive writes them, each of the size that a
short run leaves (a verdict of one of the catalog's findings, four observations), but without an fsync each. Everything
that is measured goes through the functions that `cargo-runbook records` calls. With --folder, the archive is kept there
and used again the next time.

Prints medians; with --json, the last line is {"records", "milliseconds": {...}, "records_per_second": {...}, "ok"}.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cargo_runbook.archive.files import utc, write_json
from cargo_runbook.archive.index import Filter, Index
from cargo_runbook.archive.keeping.verify import verify
from cargo_runbook.archive.places import CHAIN, MANIFEST, folder_of
from cargo_runbook.archive.record import EVIDENCE, HEADER, NOTEBOOK, VERDICT
from cargo_runbook.archive.sealing.chain import FORMAT, Entry
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.rules.catalog import catalog

ALLOWED_MILLISECONDS = 50.0
WANTED_PER_SECOND = {"rebuild": 1_000.0, "verify": 200.0}
ALLOWED_RATIO = 1.25
BEGIN = datetime(2016, 1, 1, tzinfo=UTC)
ENVIRONMENTS = [f"prod-{number}" for number in range(40)]
RUNBOOKS = ("00_triage", "20_wrong_domain", "30_token_service", "50_replication_failed", "60_permission")


def synthetic(reports: Path, count: int) -> None:
    """Writes that many records, some minutes apart, into an empty folder."""
    choose = random.Random(7)  # noqa: S311 - the same records each time
    codes = list(catalog().items())
    before: Entry | None = None
    with (reports / CHAIN).open("wb") as chain:
        for number in range(1, count + 1):
            began = BEGIN + timedelta(minutes=40 * number)
            environment, runbook = choose.choice(ENVIRONMENTS), choose.choice(RUNBOOKS)
            record = f"{began:%Y%m%dT%H%M%SZ}-{environment}-{runbook}-{choose.getrandbits(24):06x}"
            code, entry = choose.choice(codes)
            status = choose.choice(("healthy", "fault", "fault", "unknown"))
            host = f"cargo-{choose.randrange(2000)}.example.com"
            finding = {
                "code": code,
                "status": "fault" if status == "fault" else "ok",
                "title": entry.title.en,
                "title_zh": entry.title.zh,
                "summary": f"{entry.title.en}: seen at {host}",
                "summary_zh": f"{entry.title.zh}：{host}",
                "section": entry.section,
                "vantage": "operator",
                "chain": [{"observation": "E1", "consequence": f"clients are sent to {host}", "consequence_zh": ""}],
            }
            header = {
                "record": record,
                "environment": environment,
                "domain": host,
                "runbook": runbook,
                "runbook_sha256": "",
                "version": "0.1.0",
                "operator": choose.choice(("wang", "li", "zhang")),
                "started": utc(began),
                "ended": utc(began + timedelta(seconds=4)),
                "status": status,
                "root_causes": [code] if status == "fault" else [],
                "incident": f"INC-{number // 50}" if number % 9 == 0 else "",
                "kind": "run",
            }
            seen = [
                {"id": f"E{n}", "status": "answered", "error": "", "output": f"{host} {choose.getrandbits(900):x}"}
                for n in range(1, 4)
            ]
            seen.append({"id": "E4", "status": "error", "error": f"dial tcp: lookup {host}: no such host"})
            files = {
                NOTEBOOK: json.dumps({"cells": [{"cell_type": "code", "source": f"look({n})"} for n in range(12)]}),
                VERDICT: json.dumps({"environment": environment, "status": status, "findings": [finding]}),
                EVIDENCE: "".join(json.dumps(each) + "\n" for each in seen),
                HEADER: json.dumps(header),
            }
            folder = folder_of(reports, record)
            folder.mkdir(parents=True)
            digests = {}
            for name, text in files.items():
                content = text.encode()
                (folder / name).write_bytes(content)
                digests[name] = {"bytes": len(content), "sha256": sha256(content).hexdigest()}
            previous = {"record": before.record, "head": before.head, "signature": ""} if before else None
            manifest = {"files": digests, "format": FORMAT, "record": record}
            manifest |= {"sequence": number, "previous": previous}
            content = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"
            (folder / MANIFEST).write_bytes(content)
            before = Entry(number, record, sha256(content).hexdigest(), before.head if before else "")
            chain.write(before.line())


def median_milliseconds(calls: list[Callable[[], object]], rounds: int = 5) -> float:
    """Median over all calls, each done so many times."""
    taken = []
    for _ in range(rounds):
        for call in calls:
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken)


def questions(index: Index, last: datetime) -> dict[str, list[Callable[[], object]]]:
    """What people ask: the newest, those that fit, those in which a text stands."""
    early, late = utc(BEGIN + timedelta(days=30)), utc(last - timedelta(days=30))
    filters = [
        Filter(environments=("prod-7",)),
        Filter(environments=("prod-1*",), status="fault"),
        Filter(runbook="60_permission", status="healthy"),
        Filter(code="CRG201"),
        Filter(code="CRG305", environments=("prod-3",)),
        Filter(since=late),
        Filter(until=early),
        Filter(incident="INC-0"),
        Filter(environments=("prod-3",), runbook="00_triage", status="fault", since=early, until=late),
        Filter(environments=("no-such",)),
        Filter(environments=("no-such-*",)),
        Filter(status="failed", environments=("prod-*",)),
    ]
    texts = [
        Filter(text="domain"),
        Filter(text="错误"),
        Filter(text="证书"),
        Filter(text="cargo-77.example.com"),
        Filter(text="no such host"),
        Filter(text='"no such host" CRG201'),
        Filter(text="clients", environments=("prod-5",), status="fault"),
        Filter(text="clients", until=early),
        Filter(text="challenge", since=late),
        Filter(text="nowhere"),
    ]
    ask: Callable[[Filter], Callable[[], object]] = lambda wanted: lambda: index.find(wanted, limit=50)  # noqa: E731
    return {"list": [ask(Filter())], "filter": [ask(f) for f in filters], "search": [ask(f) for f in texts]}


def adding(folders: dict[str, Path], count: int) -> dict[str, float]:
    """Median milliseconds to seal a record in each of the archives, turn by turn."""
    taken: dict[str, list[float]] = {name: [] for name in folders}
    for _ in range(count):
        for name, reports in folders.items():
            draft = Draft(reports, "prod-1", "00_triage")
            notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
            write_json(draft.folder / NOTEBOOK, notebook)
            start = time.perf_counter()
            draft.seal(status="healthy")
            taken[name].append(time.perf_counter() - start)
    return {name: 1000 * statistics.median(each) for name, each in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--adds", type=int, default=60)
    parser.add_argument("--folder", type=Path, help="where the archive is kept and found again")
    parser.add_argument("--json", action="store_true", help="the last line is JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cargo-runbook-benchmark-") as temporary:
        reports = (options.folder or Path(temporary)) / "full"
        if not reports.exists():
            reports.mkdir(parents=True)
            start = time.perf_counter()
            synthetic(reports, options.records)
            print(f"{options.records} synthetic records written in {time.perf_counter() - start:.0f} s", flush=True)
        body = measure(reports, Path(temporary) / "empty", options.adds)
    for kind, unit in (("milliseconds", "ms"), ("records_per_second", "records/s")):
        for name, value in body[kind].items():
            print(f"  {value:10.1f} {unit}  {name}")
    print(f"wanted: each question under {ALLOWED_MILLISECONDS:.0f} ms; rebuild over 1000, verify over 200 records/s; "
          f"adding at most {ALLOWED_RATIO} times what it takes in an empty archive ({body['adding_ratio']:.2f})")  # fmt: skip
    if options.json:
        print(json.dumps(body))
    sys.exit(0 if body["ok"] else 1)


def measure(reports: Path, empty: Path, adds: int) -> dict[str, object]:
    start = time.perf_counter()
    with Index(reports, anew=True) as index:
        rebuild = len(index) / (time.perf_counter() - start)
        start = time.perf_counter()
        with Index(reports) as again:
            count = len(again)
        opening = 1000 * (time.perf_counter() - start)
        last = datetime.fromisoformat(index.find(limit=1)[0].started)
        milliseconds = {name: median_milliseconds(calls) for name, calls in questions(index, last).items()}
        slowest = {
            f"{name}, slowest of its questions": max(median_milliseconds([call]) for call in calls)
            for name, calls in questions(index, last).items()
        }
    start = time.perf_counter()
    result = verify(reports)
    verified = result.records / (time.perf_counter() - start)
    if not result.ok:
        sys.exit(f"the archive is not as it was written: {result.problems[0]}")
    add = adding({"empty": empty, "full": reports}, adds)
    ratio = add["full"] / add["empty"]
    rates = {"rebuild": rebuild, "verify": verified}
    ok = all(value < ALLOWED_MILLISECONDS for value in milliseconds.values()) and ratio <= ALLOWED_RATIO
    ok = ok and all(rates[name] > wanted for name, wanted in WANTED_PER_SECOND.items())
    milliseconds |= slowest | {"opening": opening, "add, empty archive": add["empty"], "add, full archive": add["full"]}
    return {
        "records": count,
        "milliseconds": {name: round(value, 2) for name, value in milliseconds.items()},
        "records_per_second": {name: round(value, 1) for name, value in rates.items()},
        "adding_ratio": round(ratio, 3),
        "ok": ok,
    }


if __name__ == "__main__":
    main()

"""What is to be done, in the first place or still: which environments, with which limits, and which not again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cargo_runbook.archive.files import sha256_of, utc
from cargo_runbook.archive.places import DRAFTS
from cargo_runbook.archive.reading.records import UnreadableRecord, find_record
from cargo_runbook.errors import InventoryError, UsageError
from cargo_runbook.execution.batch.book import FAILED, Account, Order, Outcome, new_id, read_book
from cargo_runbook.execution.batch.queue import Job
from cargo_runbook.execution.runbooks import find_runbook, read_parameters
from cargo_runbook.findings import Verdict
from cargo_runbook.inventory.loader import choose, find_inventory, load_environment
from cargo_runbook.recordings import load_recording
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Text, tell

if TYPE_CHECKING:
    from cargo_runbook.inventory.models import Environment

APPROVED = "approved_plan"
"""Parameter of the runbooks with which alone a run can change a host."""
NOT_REPEATED = Text(
    "it changed a host, or may have, and is not repeated; look at its record",
    "该运行改变了主机（或可能改变了），因此不会重复执行；请查看其记录",
)


@dataclass(frozen=True)
class BatchPlan:
    """A batch: its order, the jobs that are left, and what is known already.

    `parameters` are the values themselves; those in the order are redacted.
    """

    order: Order
    source: Path
    parameters: Mapping[str, Any]
    jobs: tuple[Job, ...]
    known: tuple[Outcome, ...] = ()


def new_batch(
    runbook: str,
    patterns: Sequence[str],
    *,
    inventory: Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    incident: str = "",
    replay: str = "",
) -> BatchPlan:
    """A batch that has not begun.

    Raises:
        UsageError, UnknownEnvironment: no such runbook, parameter or environment. A file of the inventory that is wrong
            is the failure of its own run alone.
    """
    source = find_runbook(runbook)
    values = dict(parameters or {})
    read_parameters(source, values)
    folder = _folder(inventory, replay)
    names = choose(folder, patterns)
    order = Order(
        batch=new_id(),
        runbook=source.stem,
        runbook_sha256=sha256_of(source),
        environments=names,
        parameters=Redactor().redact_data(values),
        incident=incident,
        replay=replay,
        started=utc(datetime.now(UTC)),
    )
    return BatchPlan(order, source, values, tuple(job_of(name, folder) for name in names))


def resumed(
    reports: Path,
    batch: str,
    runbook: str,
    *,
    inventory: Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    max_age: timedelta | None = None,
) -> BatchPlan:
    """The same batch again: what is missing, failed, or older than `max_age`. What changed a host is never repeated.

    Args:
        batch: id of the batch, or its start.
        runbook: the same as then; a notebook that was edited since is refused.
        parameters: given again where they were secrets; else those of then.

    Raises:
        UsageError: there is no such batch, or it was about something else.
    """
    account = read_book(reports, batch)
    order, source = account.order, find_runbook(runbook)
    if sha256_of(source) != order.runbook_sha256:
        raise UsageError(
            tell(
                f"the batch {order.batch} ran {order.runbook} as it was then; {source.name} is another notebook",
                f"批次 {order.batch} 运行的是当时的 {order.runbook}；{source.name} 已是另一个 Notebook",
            ),
            next_step=tell("Start a new batch.", "请开始新的批次。"),
        )
    values = dict(parameters or order.parameters)
    if Redactor().redact_data(values) != order.parameters:
        raise UsageError(
            tell(f"the batch {order.batch} ran with other parameters", f"批次 {order.batch} 使用的是其他参数"),
            next_step=tell("Leave -p out.", "请去掉 -p。"),
        )
    if parameters is None and "‹" in str(order.parameters):
        raise UsageError(
            tell("a parameter of this batch was a secret and is not kept", "该批次有一个参数是密码，没有保存"),
            next_step=tell("Give it again with -p.", "请用 -p 重新给出。"),
        )
    folder = _folder(inventory, order.replay)
    known = _known(reports, account, values)
    keep = tuple(outcome for outcome in known if outcome.changed or _stays(outcome, max_age))
    kept = {outcome.environment for outcome in keep}
    jobs = tuple(job_of(name, folder) for name in order.environments if name not in kept)
    return BatchPlan(order, source, values, jobs, keep)


def job_of(name: str, folder: Path) -> Job:
    """The job of an environment, with whom it asks; a file that can't be read asks nobody."""
    try:
        environment = load_environment(name, folder)
    except InventoryError:
        return Job(name)
    return Job(name, hosts_of(environment), clusters_of(environment), environment.domain)


def hosts_of(environment: Environment) -> frozenset[str]:
    """The Cargo hosts that a look at it asks, by address; its domain where no host is known."""
    return frozenset(host.address for host in environment.hosts) or frozenset({environment.domain})


def clusters_of(environment: Environment) -> frozenset[str]:
    """The clusters that it asks, by kubectl context."""
    return frozenset({environment.kubernetes.context}) if environment.kubernetes else frozenset()


def _folder(inventory: Path | None, replay: str) -> Path:
    return load_recording(replay).folder if replay else find_inventory(inventory)


def _stays(outcome: Outcome, max_age: timedelta | None) -> bool:
    if outcome.status == FAILED:
        return False
    return max_age is None or datetime.now(UTC) - datetime.fromisoformat(outcome.ended) <= max_age


def _known(reports: Path, account: Account, parameters: Mapping[str, Any]) -> tuple[Outcome, ...]:
    """What came of the runs, by the book; and by the archive for those that ended when nobody wrote it down."""
    known = dict(account.outcomes)
    for name, record in account.begun.items():
        outcome = known.get(name)
        if outcome is not None and outcome.record == record:
            continue
        found = _filed(reports, record, name, account.order)
        changed = bool(parameters.get(APPROVED)) or (reports / DRAFTS / record / "changes").is_dir()
        if found is not None:
            known[name] = replace(found, changed=found.changed or changed)
        elif changed:
            known[name] = Outcome(
                name,
                account.order.runbook,
                FAILED,
                record,
                reason=NOT_REPEATED.en,
                reason_zh=NOT_REPEATED.zh,
                changed=True,
            )
        else:
            known.pop(name, None)
    return tuple(known.values())


def _filed(reports: Path, record: str, name: str, order: Order) -> Outcome | None:
    try:
        found = find_record(reports, record)
    except (UsageError, UnreadableRecord):
        return None
    header = found.header
    return Outcome(
        environment=name,
        runbook=order.runbook,
        status=header.status,
        record=header.record,
        path=str(found.path),
        root_causes=header.root_causes,
        reason=header.reason,
        head=found.head,
        replayed=header.replayed,
        ended=header.ended,
        cells=cells_of(found.path, header.status),
        changed=(found.path / "changes").is_dir(),
    )


def cells_of(record: Path, status: str) -> Mapping[str, str]:
    """A verdict for each check of a record; `unknown` throughout for a run that failed."""
    from cargo_runbook.archive.reading.records import read_diagnosis, read_record
    from cargo_runbook.findings import CHECKS

    nothing = dict.fromkeys(CHECKS, str(Verdict.UNKNOWN))
    if status == FAILED:
        return nothing
    try:
        diagnosis = read_diagnosis(read_record(record))
    except UnreadableRecord:
        return nothing
    return {check: str(verdict) for check, verdict in diagnosis.cells().items()} if diagnosis else nothing

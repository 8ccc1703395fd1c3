"""The side that submits: runs go to a Dask cluster, finished drafts come back and are sealed here.

Dask does a run again when its worker is lost, up to its own limit (`distributed.scheduler.allowed-failures`); only what comes
back is recorded, and that comes once. A run that could change a host is never sent: the way back of a change lies on
the machine that made it, and a second worker can't know how far the first one came.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from distributed import Client, Future, KilledWorker

from cargo_runbook.archive.files import sha256_of
from cargo_runbook.archive.sealing.signature import sign_key, signer_with
from cargo_runbook.archive.sharing.parcel import take_in
from cargo_runbook.errors import RunbookError, RunFailed, UsageError
from cargo_runbook.execution.batch.place import PlaceLost
from cargo_runbook.execution.batch.plan import APPROVED, BatchPlan
from cargo_runbook.execution.batch.queue import Job
from cargo_runbook.execution.remote.order import RunOrder, RunReturned
from cargo_runbook.execution.remote.worker import do_run, stop_run
from cargo_runbook.execution.run import RunResult
from cargo_runbook.execution.watch import CELL_DEADLINE, Watch
from cargo_runbook.inventory.loader import environment_file, find_inventory
from cargo_runbook.texts import Text, tell

CONNECT = 10.0
"""Seconds for the scheduler to answer."""
NO_WORKER = 60.0
"""Seconds without any worker, after which the cluster counts as lost; one that scales itself has as long to begin."""
ANSWER = 30.0
"""Seconds for a worker to end a run that was stopped."""
_LOOK = 0.5
_AWAY = Text("the Dask scheduler went away", "与 Dask 调度器的连接已断开")


class Cluster:
    """A place for the runs of one batch: the workers of a Dask cluster. A context manager.

    Args:
        address: of the scheduler (tcp://host:8786, tls://host:8786). Certificates for TLS come from Dask's own settings.
        plan: what is to be done; its parameters hold references in the place of secrets.
        reports: folder of the archive that records are sealed in.
        inventory: folder of the inventory here; the workers have their own.
        cell_deadline: seconds for a cell.

    Raises:
        UsageError: the batch could change hosts, or no scheduler answers.
    """

    def __init__(
        self,
        address: str,
        plan: BatchPlan,
        reports: Path,
        inventory: Path | None = None,
        cell_deadline: int = CELL_DEADLINE,
    ) -> None:
        if plan.parameters.get(APPROVED):
            raise UsageError(
                tell(
                    "a run that may change a host is not sent to a cluster: the way back lies on the machine that makes the change",
                    "可能修改主机的运行不会发送到集群：撤销所需的备份保存在执行修改的机器上",
                ),
                next_step=tell("Leave --scheduler out.", "请去掉 --scheduler。"),
            )
        key = sign_key(None)
        self._sign = signer_with(key) if key else None
        self._plan = plan
        self._reports = reports.absolute()
        self._inventory = None if plan.order.replay else find_inventory(inventory).absolute()
        self._deadline = cell_deadline
        self._notebook = plan.source.read_bytes()
        self._topic = f"cargo-runbook-{plan.order.batch}-{uuid4().hex[:8]}"
        self._told: dict[str, queue.SimpleQueue[Any]] = {}
        self._workers = _Workers()
        # What it has to say is said by us, as a sentence.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            self._client = Client(address, timeout=CONNECT, set_as_default=False, name="cargo-runbook")
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            told = str(error).strip().split("\n")[0]
            raise UsageError(
                tell(f"no Dask scheduler answers at {address}", f"{address} 处没有 Dask 调度器应答"),
                seen=told,
                next_step=tell(
                    "Give its address as tcp://HOST:8786, or tls://HOST:8786 with Dask's TLS settings.",
                    "地址写作 tcp://主机:8786；使用 tls://主机:8786 时需要 Dask 的 TLS 配置。",
                ),
            ) from None
        self._client.subscribe_topic(self._topic, self._hear)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError, TimeoutError, RuntimeError):
            self._client.close(timeout=CONNECT)

    @property
    def slots(self) -> int:
        """How many runs the workers of now can do at the same time; 0 when there is none (yet)."""
        return sum(self._client.nthreads().values())

    def busy(self, running: int) -> bool:
        """As `Place` has it: the workers know."""
        return False

    def last_began(self) -> None:
        """As `Place` has it: a worker does not know of the others."""

    def run(self, job: Job, watch: Watch) -> RunResult:
        """As `Place` has it."""
        order = self._order(job)
        told = self._told[order.run] = queue.SimpleQueue()
        try:
            future = self._client.submit(do_run, order, key=order.run, pure=False)
            future.add_done_callback(lambda _: told.put(None))
            returned = self._returned(order, future, watch, told)
        except (OSError, RuntimeError) as error:
            # Dask's word for a connection that is closed.
            raise PlaceLost(_AWAY) from error
        finally:
            del self._told[order.run]
        if any(returned.refused):
            raise RunFailed(tell(*returned.refused))
        name = str(returned.result.get("record"))
        record = take_in(self._reports, name, returned.parcel, incident=self._plan.order.incident, sign=self._sign)
        return replace(_result(returned.result), path=record.path, head=record.head)

    def _order(self, job: Job) -> RunOrder:
        digest = ""
        if self._inventory is not None:
            # The digest alone is sent; a file that is wrong is told of by the worker, which has the same one.
            digest = sha256_of(environment_file(job.environment, self._inventory))
        return RunOrder(
            run=f"cargo-runbook-{self._plan.order.batch}-{job.environment}-{uuid4().hex[:8]}",
            version=version("cargo-runbook"),
            environment=job.environment,
            runbook=self._plan.source.stem,
            notebook=self._notebook,
            parameters=self._plan.parameters,
            replay=self._plan.order.replay,
            inventory=str(self._inventory or ""),
            environment_sha256=digest,
            archive=str(self._reports),
            deadline=self._deadline,
            topic=self._topic,
            domain=job.domain,
        )

    def _returned(
        self, order: RunOrder, future: Future[RunReturned], watch: Watch, told: queue.SimpleQueue[Any]
    ) -> RunReturned:
        worker, stopped = "", 0.0
        while (returned := self._fetched(future)) is None:
            with suppress(queue.Empty):
                worker = _heed(told.get(timeout=_LOOK), watch) or worker
            if watch.stopped and not stopped:
                stopped = time.monotonic()
                self._stop(order, watch, worker)
            if stopped and (not worker or time.monotonic() - stopped > ANSWER):
                future.cancel()
                why = watch.why or Text("stopped", "已停止")
                when = Text("before it began", "尚未开始")
                if worker:
                    when = Text(f"its worker {worker} did not answer", f"其 worker {worker} 没有应答")
                raise RunFailed(tell(f"{why.en}; {when.en}", f"{why.zh}；{when.zh}"))
            if not self._workers.there(self._client, NO_WORKER):
                future.cancel()
                raise PlaceLost(
                    Text(
                        f"the Dask cluster has had no worker for {NO_WORKER:g} s",
                        f"Dask 集群已有 {NO_WORKER:g} 秒没有 worker",
                    )
                )
        return returned

    def _fetched(self, future: Future[RunReturned]) -> RunReturned | None:
        """What came back; None while there is nothing."""
        if not future.done():
            return None
        try:
            return self._result_of(future)
        except TimeoutError:
            # Lost with the worker that held it: Dask does the run again.
            return None

    def _result_of(self, future: Future[RunReturned]) -> RunReturned:
        if future.status == "finished":
            returned: RunReturned = future.result(timeout=ANSWER)
            return returned
        if future.status == "error":
            error = future.exception()
            if isinstance(error, KilledWorker):
                raise RunFailed(
                    tell(
                        "each worker that had this run was lost: the run may be what ends them",
                        "执行该运行的 worker 先后丢失：可能正是该运行导致其退出",
                    )
                )
            told = str(error).strip().split("\n")[0]
            raise RunFailed(
                tell(
                    f"the worker could not do it: {type(error).__name__}: {told}",
                    f"worker 无法执行：{type(error).__name__}: {told}",
                ),
                next_step=tell(
                    "The scheduler and its workers need the same version of cargo-runbook as this machine.",
                    "调度器及其 worker 的 cargo-runbook 版本须与本机相同。",
                ),
            )
        raise PlaceLost(_AWAY)

    def _stop(self, order: RunOrder, watch: Watch, worker: str) -> None:
        if worker and watch.why is not None:
            why = (watch.why.en, watch.why.zh)
            self._client.run(stop_run, order.run, why, workers=[worker], on_error="ignore")

    def _hear(self, event: tuple[float, Any]) -> None:
        # Called by Dask's own thread, which must not be kept waiting.
        message = event[1]
        told = self._told.get(message.get("run", "")) if isinstance(message, Mapping) else None
        if told is not None:
            told.put(message)


class _Workers:
    """Whether there is any worker; asked once for all runs that wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = self._seen = time.monotonic()

    def there(self, client: Client, patience: float) -> bool:
        with self._lock:
            now = time.monotonic()
            if now - self._asked > 2.0:
                self._asked = now
                if client.nthreads():
                    self._seen = now
            return now - self._seen <= patience


def _heed(message: Mapping[str, Any] | None, watch: Watch) -> str:
    """Passes on what a worker told; its address when it told that it begins."""
    if message is None:
        return ""
    if "record" in message:
        watch.began(str(message["record"]))
        return str(message["worker"])
    watch.progress(int(message["done"]), int(message["total"]))
    return ""


def _result(body: Mapping[str, Any]) -> RunResult:
    try:
        return RunResult(**{**body, "path": Path(body["path"]), "root_causes": tuple(body["root_causes"])})
    except (KeyError, TypeError):
        raise RunbookError(
            tell("what came back from the worker is no result of a run", "worker 传回的不是运行结果")
        ) from None

"""What a worker of the cluster does: one run in a kernel that is forked there, up to the seal.

Environment files, credentials, `~/.ssh`, kubectl contexts and Docker logins are the worker's own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from distributed import get_worker

from cargo_runbook.archive.files import sha256_of, write_bytes
from cargo_runbook.archive.sharing.parcel import TravellingDraft, pack
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.execution.batch.place import SAVE_EVERY
from cargo_runbook.execution.remote.order import RunOrder, RunReturned
from cargo_runbook.execution.run import Opened, run_notebook
from cargo_runbook.execution.runbooks import order_of
from cargo_runbook.execution.warm.kernels import WarmKernels
from cargo_runbook.execution.watch import Watch
from cargo_runbook.inventory.credentials import parameter_secrets
from cargo_runbook.inventory.loader import environment_file, find_inventory
from cargo_runbook.recordings import load_recording
from cargo_runbook.texts import Text, tell

if TYPE_CHECKING:
    from distributed import Worker

IDLE = 60.0
"""Seconds without a run, after which a worker's process that forks kernels is ended."""
TOLD_EVERY = 0.5
"""Seconds between two messages about how far a run is."""
_log = logging.getLogger(__name__)


@dataclass
class _Kept:
    """The kernels of this process, and its runs. The kernels go away by themselves when nobody wants any.

    They are forked with what one notebook needs, and do for any. When another comes they are made anew for it, but not while
    runs go on.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    kernels: WarmKernels | None = None
    made_for: str = ""
    runs: dict[str, Watch] = field(default_factory=dict)
    timer: threading.Timer | None = None

    @contextmanager
    def run(self, name: str, watch: Watch, notebook: Path) -> Iterator[WarmKernels]:
        digest = sha256_of(notebook)
        with self.lock:
            if self.timer is not None:
                self.timer.cancel()
            if digest != self.made_for:
                self._close_unused()
            if self.kernels is None:
                told = order_of(notebook)
                self.kernels = WarmKernels(notice=lambda text: _log.warning(text.en), order=told).__enter__()
                self.made_for = digest
            kernels = self.kernels
            self.runs[name] = watch
        try:
            yield kernels
        finally:
            with self.lock:
                self.runs.pop(name, None)
                self.timer = threading.Timer(IDLE, self.close_idle)
                self.timer.daemon = True
                self.timer.start()

    def close_idle(self) -> None:
        with self.lock:
            self._close_unused()

    def _close_unused(self) -> None:
        if not self.runs and self.kernels is not None:
            self.kernels.__exit__(None, None, None)
            self.kernels = None


_KEPT = _Kept()


def do_run(order: RunOrder) -> RunReturned:
    """Does one run in the task of a worker.

    Returns:
        The finished draft, whatever came of the run; or a sentence when there is none.
    """
    worker = get_worker()
    try:
        _same_version(order)
        inventory = None if order.replay else _inventory(order)
        return _run(order, worker, inventory)
    except RunbookError as error:
        said, where = error.in_full(), worker.address
        return RunReturned(refused=(f"{said.en} (on {where})", f"{said.zh}（在 {where} 上）"))


def stop_run(run: str, why: tuple[str, str]) -> bool:
    """Ends a run of this process with a true record; called by the cluster while the run goes on. False: no such run."""
    with _KEPT.lock:
        watch = _KEPT.runs.get(run)
    if watch is not None:
        watch.stop(Text(*why))
    return watch is not None


def _run(order: RunOrder, worker: Worker, inventory: Path | None) -> RunReturned:
    watch = Watch()
    told = _Told(worker, order)
    watch.began, watch.progress = told.began, told.progress
    parameters = parameter_secrets(order.parameters)
    with TemporaryDirectory(prefix="cargo-runbook-", dir=worker.local_directory) as place:
        source = Path(place, f"{order.runbook}.ipynb")
        write_bytes(source, order.notebook)
        banner = load_recording(order.replay).banner if order.replay else ""
        with _KEPT.run(order.run, watch, source) as kernels:
            result = run_notebook(
                str(source),
                order.environment,
                inventory=inventory,
                reports=Path(place, "reports"),
                parameters=parameters,
                replay=order.replay,
                watch=watch,
                deadline=order.deadline,
                kernels=kernels,
                save_every=SAVE_EVERY,
                opened=None if parameters.get("image") or not order.domain else Opened(order.domain, banner),
                drafts=partial(TravellingDraft, archive=Path(order.archive)),
            )
        return RunReturned(pack(result.path), result.to_json())


class _Told:
    """Tells the other side when the run begins and how far it is, by the scheduler's log of events."""

    def __init__(self, worker: Worker, order: RunOrder) -> None:
        self._worker = worker
        self._order = order
        self._last = 0.0

    def began(self, record: str) -> None:
        self._tell(record=record, worker=self._worker.address)

    def progress(self, done: int, total: int) -> None:
        if time.monotonic() - self._last >= TOLD_EVERY:
            self._last = time.monotonic()
            self._tell(done=done, total=total)

    def _tell(self, **message: Any) -> None:
        self._worker.log_event(self._order.topic, {"run": self._order.run, **message})


def _same_version(order: RunOrder) -> None:
    here = version("cargo-runbook")
    if here != order.version:
        raise UsageError(
            tell(
                f"the worker has cargo-runbook {here}, and the batch was begun by {order.version}",
                f"worker 的 cargo-runbook 版本为 {here}，而批次由 {order.version} 发起",
            ),
            next_step=tell("Install the same version on all machines.", "请在所有机器上安装相同版本。"),
        )


def _inventory(order: RunOrder) -> Path:
    """The worker's inventory: the folder of that name, else its own; with the same file for this environment."""
    same = Path(order.inventory)
    folder = same if same.is_dir() else find_inventory()
    file = environment_file(order.environment, folder)
    if sha256_of(file) != order.environment_sha256:
        raise UsageError(
            tell(f"{file} is not the file that the batch was begun with", f"{file} 与发起批次时的文件不同"),
            next_step=tell(
                "Bring the inventory of the workers to the same state: it is not sent.",
                "请使各 worker 的环境清单保持一致：清单不会随批次发送。",
            ),
        )
    return folder

"""A papermill engine whose notebook metadata are true: a cell that never ran is never called completed.

papermill's own engine turns every pending cell into a completed one when a cell times out or the kernel dies, and
calls `sys.exit(0)` in a cell a success. Beside the notebook this one keeps a ledger (`archive/ledger.py`), and what it
saves are redacted copies.

papermill loads this module by its entry point while it is imported itself; so import papermill, never this one first.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from pathlib import Path
from typing import Any

from nbclient.client import NotebookClient, timestamp
from nbclient.exceptions import CellExecutionComplete, CellExecutionError, CellTimeoutError
from nbclient.util import run_sync
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine

from cargo_runbook.archive.ledger import Ledger
from cargo_runbook.execution.accounting import TrueLedger
from cargo_runbook.execution.endings import ending_of, first_line, is_skipped, is_step
from cargo_runbook.execution.kernel import KERNEL_NAME, OrdinaryKernels
from cargo_runbook.execution.layout import plain_output
from cargo_runbook.execution.warm.kernel import WarmClient, WarmKernel
from cargo_runbook.execution.watch import CELL_DEADLINE, Kernels, RunStopped, Watch
from cargo_runbook.redaction.shapes import sensitive_name
from cargo_runbook.secret import Redactor, Secret
from cargo_runbook.texts import Text

START_DEADLINE = 60
_LOOKED_AFTER = 1.0
"""Seconds after which a kernel that says nothing is looked for."""
_SHOWS_NOTHING = ("status", "execute_input")

# nbclient reports what it then raises as well; said once is enough.
_log = logging.getLogger("cargo_runbook.execution")
_log.addHandler(logging.NullHandler())
_log.propagate = False


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    def __init__(self, ledger: TrueLedger, kernels: Kernels, **options: Any) -> None:
        super().__init__(ledger, **options)
        self.ledger = ledger
        self.kernels = kernels

    def create_kernel_manager(self) -> Any:
        self.km = self.ledger.watch.kernel = self.kernels.kernel()
        return self.km

    def execute(self, env: dict[str, str] | None = None, **options: Any) -> Any:
        """As its parent's, which has an event loop for each thing that it waits for, and asks each kernel for its language
        at the end; one that was forked can be waited for without, and has told it."""
        kernel = self.create_kernel_manager()
        if not isinstance(kernel, WarmKernel):
            super().execute(**({"env": env} if env else {}), **options)
            return self.nb
        self.reset_execution_trackers()
        with kernel.client(env, self.startup_timeout) as self.kc:
            self.papermill_execute_cells()
            self.nb.metadata["language_info"] = self.kc.language_info
            self.set_widgets_metadata()
        return self.nb

    def let_go(self) -> None:
        """What knows it is forgotten with it: else both, and the notebook, stay until garbage is looked for."""
        for known_by in (self.comm_open_handlers, self.comm_objects, self.output_hook_stack):
            known_by.clear()

    async def async_execute_cell(self, *arguments: Any, **options: Any) -> Any:
        """As its parent's; a cell that takes longer than the file may be behind is seen in it."""
        if not self.ledger.save_every:
            return await super().async_execute_cell(*arguments, **options)
        late = asyncio.ensure_future(self._save_late())
        try:
            return await super().async_execute_cell(*arguments, **options)
        finally:
            late.cancel()

    _by_tasks = run_sync(async_execute_cell)

    def execute_cell(self, cell: NotebookNode, cell_index: int) -> None:
        """As its parent's, which has five tasks for a cell; a kernel that was forked needs none, and half the time."""
        if isinstance(self.kc, WarmClient):
            self._by_exchange(self.kc, cell, cell_index)
        else:
            self._by_tasks(cell, cell_index)

    def _by_exchange(self, kernel: WarmClient, cell: NotebookNode, index: int) -> None:
        cell.metadata["execution"] = {}
        may_fail = self.allow_errors or "raises-exception" in cell.metadata.get("tags", ())
        request = kernel.execute(cell.source, stop_on_error=not may_fail)
        self.code_cells_executed += 1
        cell.outputs = []
        self.clear_before_next_output = False
        patience = _Patience(cell, self.timeout, self.ledger)

        def take(message: dict[str, Any]) -> bool:
            # What papermill does beside is to save, at times, what is shown.
            client = NotebookClient if message["msg_type"] in _SHOWS_NOTHING else PapermillNotebookClient
            try:
                client.process_message(self, message, cell, index)
            except CellExecutionComplete:
                return True
            return False

        reply = kernel.exchange(request, take, patience)
        cell.metadata["execution"]["shell.execute_reply"] = timestamp(reply)
        content = reply["content"]
        if content["status"] == "error" and not may_fail:
            raise CellExecutionError.from_cell_and_msg(cell, content)

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """As its parent's, which holds each output against the schema of notebooks by an interpreter of schemas: what
        has the shape that kernels send need not be."""
        plain = not (display_id or self.clear_before_next_output or self.output_hook_stack[_parent_of(msg)])
        found = plain_output(msg) if plain else None
        if found is None:
            found = super().output(outs, msg, display_id, cell_index)
        else:
            outs.append(found)
        return found

    async def _save_late(self) -> None:
        await asyncio.sleep(self.ledger.save_every)
        self.ledger.write()

    def papermill_execute_cells(self) -> None:
        watch = self.ledger.watch
        total = sum(is_step(cell) and not is_skipped(cell) for cell in self.nb.cells)
        done = 0
        watch.progress(done, total)
        for index, cell in enumerate(self.nb.cells):
            if watch.stopped:
                raise RunStopped
            if not is_step(cell):
                self.ledger.cell_complete(cell, cell_index=index)
            elif is_skipped(cell):
                self.ledger.step_skipped(cell, index)
            elif not self._run_step(cell, index):
                # papermill itself looks for the cell with the error, and raises its own.
                return
            else:
                done += 1
                watch.progress(done, total)

    def _run_step(self, cell: NotebookNode, index: int) -> bool:
        """Whether the run can go on after it."""
        self.ledger.step_begins(cell, index)
        try:
            self.execute_cell(cell, index)
        except BaseException as error:
            ending = ending_of(error, index, deadline=self.timeout, stopped=self.ledger.watch.stopped)
            self.ledger.step_broken(self.nb.cells[index], index, ending)
            if isinstance(error, CellExecutionError):
                return False
            raise
        self.ledger.step_ended(self.nb.cells[index], index)
        return True


class _Patience:
    """How long one more wait may be: until a run is looked after again, or something is due.

    Raises:
        CellTimeoutError: the cell's time is over.
    """

    def __init__(self, cell: NotebookNode, seconds: int, ledger: TrueLedger) -> None:
        began = time.monotonic()
        self._cell, self._seconds, self._ledger = cell, seconds, ledger
        self._end = began + seconds
        self._late = began + ledger.save_every if ledger.save_every else math.inf

    def __call__(self) -> float:
        now = time.monotonic()
        if now >= self._late:
            self._late = math.inf
            self._ledger.write()
        if now >= self._end:
            raise CellTimeoutError.error_from_timeout_and_cell("Cell execution timed out", self._seconds, self._cell)
        return min(_LOOKED_AFTER, self._late - now, self._end - now)


def _parent_of(msg: dict[str, Any]) -> Any:
    return msg["parent_header"].get("msg_id")


class RunbookEngine(Engine):  # type: ignore[misc]
    """Entry point `cargo-runbook` of the group `papermill.engine`; also usable as `papermill --engine cargo-runbook`."""

    @classmethod
    def execute_notebook(
        cls,
        nb: NotebookNode,
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: bool = True,
        log_output: bool = False,
        autosave_cell_every: int = 30,
        watch: Watch | None = None,
        ledger: Ledger | None = None,
        redactor: Redactor | None = None,
        save_every: float = 0.0,
        **options: Any,
    ) -> NotebookNode:
        """Runs a notebook; how it ended is in `watch.reason`, in the ledger and in the notebook's metadata.

        Args:
            watch: progress and stop of this run.
            ledger: account of this run; whoever opened it closes it.
            redactor: knows the secrets of this run.
            save_every: seconds that the file may be behind while the run goes on.
            options: of `execute_managed_notebook`.

        Returns:
            A redacted copy of the executed notebook, since papermill writes what it gets.

        Raises:
            CellTimeoutError, DeadKernelError, RunStopped: after the notebook was saved with what is true.
        """
        redactor = redactor or Redactor()
        for name, value in nb.metadata.papermill.get("parameters", {}).items():
            if isinstance(value, str) and sensitive_name(name):
                redactor.register(Secret(value))
        managed = TrueLedger(
            nb,
            watch or Watch(),
            ledger,
            redactor,
            save_every,
            output_path=output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        # Where the files lay during the run is of no interest to who reads the record.
        for name in ("input_path", "output_path"):
            nb.metadata.papermill[name] = Path(nb.metadata.papermill.get(name) or "").name
        managed.notebook_start()
        try:
            cls.execute_managed_notebook(managed, kernel_name, log_output=log_output, **options)
        except BaseException as error:
            # A kernel that does not even start has no cell to blame.
            told = first_line(error)
            managed.watch.failed(
                Text(f"the kernel did not start or went away: {told}", f"内核未能启动或已退出：{told}")
            )
            raise
        finally:
            managed.notebook_complete()
        return managed.copies.last

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: TrueLedger,
        kernel_name: str,
        log_output: bool = False,
        start_timeout: int = START_DEADLINE,
        execution_timeout: int | None = None,
        kernel_env: dict[str, str] | None = None,
        kernels: Kernels | None = None,
        **_: Any,
    ) -> None:
        """Runs the cells in a kernel of this interpreter, whatever `kernel_name` says.

        Args:
            start_timeout: seconds for the kernel to start.
            execution_timeout: seconds for each cell.
            kernel_env: environment variables of the kernel (default: those of this process).
            kernels: where the kernel comes from (default: a new interpreter).
        """
        client = _Client(
            nb_man,
            kernels or OrdinaryKernels(),
            timeout=execution_timeout or CELL_DEADLINE,
            startup_timeout=start_timeout,
            kernel_name=KERNEL_NAME,
            log=_log,
            log_output=log_output,
        )
        try:
            client.execute(kernel_env)
        finally:
            client.let_go()

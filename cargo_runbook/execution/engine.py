"""A papermill engine whose notebook metadata are true: a cell that never ran is never called completed.

papermill's own engine turns every pending cell into a completed one when a cell times out or the kernel dies, and
calls `sys.exit(0)` in a cell a success.

papermill loads this module by its entry point while it is imported itself; so import papermill, never this one first.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager

from cargo_runbook.execution.kernel import RunbookKernel
from cargo_runbook.execution.watch import CELL_DEADLINE, RunStopped, Watch
from cargo_runbook.texts import Text

KERNEL_NAME = "python3"
START_DEADLINE = 60
_KEY = "cargo_runbook"

# nbclient reports what it then raises as well; said once is enough.
_log = logging.getLogger("cargo_runbook.execution")
_log.addHandler(logging.NullHandler())
_log.propagate = False


class TrueLedger(NotebookExecutionManager):  # type: ignore[misc]  # papermill has no types
    """Statuses of cells as they were: pending, running, completed or failed, and nothing guessed at the end."""

    def __init__(self, nb: NotebookNode, watch: Watch, **options: Any) -> None:
        super().__init__(nb, **options)
        self.watch = watch

    def cell_failed(self, cell: NotebookNode, reason: Text) -> None:
        """The cell ended, but not as it should; the notebook's metadata say why."""
        self.cell_exception(cell)
        self.cell_complete(cell)
        self.watch.failed(reason)

    def notebook_complete(self, **_: Any) -> None:
        self.end_time = self.now()
        metadata = self.nb.metadata.papermill
        metadata["end_time"] = self.end_time.isoformat()
        metadata["duration"] = (self.end_time - self.start_time).total_seconds()
        reason = self.watch.reason
        metadata["exception"] = reason is not None
        self.nb.metadata[_KEY] = {"completed": reason is None, "reason": reason.en if reason else ""}
        self.cleanup_pbar()
        self.save()


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    def __init__(self, ledger: TrueLedger, **options: Any) -> None:
        super().__init__(ledger, **options)
        self.ledger = ledger

    def create_kernel_manager(self) -> RunbookKernel:
        kernel = super().create_kernel_manager()
        assert isinstance(kernel, RunbookKernel)
        self.ledger.watch.kernel = kernel
        return kernel

    def papermill_execute_cells(self) -> None:
        watch = self.ledger.watch
        total = sum(_runs(cell) for cell in self.nb.cells)
        done = 0
        watch.progress(done, total)
        for index, cell in enumerate(self.nb.cells):
            if watch.stopped:
                raise RunStopped
            self.ledger.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except CellExecutionError as error:
                self.ledger.cell_failed(self.nb.cells[index], _cell_error(index, error))
                return
            except BaseException as error:
                self.ledger.cell_failed(self.nb.cells[index], _broken_off(index, error, self.timeout))
                raise
            self.ledger.cell_complete(self.nb.cells[index], cell_index=index)
            done += _runs(cell)
            watch.progress(done, total)


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
        **options: Any,
    ) -> NotebookNode:
        """Runs a notebook; how it ended is in `watch.reason` and in the notebook's metadata.

        Args:
            watch: progress and stop of this run.
            options: of `execute_managed_notebook`.

        Raises:
            CellTimeoutError, DeadKernelError, RunStopped: after the notebook was saved with what is true.
        """
        ledger = TrueLedger(
            nb,
            watch or Watch(),
            output_path=output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        # Where the files lay during the run is of no interest to who reads the record.
        for name in ("input_path", "output_path"):
            nb.metadata.papermill[name] = Path(nb.metadata.papermill.get(name) or "").name
        ledger.notebook_start()
        try:
            cls.execute_managed_notebook(ledger, kernel_name, log_output=log_output, **options)
        except BaseException as error:
            # A kernel that does not even start has no cell to blame.
            ledger.watch.failed(Text(f"the kernel did not start or went away: {_told(error)}", "内核未能启动或已退出"))
            raise
        finally:
            ledger.notebook_complete()
        return nb

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: TrueLedger,
        kernel_name: str,
        log_output: bool = False,
        start_timeout: int = START_DEADLINE,
        execution_timeout: int | None = None,
        kernel_env: dict[str, str] | None = None,
        **_: Any,
    ) -> None:
        """Runs the cells in a kernel of this interpreter, whatever `kernel_name` says.

        Args:
            start_timeout: seconds for the kernel to start.
            execution_timeout: seconds for each cell.
            kernel_env: environment variables of the kernel (default: those of this process).
        """
        client = _Client(
            nb_man,
            timeout=execution_timeout or CELL_DEADLINE,
            startup_timeout=start_timeout,
            kernel_name=KERNEL_NAME,
            kernel_manager_class=RunbookKernel,
            log=_log,
            log_output=log_output,
        )
        client.execute(**({"env": kernel_env} if kernel_env else {}))


def _runs(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "code" and cell.source.strip())


def _cell_error(index: int, error: CellExecutionError) -> Text:
    told = f"{error.ename}: {error.evalue}" if error.evalue else str(error.ename)
    return Text(f"cell {index + 1} ended with {told}", f"第 {index + 1} 个单元出错：{told}")


def _broken_off(index: int, error: BaseException, deadline: int | None) -> Text:
    number = index + 1
    if isinstance(error, CellTimeoutError):
        return Text(f"cell {number} did not end within {deadline} s", f"第 {number} 个单元在 {deadline} 秒内未结束")
    if isinstance(error, DeadKernelError):
        return Text(f"the kernel died in cell {number}", f"内核在第 {number} 个单元中退出")
    if isinstance(error, KeyboardInterrupt | RunStopped):
        return Text(f"stopped in cell {number}", f"在第 {number} 个单元被中断")
    return Text(f"cell {number} could not be run: {_told(error)}", f"第 {number} 个单元无法运行：{_told(error)}")


def _told(error: BaseException) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__

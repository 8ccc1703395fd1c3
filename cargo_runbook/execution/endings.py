"""How a cell came to its end: its status in the ledger, and the sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from cargo_runbook.archive.ledger import StepStatus
from cargo_runbook.texts import Text

SKIP_TAG = "skip-execution"
"""nbclient's tag of cells that are not to be run."""


@dataclass(frozen=True)
class Ending:
    """Status of a cell that did not end well, and why."""

    status: StepStatus
    reason: Text


def is_step(cell: NotebookNode) -> bool:
    """Whether a cell is a step of the run at all: code, not prose."""
    return bool(cell.cell_type == "code")


def is_skipped(cell: NotebookNode) -> bool:
    """Whether nothing of a step is run: it is empty, or tagged to be left out."""
    return not cell.source.strip() or SKIP_TAG in cell.metadata.get("tags", ())


def status_of_end(cell: NotebookNode) -> StepStatus:
    """Status of a cell that came to its end: `warned` when it wrote to standard error or showed an allowed error."""
    outputs = cell.get("outputs", ())
    told = any(o.output_type == "error" or (o.output_type == "stream" and o.name == "stderr") for o in outputs)
    return StepStatus.WARNED if told else StepStatus.OK


def ending_of(error: BaseException, cell: int, *, deadline: int, stopped: bool) -> Ending:
    """What the error means that ended a cell.

    Args:
        error: what came out of nbclient, or out of the runner itself.
        cell: index of the cell.
        deadline: seconds that it had.
        stopped: the run was told to stop, so that the kernel is dead because it was killed.
    """
    number = cell + 1
    if stopped or isinstance(error, KeyboardInterrupt):
        return Ending(StepStatus.INTERRUPTED, Text(f"stopped in cell {number}", f"在第 {number} 个单元被中断"))
    if isinstance(error, CellExecutionError):
        told = f"{error.ename}: {error.evalue}" if error.evalue else str(error.ename)
        reason = Text(f"cell {number} ended with {told}", f"第 {number} 个单元出错：{told}")
        return Ending(StepStatus.FAILED, reason)
    if isinstance(error, CellTimeoutError):
        reason = Text(f"cell {number} did not end within {deadline} s", f"第 {number} 个单元在 {deadline} 秒内未结束")
        return Ending(StepStatus.TIMED_OUT, reason)
    if isinstance(error, DeadKernelError):
        reason = Text(f"the kernel died in cell {number}", f"内核在第 {number} 个单元中退出")
        return Ending(StepStatus.KERNEL_DIED, reason)
    reason = Text(
        f"cell {number} could not be run: {first_line(error)}", f"第 {number} 个单元无法运行：{first_line(error)}"
    )
    return Ending(StepStatus.FAILED, reason)


def first_line(error: BaseException) -> str:
    """The first line of an error's text, else its type."""
    return str(error).strip().split("\n")[0] or type(error).__name__

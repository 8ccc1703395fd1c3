"""The account of a run, kept in two places: in the notebook's metadata and in the ledger beside it.

papermill is imported before this module, see `engine.py`.
"""

from __future__ import annotations

import math
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from papermill.engines import NotebookExecutionManager

from cargo_runbook.archive.ledger import Ledger, StepStatus
from cargo_runbook.execution.endings import Ending, is_step, status_of_end
from cargo_runbook.execution.saving import NotebookCopies
from cargo_runbook.execution.watch import Watch
from cargo_runbook.secret import Redactor

_KEY = "cargo_runbook"


class TrueLedger(NotebookExecutionManager):  # type: ignore[misc]  # papermill has no types
    """Statuses of cells as they were, in the notebook's metadata and in the ledger; nothing is guessed at the end.

    `metadata.papermill.status` keeps papermill's words (pending, running, completed, failed);
    `metadata.cargo_runbook.status` has those of `StepStatus`.

    Args:
        nb: the notebook, with the values that the kernel needs.
        watch: progress and stop of this run.
        ledger: where the account is kept, if anywhere.
        redactor: what everything passes that is saved.
        save_every: seconds that the file may be behind; the ledger never is.
        options: of papermill's own manager.
    """

    def __init__(
        self,
        nb: NotebookNode,
        watch: Watch,
        ledger: Ledger | None,
        redactor: Redactor,
        save_every: float = 0.0,
        **options: Any,
    ) -> None:
        # papermill saves after every cell, prose too; once a step is enough, and the rest only costs.
        self._due = True
        super().__init__(nb, **options)
        self.watch = watch
        self.ledger = ledger
        self.save_every = save_every
        # A file that may be behind need not be there at once.
        self._written = time.monotonic() if save_every else -math.inf
        self.copies = NotebookCopies(Path(self.output_path) if self.output_path else None, redactor)
        self._over: set[int] = set()

    def save(self, **_: Any) -> None:
        """Writes a redacted copy, unless the last one is young enough, or one follows at once."""
        if self._due and time.monotonic() - self._written >= self.save_every:
            self.write()

    def write(self) -> None:
        """Writes a redacted copy."""
        self.copies.save(self.nb, over=self._over)
        self._written = time.monotonic()
        self.last_save_time = self.now()

    def notebook_start(self, **options: Any) -> None:
        steps = [(index, cell) for index, cell in enumerate(self.nb.cells) if is_step(cell)]
        for _, cell in steps:
            cell.metadata[_KEY] = {"status": str(StepStatus.NOT_RUN)}
        if self.ledger:
            self.ledger.run([(index, str(cell.get("id", ""))) for index, cell in steps])
        super().notebook_start(**options)

    def step_begins(self, cell: NotebookNode, index: int) -> None:
        """The ledger knows it before the cell is sent, and the file says `interrupted` until the cell is over: should
        nobody be there any more to write what became of it, that is what it is."""
        if self.ledger:
            self.ledger.begin(index)
        cell.metadata[_KEY]["status"] = str(StepStatus.INTERRUPTED)
        self.cell_start(cell, index)

    def step_skipped(self, cell: NotebookNode, index: int) -> None:
        """Nothing of the cell is run; papermill has no word for it, and leaves it pending."""
        cell.metadata[_KEY]["status"] = str(StepStatus.SKIPPED)
        if self.ledger:
            self.ledger.end(index, StepStatus.SKIPPED)

    def step_ended(self, cell: NotebookNode, index: int) -> None:
        """The cell came to its end."""
        status = status_of_end(cell)
        cell.metadata[_KEY]["status"] = str(status)
        if self.ledger:
            self.ledger.end(index, status)
        self.cell_complete(cell, cell_index=index)

    def step_broken(self, cell: NotebookNode, index: int, ending: Ending) -> None:
        """The cell ended, but not as it should; ledger and metadata say how and why."""
        self.watch.failed(ending.reason)
        cell.metadata[_KEY]["status"] = str(ending.status)
        if self.ledger:
            self.ledger.end(index, ending.status, ending.reason.en)
        self.cell_exception(cell)
        self.cell_complete(cell, cell_index=index)

    def cell_complete(self, cell: NotebookNode, cell_index: int | None = None, **options: Any) -> None:
        told = cell.metadata.papermill
        # papermill reads the time at which the cell began from its text, by a parser for times of any kind.
        began, told["start_time"] = told["start_time"], None
        # What is new is saved when the next step begins, or at the end.
        self._due = False
        super().cell_complete(cell, cell_index=cell_index, **options)
        self._due = True
        told["start_time"] = began
        if began:
            took = datetime.fromisoformat(told["end_time"]) - datetime.fromisoformat(began)
            told["duration"] = took.total_seconds()
        if cell_index is not None:
            self._over.add(cell_index)

    def notebook_complete(self, **_: Any) -> None:
        self.end_time = self.now()
        metadata = self.nb.metadata.papermill
        metadata["end_time"] = self.end_time.isoformat()
        metadata["duration"] = (self.end_time - self.start_time).total_seconds()
        reason = self.watch.reason
        metadata["exception"] = reason is not None
        self.nb.metadata[_KEY] = {"completed": reason is None, "reason": reason.en if reason else ""}
        self.cleanup_pbar()
        # The last copy is made of everything, late updates of outputs too.
        self._over.clear()
        self.write()

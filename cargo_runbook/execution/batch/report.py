"""A batch summed up in a notebook, step by step: what came of it, the matrix, the groups, what changed, files to hand on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cargo_runbook.archive.files import write_bytes, write_text
from cargo_runbook.archive.record import reports_folder
from cargo_runbook.errors import UsageError
from cargo_runbook.execution.batch.book import BATCHES, batches, read_book
from cargo_runbook.execution.batch.summary import STATUSES, Summary, read_summary
from cargo_runbook.findings import CHECKS, Verdict
from cargo_runbook.rules.catalog import titles
from cargo_runbook.tables import Cell, Table
from cargo_runbook.texts import Text
from cargo_runbook.views.matrix import ENVIRONMENT, ROOT_CAUSES, STATUS, change_words, matrix_page, share_words
from cargo_runbook.views.notebook import StepView
from cargo_runbook.views.words import HEALTH, MEANINGS, STATIONS

if TYPE_CHECKING:
    import pandas

MATRIX, PAGE, COLUMNS = "matrix.csv", "summary.html", "matrix.parquet"
_STATUS_VERDICTS = dict(zip(STATUSES, (Verdict.OK, Verdict.FAULT, Verdict.UNKNOWN, Verdict.UNKNOWN), strict=True))


class BatchReport:
    """What a batch says in all. Each part is read anew, so that a batch which goes on can be looked at again.

    Args:
        batch: its id, or the start of it; with an empty one the last.
        runbook: with an empty `batch`: the last of this runbook.
        reports: folder of the archive (default: as for records).
    """

    def __init__(self, batch: str = "", runbook: str = "", reports: Path | None = None) -> None:
        self._batch, self._runbook = batch.strip(), runbook.strip()
        self.reports = reports_folder(reports)

    def overview(self) -> StepView:
        """How many runs ended how; where there is no batch, what to do."""
        title = Text("What came of the batch?", "批次结果如何？")
        summary = self._summary()
        if summary is None:
            note = Text(
                "There is no batch yet: cargo-runbook batch 00_triage --env '*'",
                "还没有批次：cargo-runbook batch 00_triage --env '*'",
            )
            return StepView("", "", (), question=title, tables=(Table(title, (_BATCH,), (), note),))
        count = [sum(outcome.status == status for outcome in summary.outcomes) for status in STATUSES]
        rows = [
            (Cell(HEALTH[status], _STATUS_VERDICTS[status] if number else None), Cell(str(number)))
            for status, number in zip(STATUSES, count, strict=True)
        ]
        told = f"{summary.batch}, {summary.runbook}, {len(summary.outcomes)}"
        name = Text(f"Batch, runbook, runs: {told}", f"批次、Runbook、运行数：{told}")
        return self._shown(name, (STATUS, Text("runs", "数量")), rows, question=title)

    def matrix(self) -> StepView:
        """Environment against check, coloured by what is there; `could not tell` is a value as any other."""
        title = Text("Which check says what, where?", "各环境的各项检查结果如何？")
        summary = self._summary()
        columns = (ENVIRONMENT, *(STATIONS[check] for check in CHECKS), STATUS, ROOT_CAUSES)
        rows = []
        why = {outcome.environment: outcome.why for outcome in summary.outcomes} if summary else {}
        for row in summary.rows() if summary else ():
            verdicts = [Verdict(row[check]) for check in CHECKS]
            cells = (Cell(MEANINGS[verdict], verdict) for verdict in verdicts)
            status = Cell(HEALTH[row["status"]], _STATUS_VERDICTS[row["status"]], hint=why[row["environment"]])
            rows.append((Cell(row["environment"], hint=row["record"]), *cells, status, Cell(row["root_causes"] or "-")))
        return self._shown(title, columns, rows, dense=True)

    def groups(self) -> StepView:
        """Environments by the root cause that they share, the largest group first."""
        title = Text("Which environments share a root cause?", "哪些环境的根本原因相同？")
        summary, known = self._summary(), titles()
        columns = (ROOT_CAUSES, Text("title", "名称"), Text("environments", "环境"))
        groups = summary.groups.items() if summary else ()
        return self._shown(title, columns, [
            (Cell(share_words(code, names), Verdict.FAULT), Cell(known.get(code, Text(code, code))), Cell(", ".join(names)))
            for code, names in groups
        ])  # fmt: skip

    def changes(self) -> StepView:
        """What is not as it was in the batch before."""
        title = Text("What changed since the batch before?", "与上一批次相比有何变化？")
        summary = self._summary()
        before = summary.before if summary and summary.before else "-"
        columns = (ENVIRONMENT, Text(f"before ({before})", f"此前（{before}）"), Text("now", "现在"))
        return self._shown(title, columns, [
            (Cell(change.environment), *(Cell(word) for word in change_words(change)))
            for change in (summary.changes if summary else ())
        ])  # fmt: skip

    def frame(self) -> pandas.DataFrame:
        """The matrix as a DataFrame for further work; without rows where there is no batch."""
        return (self._summary() or Summary("", "", (), {})).frame()

    def files(self) -> StepView:
        """Writes CSV, page and Parquet beside the batch's book, and says where they are."""
        title = Text("Files to hand on", "可供分发的文件")
        summary = self._summary()
        rows = []
        for kind, path in write_files(self.reports, summary, parquet=True).items() if summary else ():
            rows.append((Cell(kind), Cell(str(path))))
        return self._shown(title, (Text("form", "格式"), Text("file", "文件")), rows)

    def _summary(self) -> Summary | None:
        if not self._batch and not batches(self.reports):
            return None
        return read_summary(self.reports, self._batch, self._runbook)

    def _shown(
        self,
        title: Text,
        columns: tuple[Text, ...],
        rows: Iterable[tuple[Cell, ...]],
        question: Text | None = None,
        *,
        dense: bool = False,
    ) -> StepView:
        found = tuple(rows)
        none = None if found else Text("Nothing.", "无。")
        return StepView("", "", (), question=question or title, tables=(Table(title, columns, found, none, dense),))


_BATCH = Text("batch", "批次")


def prepare() -> None:
    """Reads what `write_files` will need, where there is time for it."""
    titles()


def write_files(reports: Path, summary: Summary, *, parquet: bool) -> dict[str, Path]:
    """Writes the files of a batch beside its book.

    Args:
        parquet: also as Parquet, where polars is installed; it takes longer to load than a batch to be summed up.

    Returns:
        Their paths, by form.
    """
    place = reports / BATCHES / summary.batch
    paths = {"CSV": place / MATRIX, "HTML": place / PAGE}
    write_text(paths["CSV"], summary.csv())
    write_text(paths["HTML"], matrix_page(summary, titles()))
    if not parquet:
        return paths
    try:
        content = summary.parquet()
    except UsageError:
        return paths
    write_bytes(place / COLUMNS, content)
    return {**paths, "Parquet": place / COLUMNS}


def open_batch(batch: str = "", runbook: str = "", reports: str = "") -> BatchReport:
    """The summary of a batch, for a notebook.

    Raises:
        UsageError: there is no such batch.
    """
    opened = BatchReport(batch, runbook, Path(reports) if reports else None)
    if batch.strip():
        read_book(opened.reports, batch.strip())
    return opened

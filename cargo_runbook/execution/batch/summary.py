"""What a batch says in all: the matrix of environments and checks, groups by root cause, the difference to the one before."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cargo_runbook.errors import UsageError
from cargo_runbook.execution.batch.book import FAILED, Account, Outcome, batches, read_book
from cargo_runbook.findings import CHECKS, Verdict
from cargo_runbook.pasteable import pasteable
from cargo_runbook.texts import Text, tell

if TYPE_CHECKING:
    import pandas

NOT_RUN = Text("it was not run", "没有执行")
STATUSES = ("healthy", "fault", "unknown", FAILED)
HEADINGS = ("environment", "status", "root_causes", *CHECKS, "seconds", "record", "reason")


@dataclass(frozen=True)
class Change:
    """One environment that is not as it was in the batch before; `before` is empty when it was not in it, `after` when
    it is not in this one."""

    environment: str
    before: str
    after: str
    root_causes_before: tuple[str, ...] = ()
    root_causes_after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """A batch summed up.

    `outcomes` has each environment that was wanted; one that was not run is `unknown`. `groups` maps a root cause to the
    environments that share it, the largest group first; `before` is the id of the batch that `changes` compares with,
    empty when there is none.
    """

    batch: str
    runbook: str
    outcomes: tuple[Outcome, ...]
    groups: Mapping[str, tuple[str, ...]]
    before: str = ""
    changes: tuple[Change, ...] = ()

    def rows(self) -> list[dict[str, Any]]:
        """A row an environment, with the columns of HEADINGS. A check of a run that failed is `unknown`, never empty."""
        return [
            {
                "environment": outcome.environment,
                "status": outcome.status,
                "root_causes": " ".join(outcome.root_causes),
                **{check: outcome.cells.get(check, str(Verdict.UNKNOWN)) for check in CHECKS},
                "seconds": outcome.seconds,
                "record": outcome.record,
                "reason": outcome.reason,
            }
            for outcome in self.outcomes
        ]

    def frame(self) -> pandas.DataFrame:
        """The rows as a DataFrame, indexed by environment; checks and status are categories, so that a verdict which
        nobody has is counted as well."""
        import pandas

        verdicts = pandas.CategoricalDtype([str(verdict) for verdict in Verdict])
        kinds = {"status": pandas.CategoricalDtype(list(STATUSES)), **dict.fromkeys(CHECKS, verdicts)}
        return pandas.DataFrame(self.rows(), columns=list(HEADINGS)).astype(kinds).set_index("environment")

    def csv(self) -> str:
        """The rows as CSV with a line of headings."""
        text = io.StringIO()
        writer = csv.DictWriter(text, HEADINGS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _harmless(value) for name, value in row.items()} for row in self.rows())
        return text.getvalue()

    def parquet(self) -> bytes:
        """The rows as Parquet: root causes are lists, checks and status dictionaries; batch, runbook and the batch before
        stand in the metadata of the file.

        Raises:
            UsageError: polars is not installed.
        """
        try:
            import polars
        except ModuleNotFoundError:
            raise UsageError(
                tell("Parquet needs polars, which is not installed", "Parquet 需要 polars，但没有安装"),
                next_step="pip install 'cargo-runbook[parquet]'",
            ) from None
        kinds: dict[str, polars.DataType] = {
            **{name: polars.String() for name in HEADINGS},
            **{name: polars.Categorical() for name in ("status", *CHECKS)},
            "root_causes": polars.List(polars.String()),
            "seconds": polars.Float64(),
        }
        about = {"batch": self.batch, "runbook": self.runbook, "before": self.before}
        rows = [{**row, "root_causes": row["root_causes"].split()} for row in self.rows()]
        content = io.BytesIO()
        polars.DataFrame(rows, schema=kinds).write_parquet(content, metadata=about)
        return content.getvalue()

    def to_json(self) -> dict[str, Any]:
        """The machine interface of `summary`."""
        count = {status: sum(outcome.status == status for outcome in self.outcomes) for status in STATUSES}
        return {
            "batch": self.batch,
            "runbook": self.runbook,
            "before": self.before,
            "runs": len(self.outcomes),
            **count,
            "groups": [{"code": code, "environments": list(names)} for code, names in self.groups.items()],
            "changes": [
                {
                    "environment": change.environment,
                    "before": change.before,
                    "after": change.after,
                    "root_causes_before": list(change.root_causes_before),
                    "root_causes_after": list(change.root_causes_after),
                }
                for change in self.changes
            ],
            "matrix": [{**row, "root_causes": row["root_causes"].split()} for row in self.rows()],
        }


def sum_up(account: Account, before: Account | None = None) -> Summary:
    """The summary of a book, compared with another one's."""
    order = account.order
    nothing = dict.fromkeys(CHECKS, str(Verdict.UNKNOWN))
    outcomes = tuple(
        account.outcomes.get(name)
        or Outcome(name, order.runbook, "unknown", reason=NOT_RUN.en, reason_zh=NOT_RUN.zh, cells=nothing)
        for name in order.environments
    )
    groups: dict[str, list[str]] = {}
    for outcome in outcomes:
        for code in outcome.root_causes:
            groups.setdefault(code, []).append(outcome.environment)
    largest = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return Summary(
        order.batch,
        order.runbook,
        outcomes,
        {code: tuple(names) for code, names in largest},
        before.order.batch if before else "",
        _changes(account, before) if before else (),
    )


def read_summary(reports: Path, batch: str = "", runbook: str = "") -> Summary:
    """The summary of a batch (default: the last one of that runbook, or of any), with the difference to the one before.

    Raises:
        UsageError: there is no such batch.
    """
    if batch:
        account = read_book(reports, batch)
    else:
        found = next((a for a in _newest_first(reports, batches(reports)) if runbook in ("", a.order.runbook)), None)
        if found is None:
            raise UsageError(
                tell(f"there is no batch below {reports}", f"{reports} 下没有批次"),
                next_step=pasteable("cargo-runbook batch 00_triage --env '*'"),
            )
        account = found
    return sum_up(account, batch_before(reports, account))


def batch_before(reports: Path, account: Account) -> Account | None:
    """The last batch of the same runbook that was begun before and shares an environment."""
    order = account.order
    for other in _newest_first(reports, [name for name in batches(reports) if name < order.batch]):
        same = (other.order.runbook, other.order.replay) == (order.runbook, order.replay)
        if same and set(other.outcomes) & set(order.environments):
            return other
    return None


def _newest_first(reports: Path, names: Sequence[str]) -> Iterator[Account]:
    return (read_book(reports, name) for name in reversed(names))


def _changes(account: Account, before: Account) -> tuple[Change, ...]:
    """What differs; nothing is said of an environment that was not run this time."""
    now, old = account.outcomes, before.outcomes
    changes = []
    for name in sorted({*now, *(set(old) - set(account.order.environments))}):
        then, this = old.get(name), now.get(name)
        was = (then.status, then.root_causes) if then else ("", ())
        became = (this.status, this.root_causes) if this else ("", ())
        if was != became:
            changes.append(Change(name, was[0], became[0], was[1], became[1]))
    return tuple(changes)


def _harmless(value: Any) -> Any:
    # A spreadsheet takes a cell that begins like this for a formula, and hosts put words into reasons.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value

"""What a batch says in all: the matrix of environments and checks, groups by root cause, the difference to the one before."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cargo_runbook.errors import UsageError
from cargo_runbook.execution.batch.book import Account, Outcome, batches, read_book
from cargo_runbook.findings import CHECKS, Verdict

if TYPE_CHECKING:
    import pandas

HEADINGS = ("environment", "status", "root_causes", *CHECKS, "seconds", "record", "reason")


@dataclass(frozen=True)
class Change:
    """One environment that is not as it was in the batch before; `before` is empty when it was not in it."""

    environment: str
    before: str
    after: str
    root_causes_before: tuple[str, ...] = ()
    root_causes_after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """A batch summed up.

    `groups` maps a root cause to the environments that share it, the largest group first; `before` is the id of the
    batch that `changes` compares with, empty when there is none.
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
        """The rows as a DataFrame, indexed by environment."""
        import pandas

        return pandas.DataFrame(self.rows(), columns=list(HEADINGS)).set_index("environment")

    def csv(self) -> str:
        """The rows as CSV with a line of headings."""
        text = io.StringIO()
        writer = csv.DictWriter(text, HEADINGS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _harmless(value) for name, value in row.items()} for row in self.rows())
        return text.getvalue()


def sum_up(account: Account, before: Account | None = None) -> Summary:
    """The summary of a book, compared with another one's."""
    order = account.order
    outcomes = tuple(account.outcomes[name] for name in order.environments if name in account.outcomes)
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
        _changes(outcomes, before.outcomes) if before else (),
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
            raise UsageError(f"there is no batch below {reports}", next_step="cargo-runbook batch 00_triage --env '*'")
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


def _changes(now: Sequence[Outcome], before: Mapping[str, Outcome]) -> tuple[Change, ...]:
    changes = []
    for outcome in now:
        old = before.get(outcome.environment)
        if old is None:
            changes.append(Change(outcome.environment, "", outcome.status, (), outcome.root_causes))
        elif (old.status, old.root_causes) != (outcome.status, outcome.root_causes):
            changes.append(
                Change(outcome.environment, old.status, outcome.status, old.root_causes, outcome.root_causes)
            )
    return tuple(changes)


def _harmless(value: Any) -> Any:
    # A spreadsheet takes a cell that begins like this for a formula, and hosts put words into reasons.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value

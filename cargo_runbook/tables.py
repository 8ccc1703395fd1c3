"""A small table that a step shows, as plain data: what was asked, at which place, and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cargo_runbook.findings import Verdict
from cargo_runbook.texts import Text

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Cell:
    """One cell.

    Args:
        text: what stands in it; a str where both languages say the same.
        verdict: coloured and marked by it; None for a plain value.
        hint: shown when one points at it (where the value comes from, why it is wrong).
        evidence: id of the observation it was read from.
    """

    text: Text | str
    verdict: Verdict | None = None
    hint: Text | str = ""
    evidence: str = ""

    @property
    def said(self) -> Text:
        return as_text(self.text)

    @property
    def hinted(self) -> Text:
        return as_text(self.hint)


@dataclass(frozen=True)
class Table:
    """Rows of cells below columns.

    Args:
        note: stands below them and explains marks.
        dense: many columns of short words that are read from top to bottom, and so stay beside each other.
    """

    title: Text
    columns: tuple[Text, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: Text | None = None
    dense: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title.en}: a row of {len(row)} cells below {len(self.columns)} columns")

    @property
    def hinted(self) -> bool:
        """Whether a cell of it has a hint."""
        return any(cell.hinted.en for row in self.rows for cell in row)

    def frame(self) -> pandas.DataFrame:
        """The table for further work in a notebook: English column names, the cells' English texts."""
        import pandas

        rows = [[cell.said.en for cell in row] for row in self.rows]
        return pandas.DataFrame(rows, columns=[column.en for column in self.columns])


def as_text(text: Text | str) -> Text:
    """A str says the same in both languages."""
    return Text(text, text) if isinstance(text, str) else text

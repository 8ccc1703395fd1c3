"""The guide's map: each section with its notebook, its finding codes and the faults that bring them about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cargo_runbook.guide import NOTEBOOKS
from cargo_runbook.rules.catalog import catalog
from cargo_sandbox.faults.catalog import faults


@dataclass(frozen=True)
class Row:
    """One section.

    `notebook` is empty when its file is not there. `shared`: the faults are those of the section above, because the
    section only says how to look closer at the same ones.
    """

    section: str
    notebook: str
    codes: tuple[str, ...]
    faults: tuple[str, ...]
    shared: bool = False

    @property
    def lacks(self) -> tuple[str, ...]:
        """Which of notebook, code and fault the section has none of."""
        parts = {"notebook": self.notebook, "code": self.codes, "fault": self.faults}
        return tuple(name for name, part in parts.items() if not part)


def rows(runbooks: Path) -> tuple[Row, ...]:
    """The sections in the guide's order; `runbooks` is the folder of the notebooks."""
    return tuple(_row(section, notebook, runbooks) for section, notebook in NOTEBOOKS.items())


def _row(section: str, notebook: str, runbooks: Path) -> Row:
    own, above = _faults_of(section), section.rpartition(" / ")[0]
    return Row(
        section,
        notebook if (runbooks / f"{notebook}.ipynb").exists() else "",
        tuple(code for code, entry in catalog().items() if entry.section == section),
        own or (_faults_of(above) if NOTEBOOKS.get(above) == notebook else ()),
        shared=not own,
    )


def _faults_of(section: str) -> tuple[str, ...]:
    return tuple(fault.name for fault in faults() if fault.section == section)


def as_markdown(table: tuple[Row, ...]) -> str:
    """The page `docs/guide-map.md`."""
    lines = [
        "# The guide's map",
        "",
        "Made by `cargo-runbook sandbox faults --guide-map`; a test holds it against the code. Each section of the guide, the",
        "notebook that it became, what that can find, and the faults of the practice installation that bring it about. What a",
        "code means: [finding-codes.md](finding-codes.md).",
        "",
        "| section of the guide | notebook | finding codes | faults |",
        "|---|---|---|---|",
    ]
    for row in table:
        notebook = f"[{row.notebook}](../runbooks/{row.notebook}.ipynb)" if row.notebook else "-"
        broken = "as above" if row.shared and row.faults else ", ".join(row.faults) or "-"
        lines.append(f"| {row.section} | {notebook} | {', '.join(_spans(row.codes)) or '-'} | {broken} |")
    return "\n".join([*lines, ""])


def _spans(codes: tuple[str, ...]) -> list[str]:
    """`CRG401, CRG403 to CRG405`: neighbours of the section are drawn together."""
    spans: list[list[str]] = []
    for code in codes:
        if spans and int(code[3:]) == int(spans[-1][-1][3:]) + 1:
            spans[-1].append(code)
        else:
            spans.append([code])
    return [text for span in spans for text in ([f"{span[0]} to {span[-1]}"] if len(span) > 2 else span)]

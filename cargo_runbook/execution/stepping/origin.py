"""Which runbook a notebook was that is stepped through by hand, and which of the cells that ran are not its own."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cargo_runbook.execution.session import notebook_path

PRISTINE = ".runbooks"
"""Folder beside working copies with the runbooks as they were when the copies were made."""


@dataclass(frozen=True)
class Origin:
    """A notebook as it was before anything of it ran: SHA-256 (hex) of its file, the sources of its code cells, and
    which of them has the parameters.
    """

    sha256: str
    cells: tuple[str, ...]
    parameters: str

    def edited(self, ran: Sequence[str]) -> tuple[int, ...]:
        """Numbers (from 1) of the cells among those that ran that are not of this notebook. Other values of the same
        parameters are no edit.
        """
        own = {source.strip() for source in self.cells}
        names = _parameters(self.parameters)
        return tuple(
            number
            for number, source in enumerate(ran, start=1)
            if source.strip() not in own and not (names and _parameters(source) == names)
        )


def keep_pristine(copies: Path, runbooks: Sequence[Path]) -> None:
    """Keeps the runbooks as they are beside their working copies.

    Raises:
        OSError: the folder can't be written.
    """
    (copies / PRISTINE).mkdir()
    for path in runbooks:
        shutil.copyfile(path, copies / PRISTINE / path.name)
        (copies / PRISTINE / path.name).chmod(0o444)


def origin_now() -> Origin | None:
    """What the notebook of the running kernel was made from: the runbook that it is a working copy of, else its own file
    as it is on the disk now. None where there is no file, or it can't be read.
    """
    path = notebook_path()
    if path is None:
        return None
    pristine = path.parent / PRISTINE / path.name
    try:
        content = (pristine if pristine.is_file() else path).read_bytes()
        cells = [cell for cell in json.loads(content)["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
        tagged = (s for s, cell in zip(sources, cells, strict=True) if "parameters" in cell["metadata"].get("tags", ()))
        return Origin(sha256(content).hexdigest(), tuple(sources), next(tagged, ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _parameters(source: str) -> tuple[str, ...]:
    """Names that a cell gives plain values to; nothing for one that does anything else."""
    names = []
    try:
        for statement in ast.parse(source).body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                ):
                    ast.literal_eval(value)
                    names.append(name)
                case _:
                    return ()
    except (ValueError, SyntaxError):
        return ()
    return tuple(names)

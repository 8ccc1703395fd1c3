"""Where the runbooks are and which parameters they take."""

from __future__ import annotations

import ast
import json
import os
import threading
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cargo_runbook.errors import UsageError
from cargo_runbook.light_start import import_jsonschema
from cargo_runbook.texts import tell

if TYPE_CHECKING:
    from cargo_runbook.execution.warm.forge import Order

FOLDER_VARIABLE = "CARGO_RUNBOOK_RUNBOOKS"
_SUFFIX = ".ipynb"
# In a checkout it leads to the folder `runbooks` at the top.
SHIPPED = Path(str(files("cargo_runbook") / "runbooks")).resolve()
# Python 3.11 counts the depth of a syntax tree for all threads together, and then says that it counted wrongly.
_PARSING = threading.Lock()


def runbooks_folder(variables: Mapping[str, str] | None = None) -> Path:
    """The folder with the runbooks: CARGO_RUNBOOK_RUNBOOKS, else ./runbooks, else the one in the package.

    Raises:
        UsageError: there is none.
    """
    values = os.environ if variables is None else variables
    named = values.get(FOLDER_VARIABLE)
    candidates = [Path(named)] if named else [Path("runbooks"), SHIPPED]
    for folder in candidates:
        if any(folder.glob(f"*{_SUFFIX}")):
            return folder.absolute()
    raise UsageError(
        tell(
            f"there are no runbooks in {' or '.join(str(folder) for folder in candidates)}",
            f"以下目录中没有 Runbook：{'、'.join(str(folder) for folder in candidates)}",
        ),
        next_step=tell(
            f"Start in the project's folder, or set {FOLDER_VARIABLE}.",
            f"请在项目目录中执行，或设置 {FOLDER_VARIABLE}。",
        ),
    )


def find_runbook(name: str, folder: Path | None = None) -> Path:
    """The notebook of a runbook, by its name (`00_triage`, its start if only one has it) or by a path.

    Raises:
        UsageError: there is none, or several start like that; the sentence names those that are near.
    """
    if name.endswith(_SUFFIX) and Path(name).is_file():
        return Path(name).absolute()
    place = folder or runbooks_folder()
    known = {path.stem: path for path in sorted(place.glob(f"*{_SUFFIX}"))}
    stem = name.removesuffix(_SUFFIX)
    if stem in known:
        return known[stem]
    starting = [other for other in known if other.startswith(stem)] if stem else []
    if len(starting) == 1:
        return known[starting[0]]
    near = (
        starting or [other for other in known if stem and stem in other] or get_close_matches(stem, known, cutoff=0.5)
    )
    step = tell(f"There are: {', '.join(known)}", f"可用的有：{'、'.join(known)}")
    if near:
        step = tell(f"Did you mean {' or '.join(near)}?", f"是否指 {'、'.join(near)}？")
    raise UsageError(tell(f"there is no runbook named {name!r}", f"没有名为 {name!r} 的 Runbook"), next_step=step)


def uses_package(notebook: Path) -> bool:
    """Whether a notebook uses this package, as every runbook does: false only for a file that never names it."""
    try:
        return b"cargo_runbook" in notebook.read_bytes()
    except OSError:
        return True


def code_cells(notebook: Path, at_most: int = 100_000) -> tuple[str, ...]:
    """The code of a notebook, cell by cell, up to so many characters; nothing of a file that can't be read."""
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
        codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ()
    lengths = accumulate(map(len, codes))
    return tuple(code for code, length in zip(codes, lengths, strict=True) if length <= at_most)


def order_of(notebook: Path) -> Order:
    """What the process that kernels are forked from is told of the notebook that they will run."""
    # Late: most who look for a runbook fork no kernel.
    from cargo_runbook.execution.warm.forge import Order

    return Order(ours=uses_package(notebook), cells=code_cells(notebook))


def read_parameters(runbook: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters for a runbook, each of the type of its default; text is converted (`true`, `3`, `0.5`).

    Raises:
        UsageError: the runbook has no such parameter (papermill alone would only warn), a value is of another type,
            or the file is no notebook.
    """
    defaults = _defaults(runbook)
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name == "environment" and name not in defaults:
            raise UsageError(
                tell(
                    f"{runbook.stem} is about no environment: it reads the archive",
                    f"{runbook.stem} 不针对环境：它读取归档",
                ),
                next_step=tell(
                    "Open it with cargo-runbook notebook; cargo-runbook records postmortem INCIDENT writes the draft.",
                    "用 cargo-runbook notebook 打开；cargo-runbook records postmortem 事件 可生成草稿。",
                ),
            )
        if name not in defaults:
            near = get_close_matches(name, defaults)
            step = tell(f"It takes: {', '.join(defaults) or 'none'}", f"可用参数：{'、'.join(defaults) or '无'}")
            if near:
                step = tell(f'Did you mean "{near[0]}"?', f"是否指 “{near[0]}”？")
            raise UsageError(
                tell(f"{runbook.stem} has no parameter {name!r}", f"{runbook.stem} 没有参数 {name!r}"), next_step=step
            )
        values[name] = _converted(name, value, defaults[name])
    return values


def _defaults(runbook: Path) -> dict[str, Any]:
    """Names and default values of the cell tagged `parameters`; None for a default that is no plain value.

    Not by papermill's inspect_notebook: it prints, and standard output can't be set aside for one thread alone.
    """
    try:
        state = runbook.stat()
    except OSError as error:
        raise UsageError(
            tell(f"{runbook} is not a notebook: {error.strerror}", f"{runbook} 不是 Notebook：{error.strerror}")
        ) from None
    return _read_defaults(runbook, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=32)
def _read_defaults(runbook: Path, _changed: int, _size: int) -> dict[str, Any]:
    # A batch asks once for each environment, and reading a notebook takes as long as a cell.
    import_jsonschema()
    import nbformat
    from nbformat.reader import NotJSONError

    try:
        notebook = nbformat.read(runbook, as_version=4)  # type: ignore[no-untyped-call]
        cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
        with _PARSING:
            statements = ast.parse(cells[0].source).body if cells else []
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        SyntaxError,
        NotJSONError,
        nbformat.ValidationError,
    ) as error:
        raise UsageError(
            tell(
                f"{runbook} is not a notebook: {str(error).splitlines()[0][:100]}",
                f"{runbook} 不是 Notebook：{str(error).splitlines()[0][:100]}",
            )
        ) from None
    defaults: dict[str, Any] = {}
    for statement in statements:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                try:
                    defaults[name] = ast.literal_eval(value)
                except ValueError:
                    defaults[name] = None
    return defaults


def _converted(name: str, value: Any, default: Any) -> Any:
    if not isinstance(value, str) or default is None or isinstance(default, str):
        return value
    wanted = type(default)
    try:
        return {"true": True, "false": False}[value.lower()] if wanted is bool else wanted(value)
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            tell(
                f"the parameter {name} takes {wanted.__name__} values, not {value!r}",
                f"参数 {name} 的类型为 {wanted.__name__}，不能是 {value!r}",
            )
        ) from None

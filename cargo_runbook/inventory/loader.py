"""Where inventory files are, and how they become environments.

An environment `prod-1` is the file `prod-1.yaml` (or `.yml`) of the inventory folder; nothing else is read to load it,
so that a mistake in one file does not touch the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from cargo_runbook.errors import InventoryError, UnknownEnvironment, UsageError
from cargo_runbook.inventory.models import Environment
from cargo_runbook.inventory.source import MAX_BYTES, Problem, read_source
from cargo_runbook.inventory.validation import validate
from cargo_runbook.pasteable import pasteable
from cargo_runbook.texts import tell

SUFFIXES = (".yaml", ".yml")
_MOST_NAMED = 20


class InventoryProblems(InventoryError):
    """Several things are wrong with inventory files. `problems` has them one by one, in order."""

    def __init__(self, problems: Sequence[InventoryError]) -> None:
        first = problems[0]
        super().__init__("", file=first.file, line=first.line, key=first.key)
        self.what = "\n".join(str(problem) for problem in problems)
        self.problems = tuple(problems)


def inventory_folder(option: Path | None = None, variables: Mapping[str, str] | None = None) -> Path:
    """The folder that is meant, whether it exists or not.

    The option, else CARGO_RUNBOOK_INVENTORY, else ./environments, else `cargo-runbook/environments` in the user's
    configuration folder (XDG_CONFIG_HOME, ~/.config); ./environments when neither of the last two exists.
    """
    values = os.environ if variables is None else variables
    if option is not None:
        return option
    if named := values.get("CARGO_RUNBOOK_INVENTORY"):
        return Path(named)
    here = Path("environments")
    home = values.get("HOME") or str(Path.home())
    configuration = Path(values.get("XDG_CONFIG_HOME") or f"{home}/.config") / "cargo-runbook" / "environments"
    return configuration if configuration.is_dir() and not here.is_dir() else here


def find_inventory(option: Path | None = None, variables: Mapping[str, str] | None = None) -> Path:
    """The inventory folder (see `inventory_folder`), which must exist.

    Raises:
        UsageError: there is no such folder.
    """
    folder = inventory_folder(option, variables)
    if not folder.is_dir():
        raise UsageError(
            tell(f"there is no inventory: {folder} is not a folder", f"没有环境清单：{folder} 不是目录"),
            next_step=tell(
                "Write a first file with: cargo-runbook env init NAME   (or name the folder with --inventory)",
                "生成第一个文件：cargo-runbook env init 名称   （或用 --inventory 指定目录）",
            ),
        )
    return folder


def environment_names(folder: Path) -> tuple[str, ...]:
    """Names of all environments of a folder, sorted; nothing is read."""
    return tuple(sorted({file.stem for file in _files(folder)}))


def load_environment(name: str, folder: Path) -> Environment:
    """The environment `name` of an inventory folder.

    Raises:
        UnknownEnvironment: no file describes it.
        InventoryError: the file is wrong; `InventoryProblems` when in several ways.
    """
    return load_file(environment_file(name, folder))


def environment_file(name: str, folder: Path) -> Path:
    """The file that describes the environment `name`; nothing is read.

    Raises:
        UnknownEnvironment: no file does.
        InventoryError: two do.
    """
    files = [file for file in _named(name, folder) if os.path.lexists(file)]
    if not files:
        raise _unknown(name, folder)
    if len(files) > 1:
        raise InventoryError(
            tell(f"{name} is described twice, by {files[1].name} too", f"{name} 重复：{files[1].name} 也描述了该环境"),
            file=_shown(files[0]),
        )
    return files[0]


def load_file(file: Path) -> Environment:
    """The environment that a file describes.

    Raises:
        InventoryError: it can't be read or is wrong; `InventoryProblems` when in several ways.
    """
    return _described(file.absolute(), _text(file))


@lru_cache(maxsize=64)
def _described(file: Path, text: str) -> Environment:
    """A run opens its environment several times, and reading YAML takes longer than all that is done with it."""
    source = read_source(text)
    given = source.data.get("name")
    if given is None:
        source.data["name"] = file.stem
    elif given != file.stem:
        sentence = tell(
            f'name is "{given}", but the file is called {file.name}; leave the key out, or make them the same',
            f"name 为 “{given}”，而文件名为 {file.name}；请去掉该键，或使两者一致",
        )
        source.problems.append(Problem(source.line(("name",)), "name", sentence))
    environment, problems = validate(source) if source.readable else (None, [])
    problems = [*source.problems, *problems]
    if problems or environment is None:
        raise _as_error(file, problems)
    environment._file = file
    environment._folder = file.parent
    environment._lines = source.dotted_lines()
    return environment


def load_all(folder: Path) -> tuple[Environment, ...]:
    """All environments of a folder, by name.

    Raises:
        InventoryProblems: with what is wrong in all of the files.
    """
    return _load(environment_names(folder), folder)


def environment_of_domain(domain: str, folder: Path) -> Environment | None:
    """The environment of a folder with that domain or authority (`domain:port`); one that can't be read is passed over.

    Only files in which the domain stands as it is written are taken for YAML: they may be ten thousand.
    """
    sought = domain.lower()
    host = sought.partition(":")[0]
    for file in _files(folder):
        try:
            if host not in _text(file).lower():
                continue
            other = load_environment(file.stem, folder)
        except (InventoryError, UnknownEnvironment):
            continue
        if sought in (other.domain.lower(), other.authority.lower()):
            return other
    return None


def select(folder: Path, patterns: Sequence[str]) -> tuple[Environment, ...]:
    """The environments whose names match one of the patterns (`prod-*`), each once, by name.

    Raises:
        UnknownEnvironment: a pattern matches none.
        InventoryProblems: with what is wrong in the files that are meant; the others are not read.
    """
    return _load(choose(folder, patterns), folder)


def choose(folder: Path, patterns: Sequence[str]) -> tuple[str, ...]:
    """Names of the environments that match one of the patterns, each once, sorted; no file is read.

    Raises:
        UnknownEnvironment: a pattern matches none (`*` alone may match none).
    """
    names = environment_names(folder)
    chosen: set[str] = set()
    for pattern in patterns:
        matching = {name for name in names if fnmatchcase(name, pattern)}
        if not matching and pattern != "*":
            raise _unknown(pattern, folder)
        chosen |= matching
    return tuple(sorted(chosen))


def _load(names: Sequence[str], folder: Path) -> tuple[Environment, ...]:
    environments: list[Environment] = []
    problems: list[InventoryError] = []
    for name in names:
        try:
            environments.append(load_environment(name, folder))
        except InventoryError as error:
            problems.extend(each_problem(error))
    if problems:
        raise InventoryProblems(problems)
    return tuple(environments)


def each_problem(error: InventoryError) -> tuple[InventoryError, ...]:
    """The single problems of an inventory error."""
    return error.problems if isinstance(error, InventoryProblems) else (error,)


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(f for f in folder.iterdir() if f.suffix in SUFFIXES and not f.name.startswith("."))
    except OSError as error:
        raise UsageError(
            tell(
                f"the inventory folder {folder} can't be read: {error.strerror}",
                f"无法读取环境清单目录 {folder}：{error.strerror}",
            )
        ) from None


def _named(name: str, folder: Path) -> Iterator[Path]:
    """The files that can describe an environment. The folder is not listed for it: each of many would list them all."""
    for suffix in SUFFIXES:
        file = folder / f"{name}{suffix}"
        # Else it names another folder, or what `_files` passes over.
        if file.parent == folder and file.stem == name and "\0" not in name and not name.startswith("."):
            yield file


def _text(file: Path) -> str:
    shown = _shown(file)
    if not file.is_file():
        raise InventoryError(tell("this is not a file", "不是普通文件"), file=shown)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InventoryError(
                tell(f"the file is longer than {MAX_BYTES} bytes", f"文件超过 {MAX_BYTES} 字节"), file=shown
            )
        return file.read_text("utf-8")
    except OSError as error:
        raise InventoryError(
            tell(f"the file can't be read: {error.strerror}", f"无法读取文件：{error.strerror}"), file=shown
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InventoryError(tell("this is not UTF-8", "不是 UTF-8"), file=shown, line=line) from None


def _as_error(file: Path, problems: Sequence[Problem]) -> InventoryError:
    errors = [
        InventoryError(p.sentence, file=_shown(file), line=p.line, key=p.key, next_step=p.next_step)
        for p in sorted(problems, key=lambda p: p.line)
    ]
    return errors[0] if len(errors) == 1 else InventoryProblems(errors)


def _shown(file: Path) -> str:
    absolute = file.absolute()
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)


def _unknown(name: str, folder: Path) -> UnknownEnvironment:
    names = environment_names(folder)
    near = get_close_matches(name, names, n=3)
    if near:
        step = tell(f"Did you mean {' or '.join(near)}?", f"是否指 {' 或 '.join(near)}？")
    elif len(names) > _MOST_NAMED:
        first, listed = names[:_MOST_NAMED], pasteable("cargo-runbook env list")
        step = tell(
            f"There are {len(names)}: {', '.join(first)} …   All of them: {listed}",
            f"共有 {len(names)} 个：{'、'.join(first)}……   列出全部：{listed}",
        )
    elif names:
        step = tell(f"There are: {', '.join(names)}", f"已有：{'、'.join(names)}")
    else:
        init = pasteable("cargo-runbook env init NAME")
        step = tell(
            f"There is none at all in {folder}. Write one with: {init}", f"{folder} 中没有任何环境。生成一个：{init}"
        )
    return UnknownEnvironment(
        tell(f'no environment is called "{name}" in {folder}', f"{folder} 中没有名为 “{name}” 的环境"), next_step=step
    )

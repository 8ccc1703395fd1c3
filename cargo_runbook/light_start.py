"""A start that leaves out what takes time and is of no use: imports, and looking through modules for garbage."""

from __future__ import annotations

import atexit
import gc
import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_FORMATS = ("rfc3987_syntax", "rfc3986_validator", "isoduration")
_HADOOP = ("pyarrow",)
_WEB = ("requests",)
_AT_THE_START = (10_000, 20, 20)
_BY_DEFAULT = (700, 10, 10)


def begins() -> None:
    """For a process that begins: modules are much and never garbage. Looked through again and again while they are made,
    and twice at the end, they cost a batch a third of a second."""
    gc.set_threshold(*_AT_THE_START)
    atexit.register(gc.freeze)


def goes_on_for_long() -> None:
    """For one that has begun and goes on: what it leaves behind is looked for as often as by default, modules never."""
    gc.freeze()
    gc.set_threshold(*_BY_DEFAULT)


def import_jsonschema() -> None:
    """Imports jsonschema without its checkers for URIs, IRIs and durations, if it is not there yet.

    nbformat checks notebooks with jsonschema and asks for no formats; the grammar of IRIs (RFC 3987) alone takes longer to
    build than everything else that a run imports. jsonschema leaves a checker out whose library is missing.
    """
    _import_without(_FORMATS, "jsonschema")


def import_papermill() -> None:
    """Imports papermill without what reads notebooks from Hadoop or from the web, if it is not there yet.

    papermill imports pyarrow for the one where it is installed, and with it numpy, and requests for the other; a runbook is
    a file. What it reads from the web is imported when it does; pyarrow is not. Only for a process that has one thread so
    far: another one that imports either meanwhile would not find it.
    """
    import_jsonschema()
    with _put_off(*_WEB):
        _import_without(_HADOOP, "papermill.execute")


def _import_without(missing: tuple[str, ...], name: str) -> None:
    if name not in sys.modules:
        with left_out(*missing):
            importlib.import_module(name)


def left_out(*names: str) -> AbstractContextManager[None]:
    """While it lasts these modules can't be imported, unless they are there; whoever asks for them later gets them."""
    # What stands here as None can't be imported (importlib's own rule).
    return _stood_in_for(dict.fromkeys(names))


@contextmanager
def _stood_in_for(modules: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """While it lasts these stand in sys.modules, each unless its module is there."""
    absent = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules.update(absent)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name, module in absent.items():
            if sys.modules.get(name, sys) is module:
                del sys.modules[name]


class Seldom(ModuleType):
    """Stands in sys.modules for a module, which is imported when something of it is asked for.

    importlib.util.LazyLoader is not enough: since `import name` itself looks at `__spec__`, it loads at once.
    """

    def __getattr__(self, attribute: str) -> Any:
        """Only for what a bare module lacks; whoever looks over all modules (inspect does) asks for dunder names."""
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        name = self.__name__
        if sys.modules.get(name) is self:
            del sys.modules[name]
        return getattr(importlib.import_module(name), attribute)


def _put_off(*names: str) -> AbstractContextManager[None]:
    """Who imports these modules while it lasts gets a `Seldom`, unless they are there; others get them as ever."""
    there = (name for name in names if name not in sys.modules and find_spec(name) is not None)
    return _stood_in_for({name: Seldom(name) for name in there})


def load_when_used(name: str) -> None:
    """From now on `import name` gives a `Seldom`. A module that is there already, or isn't installed, stays as it is."""
    if name not in sys.modules and find_spec(name) is not None:
        sys.modules[name] = Seldom(name)

"""A start that leaves out what takes time and is of no use: imports, and looking through modules for garbage."""

from __future__ import annotations

import atexit
import gc
import importlib
import sys

_FORMATS = ("rfc3987_syntax", "isoduration")
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
    """Imports jsonschema without its checkers for IRIs and durations, if it is not there yet.

    nbformat checks notebooks with jsonschema and asks for no formats; the grammar of IRIs (RFC 3987) alone takes longer to
    build than everything else that a run imports. jsonschema leaves a checker out whose library is missing.
    """
    if "jsonschema" in sys.modules:
        return
    absent = [name for name in _FORMATS if name not in sys.modules]
    # What stands here as None can't be imported (importlib's own rule).
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        importlib.import_module("jsonschema")
    finally:
        for name in absent:
            del sys.modules[name]

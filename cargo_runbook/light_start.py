"""papermill and nbformat without what takes a second to import and is never used."""

from __future__ import annotations

import importlib
import sys

_FORMATS = ("rfc3987_syntax", "isoduration")


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

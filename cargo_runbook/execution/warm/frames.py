"""What pandas need not do when IPython shows a frame.

A frame is shown as text and as HTML, and pandas makes each value a text for either; and each text that it writes, it looks
through in a way that fits any object. Both are a third of what showing a small frame takes. What is shown is the same to the
letter: values are made texts once while both are made, and a text that has nothing to escape is what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from importlib import import_module
from typing import Any

# What pandas escapes in the values of frames that become text.
_BLANKS = ("\t", "\r", "\n")
_SAMPLES = ("two  words ", "", "中文", "<b>&", "tab\tline\nend\r", "'quoted'", 1, 1.5, None, True, ("a", "b"), ["a"])
# By what else a formatter could make another text of the same value, pandas does not say: with more of these, or with
# fewer, it is one that was not looked at.
_OF_A_FORMATTER = """
adj bold_rows col_space columns decimal escape float_format formatters frame header index justify max_cols max_cols_fitted
max_rows max_rows_fitted min_rows na_rep show_dimensions show_index_names sparsify tr_frame
"""
_PLAIN_KINDS = "biuf"

_Columns = dict[tuple[int, int, bool], tuple[Any, list[str]]]

_columns: ContextVar[_Columns | None] = ContextVar("columns", default=None)
"""Values of columns as texts, with their frame, while one object is being shown."""


def take_frame_shortcuts(shell: Any) -> None:
    """For this process and the kernels that are forked from it. Where pandas is not as it is known here, it goes its own way.

    Args:
        shell: the shell that shows frames.
    """
    from pandas import DataFrame, StringDtype

    printing, html, formats = (_inner(f"pandas.io.formats.{name}") for name in ("printing", "html", "format"))
    texts = _texts_at_once(printing.pprint_thing)
    if html.pprint_thing is printing.pprint_thing and _same(printing.pprint_thing, texts):
        printing.pprint_thing = html.pprint_thing = texts
    kind = formats.DataFrameFormatter
    if vars(kind(DataFrame())).keys() == set(_OF_A_FORMATTER.split()):
        kind.format_col = _columns_once(kind.format_col, StringDtype)
        _while_shown(shell.display_formatter)


def _inner(name: str) -> Any:
    # pandas' stubs do not name what is inside it.
    return import_module(name)


def _texts_at_once(pprint_thing: Callable[..., str]) -> Callable[..., str]:
    def pprint_thing_at_once(
        thing: object,
        _nest_lvl: int = 0,
        escape_chars: Any = None,
        default_escapes: bool = False,
        quote_strings: bool = False,
        max_seq_items: int | None = None,
    ) -> str:
        if type(thing) is str and not quote_strings:
            if not escape_chars:
                return thing
            if type(escape_chars) is dict or escape_chars == _BLANKS:
                for character in escape_chars:
                    if character in thing:
                        break
                else:
                    return thing
        return pprint_thing(thing, _nest_lvl, escape_chars, default_escapes, quote_strings, max_seq_items)

    return pprint_thing_at_once


def _same(pprint_thing: Callable[..., str], texts: Callable[..., str]) -> bool:
    escaped: tuple[Any, ...] = (None, {}, _BLANKS, {"&": "&amp;", "<": "&lt;", ">": "&gt;"})
    try:
        return all(
            texts(thing, 0, escape, default, quote) == pprint_thing(thing, 0, escape, default, quote)
            for thing in _SAMPLES
            for escape in escaped
            for default in (False, True)
            for quote in (False, True)
        )
    except TypeError:
        # It takes something else.
        return False


def _columns_once(format_col: Callable[[Any, int], list[str]], string_type: type) -> Callable[[Any, int], list[str]]:
    def format_column_once(self: Any, i: int) -> list[str]:
        columns = _columns.get()
        frame = self.tr_frame
        if columns is None or not _plain(self) or not _steady(frame, i, string_type):
            return format_col(self, i)
        key = (id(frame), i, self.index)
        if key not in columns:
            # With the frame: while it is kept, no other has its number.
            columns[key] = frame, format_col(self, i)
        return list(columns[key][1])

    return format_column_once


def _plain(formatter: Any) -> bool:
    """Whether it formats values as pandas does unless it is told otherwise."""
    return (
        not formatter.formatters
        and not formatter.col_space
        and formatter.float_format is None
        and formatter.na_rep == "NaN"
        and formatter.decimal == "."
    )


def _steady(frame: Any, i: int, string_type: type) -> bool:
    """Whether a column holds what is the same text each time: texts and numbers, and no objects that are asked for theirs."""
    dtype = frame._get_column_array(i).dtype
    return type(dtype) is string_type or (type(dtype).__module__.startswith("numpy") and dtype.kind in _PLAIN_KINDS)


def _while_shown(formatter: Any) -> None:
    shown = formatter.format

    def format_once(*args: Any, **options: Any) -> Any:
        token = _columns.set({})
        try:
            return shown(*args, **options)
        finally:
            _columns.reset(token)

    formatter.format = format_once

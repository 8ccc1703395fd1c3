"""A frame is shown in a forked kernel to the letter as pandas shows it."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter
from pandas.io.formats import format as formats
from pandas.io.formats import html, printing
from pandas.io.formats.format import DataFrameFormatter

from cargo_runbook.execution.warm.frames import take_frame_shortcuts

TEXTS = st.text(st.sampled_from("ab 中&<>\"'\t\n\r\\$\x00\x1b😀é"), max_size=70)
VALUES = st.one_of(
    TEXTS,
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.booleans(),
    st.none(),
    st.sampled_from((pd.NA, pd.NaT, pd.Timestamp("2026-01-02T03:04:05Z"), "https://hub.example.com/a", b"raw")),
    st.lists(TEXTS, max_size=3),
    st.dictionaries(TEXTS, st.integers(), max_size=2),
)
COLUMN_TYPES = (
    TEXTS,
    st.one_of(TEXTS, st.none()),
    st.integers(-5, 5),
    st.integers(0, 2**63 - 1),
    st.floats(),
    st.floats(allow_nan=False, width=16),
    st.booleans(),
    st.datetimes(),
    VALUES,
)
FRAMES = (
    pd.DataFrame(),
    pd.DataFrame({"text": ["a", None, "  two  words "], "number": [1, 2, 3], "share": [0.5, np.nan, 1e20]}),
    pd.DataFrame({"long": ["x" * 200, "域名" * 60], "c": pd.Categorical(["a", "b"]), "z": [1 + 2j, 3j]}),
    pd.DataFrame({n: range(100) for n in range(30)}),
    pd.DataFrame({"a": [1, 2], "b": [3, 4]}, index=pd.MultiIndex.from_tuples([("x", "<1>"), ("x", "&2")])),
    pd.DataFrame([[1, "two"]], columns=pd.MultiIndex.from_tuples([("x", "1"), ("x", "2")])),
    pd.DataFrame([["a", "b"]], columns=["same", "same"]),
    pd.DataFrame({"Int": pd.array([1, None], dtype="Int64"), "old": pd.array(["a", None], dtype="string[python]")}),
    pd.DataFrame({"nested": [pd.Series([1, 2]), pd.DataFrame({"inner": ["<b>"]})]}),
)


@pytest.fixture
def shortcut() -> Iterator[DisplayFormatter]:
    """What shows objects, in a process that took the shortcuts; they are gone at the end of the test."""
    with _taken() as formatter:
        yield formatter


@contextmanager
def _taken() -> Iterator[DisplayFormatter]:
    before = printing.pprint_thing, DataFrameFormatter.format_col
    formatter = DisplayFormatter()
    take_frame_shortcuts(SimpleNamespace(display_formatter=formatter))
    try:
        yield formatter
    finally:
        printing.pprint_thing, DataFrameFormatter.format_col = before
        html.pprint_thing = printing.pprint_thing


def _shown(frame: object, formatter: DisplayFormatter | None = None) -> Any:
    return (formatter or DisplayFormatter()).format(frame)[0]


@pytest.mark.parametrize("frame", FRAMES, ids=range(len(FRAMES)))
def test_a_frame_is_shown_as_pandas_shows_it(frame: pd.DataFrame) -> None:
    options = itertools.product((80, 30), (None, 2), (None, 8), ("{:.1f}".format, None))
    for width, rows, colwidth, floats in options:
        with pd.option_context(
            *("display.width", width, "display.max_rows", rows, "display.max_colwidth", colwidth),
            *("display.float_format", floats),
        ):
            expected = _shown(frame)
            with _taken() as shortcut:
                assert _shown(frame, shortcut) == expected


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_values_are_shown_as_pandas_shows_them(data: st.DataObject) -> None:
    rows = data.draw(st.integers(0, 5))
    kinds = data.draw(st.lists(st.sampled_from(COLUMN_TYPES), max_size=4))
    columns = {data.draw(TEXTS) + str(n): data.draw(st.lists(kind, min_size=rows, max_size=rows))
               for n, kind in enumerate(kinds)}  # fmt: skip
    frame = pd.DataFrame(columns, index=data.draw(st.lists(TEXTS, min_size=rows, max_size=rows)))
    expected, printed = _shown(frame), repr(frame)
    with _taken() as shortcut:
        assert _shown(frame, shortcut) == expected
        assert repr(frame) == printed


@given(
    VALUES,
    st.sampled_from((None, {}, {"<": "&lt;"}, {"a": "b", "b": "c"}, ("\t", "\r", "\n"), ["\t"], ("a",))),
    st.booleans(),
    st.booleans(),
)
def test_any_object_is_written_as_pandas_writes_it(thing: object, escaped: Any, default: bool, quoted: bool) -> None:
    def written() -> object:
        try:
            return printing.pprint_thing(thing, escape_chars=escaped, default_escapes=default, quote_strings=quoted)
        except KeyError as error:
            return repr(error)

    expected = written()
    with _taken():
        assert written() == expected


def test_texts_and_numbers_are_made_texts_once_while_a_frame_is_shown(
    shortcut: DisplayFormatter, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    ask = formats.format_array

    def format_array(values: Any, *args: Any, **options: Any) -> Any:
        # Not those of headings and of the index.
        if values.dtype.kind in "ifb":
            made.append(values.dtype)
        return ask(values, *args, **options)

    monkeypatch.setattr(formats, "format_array", format_array)
    frame = pd.DataFrame({"number": [1, 2], "share": [0.5, 1.5], "known": [True, False]})
    _shown(frame, shortcut)
    assert len(made) == 3
    _shown(frame, shortcut)
    assert len(made) == 6
    assert repr(frame)
    assert len(made) == 9
    frame.to_html(na_rep="-")
    assert len(made) == 12


def test_objects_are_asked_for_their_text_each_time(shortcut: DisplayFormatter) -> None:
    count = itertools.count()

    class Counting:
        def __str__(self) -> str:
            return f"asked {next(count)}"

    shown = _shown(pd.DataFrame({"object": [Counting()]}), shortcut)
    assert "asked 0" in shown["text/plain"]
    assert "asked 1" in shown["text/html"]


def test_what_changed_is_shown_as_it_is_now(shortcut: DisplayFormatter) -> None:
    frame = pd.DataFrame({"text": ["before"], "number": [1]})
    _shown(frame, shortcut)
    frame.loc[0, :] = ["after", 2]
    shown = _shown(frame, shortcut)
    assert "after" in shown["text/plain"]
    assert "after" in shown["text/html"]


def test_formats_of_its_own_are_kept(shortcut: DisplayFormatter) -> None:
    class Page:
        def _repr_html_(self) -> str:
            return str(frame.to_html(formatters={"text": str.upper}, na_rep="-", decimal=",", float_format="%.3f"))

        def __repr__(self) -> str:
            return repr(frame)

    frame = pd.DataFrame({"text": ["a", None], "share": [0.5, np.nan]})
    shown = _shown(Page(), shortcut)
    assert shown["text/plain"] == repr(frame)
    assert "<td>A</td>" in shown["text/html"]
    assert "<td>0,500</td>" in shown["text/html"]
    assert "<td>-</td>" in shown["text/html"]


def test_frames_that_are_gone_lend_nothing_to_those_that_take_their_place(shortcut: DisplayFormatter) -> None:
    class Many:
        def __repr__(self) -> str:
            return json.dumps([repr(pd.DataFrame({"n": [number]})) for number in range(200)])

    made = json.loads(_shown(Many(), shortcut)["text/plain"])
    assert made == [repr(pd.DataFrame({"n": [number]})) for number in range(200)]


def test_threads_show_their_own(shortcut: DisplayFormatter) -> None:
    frames = [pd.DataFrame({"n": range(size)}) for size in range(1, 9)]
    expected = [_shown(frame) for frame in frames]
    shown: dict[int, Any] = {}

    def show(number: int) -> None:
        shown[number] = [_shown(frames[number], shortcut) for _ in range(20)]

    threads = [threading.Thread(target=show, args=(number,)) for number in range(len(frames))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(shown[number] == [expected[number]] * 20 for number in range(len(frames)))


def test_another_pandas_goes_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    made = DataFrameFormatter.__init__

    def more(self: Any, *args: Any, **options: Any) -> None:
        made(self, *args, **options)
        self.theme = "dark"

    def quotes(thing: object, *args: Any, **options: Any) -> str:
        return f"«{thing}»"

    monkeypatch.setattr(DataFrameFormatter, "__init__", more)
    for module in (printing, html):
        monkeypatch.setattr(module, "pprint_thing", quotes)
    before = DataFrameFormatter.format_col
    with _taken():
        assert DataFrameFormatter.format_col is before
        assert printing.pprint_thing is html.pprint_thing is quotes

"""Tables of a step: in a page, in a terminal, and as a frame."""

from __future__ import annotations

import pytest

from cargo_runbook.findings import Verdict
from cargo_runbook.tables import Cell, Table
from cargo_runbook.texts import Text
from cargo_runbook.views.notebook import StepView
from cargo_runbook.views.terminal import as_text, plain_table

TABLE = Table(
    Text("Where the name leads", "域名解析到哪里"),
    (Text("name", "域名"), Text("operator", "操作机")),
    (
        (
            Cell("cargo.test"),
            Cell("203.0.113.14 ᴰ", Verdict.OK, hint=Text("from DNS", "来自 DNS"), evidence="E1"),
        ),
        (Cell("<b>x</b>"), Cell(Text("no such name", "域名不存在"), Verdict.FAULT)),
    ),
    Text("ᴰ DNS server", "ᴰ DNS 服务器"),
)
STEP = StepView("cargo", "matrix", (), question=Text("Where does it lead?", "解析到哪里？"), tables=(TABLE,))


def test_a_terminal_shows_columns_signs_and_the_note() -> None:
    lines = as_text(plain_table(TABLE, "en")).splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["name", "operator"],
        ["cargo.test", "●", "203.0.113.14", "ᴰ"],
        ["<b>x</b>", "✗", "no", "such", "name"],
    ]
    assert "域名不存在" in as_text(plain_table(TABLE, "zh"))


def test_a_page_shows_it_escaped_with_hints_and_evidence() -> None:
    html = STEP.to_html()
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert "<b>x</b>" not in html
    hint = html[html.index('role="tooltip"') :]
    assert "from DNS" in hint
    assert "来自 DNS" in hint
    assert 'class="crb-hinted" tabindex="0"' in html, "the tab key gets to what has a hint"
    assert 'class="crb-cell-fault"' in html
    assert "E1" in html
    assert "Nothing was asked" not in html
    assert "Where the name leads" in str(STEP)


def test_a_frame_has_the_english_texts() -> None:
    frame = TABLE.frame()
    assert list(frame.columns) == ["name", "operator"]
    assert frame.loc[1, "operator"] == "no such name"


def test_a_row_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="2 cells below 1 columns"):
        Table(TABLE.title, TABLE.columns[:1], TABLE.rows)

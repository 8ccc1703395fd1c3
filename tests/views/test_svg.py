"""The drawing of the path: what it says to eyes and to screen readers."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from xml.etree import ElementTree

import pytest

from cargo_runbook import views
from cargo_runbook.findings import OPERATIONS, Verdict
from cargo_runbook.views.svg import STEP, picture
from cargo_runbook.views.way import stations
from tests.views.diagnoses import healthy, silent, wrong_domain

SVG = "{http://www.w3.org/2000/svg}"
RED, GREEN, GREY, AMBER = "#e03e3e", "#2f9e55", "#8b919a", "#c98a1b"


def layouts(drawing: str) -> list[ElementTree.Element]:
    found = ElementTree.fromstring(drawing).findall(f"{SVG}svg")
    assert [each.get("display") for each in found] == [None, "none"], "without our style one of them is shown"
    return found


def line_colours(drawing: str) -> list[str | None]:
    """Of one layout; the other one has the same."""
    across, down = ([line.get("stroke") for line in layout.iter(f"{SVG}line")] for layout in layouts(drawing))
    assert across == down
    return across


def test_the_broken_link_is_red_what_is_proven_green_and_what_lies_behind_grey() -> None:
    assert line_colours(picture(wrong_domain())) == [GREEN, GREEN, RED, GREY, GREY, GREY, GREY]
    assert line_colours(picture(healthy())) == [GREEN] * 7
    assert line_colours(picture(silent())) == [AMBER] * 7


def test_the_broken_station_carries_its_code() -> None:
    way = stations(wrong_domain())
    assert [(s.label.en, s.code) for s in way if s.verdict is Verdict.FAULT] == [("challenge", "CRG201")]
    texts = [part.text for part in layouts(picture(wrong_domain()))[0].iter()]
    assert "CRG201" in texts
    assert {"client", "客户端", "challenge", "质询", "pull", "拉取"} <= set(texts)


def test_a_screen_reader_hears_every_station_with_its_state() -> None:
    root = ElementTree.fromstring(picture(wrong_domain()))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert "TLS (证书): ok; challenge (质询): fault CRG201; login (登录): not testable" in (description.text or "")


def test_equal_diagnoses_give_equal_drawings_and_others_give_others() -> None:
    assert picture(wrong_domain()) == picture(wrong_domain())
    assert picture(wrong_domain()) != picture(healthy("cargo"))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_both_layouts_say_the_same_in_both_languages(operation: str) -> None:
    across, down = layouts(picture(replace(wrong_domain(), operation=operation)))
    said = {" ".join(e.text.split()) for layout in (across, down) for e in layout.iter() if e.text and e.text.strip()}
    for station in stations(replace(wrong_domain(), operation=operation)):
        assert {station.label.en, station.label.zh} <= said
        for layout in (across, down):
            words = [" ".join((e.text or "").split()) for e in layout.iter()]
            assert {w for w in (station.label.en, station.label.zh, station.code, station.request) if w} <= {*words}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_style_turns_the_drawing_where_the_stations_have_no_room_beside_each_other(operation: str) -> None:
    drawing = ElementTree.fromstring(picture(replace(healthy(), operation=operation)))
    way = stations(replace(healthy(), operation=operation))
    assert drawing.get("width") == str(STEP * len(way))
    rule = f"@container (max-width:{STEP * len(way) - 1}px){{.crb .crb-way-{len(way)}{{"
    assert f"crb-way-{len(way)}" in (drawing.get("class") or "")
    assert rule in (files(views) / "templates" / "notebook.css").read_text("utf-8")


def test_the_name_and_the_description_say_which_operation_it_is_in_both_languages() -> None:
    root = ElementTree.fromstring(picture(replace(wrong_domain(), operation="push")))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert title.text == "Path of a push, cargo · 推送路径"
    assert "challenge GET /v2/ (质询): fault CRG201; login GET token (登录): not testable" in (description.text or "")
    assert "质询 GET /v2/：故障 CRG201；登录 GET token：无法测试" in (description.text or "")

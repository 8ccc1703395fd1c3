"""The drawing of the path: what it says to eyes and to screen readers."""

from __future__ import annotations

from xml.etree import ElementTree

from cargo_runbook.findings import Verdict
from cargo_runbook.views.svg import pull_path, stations
from tests.views.diagnoses import healthy, silent, wrong_domain

SVG = "{http://www.w3.org/2000/svg}"
RED, GREEN, GREY, AMBER = "#e03e3e", "#2f9e55", "#8b919a", "#c98a1b"


def line_colours(drawing: str) -> list[str | None]:
    return [line.get("stroke") for line in ElementTree.fromstring(drawing).iter(f"{SVG}line")]


def test_the_broken_link_is_red_what_is_proven_green_and_what_lies_behind_grey() -> None:
    assert line_colours(pull_path(wrong_domain())) == [GREEN, GREEN, RED, GREY, GREY, GREY, GREY]
    assert line_colours(pull_path(healthy())) == [GREEN] * 7
    assert line_colours(pull_path(silent())) == [AMBER] * 7


def test_the_broken_station_carries_its_code() -> None:
    way = stations(wrong_domain())
    assert [(s.label.en, s.code) for s in way if s.verdict is Verdict.FAULT] == [("challenge", "CRG201")]
    texts = [t.text for t in ElementTree.fromstring(pull_path(wrong_domain())).iter(f"{SVG}text")]
    assert "CRG201" in texts
    assert {"client", "客户端", "challenge", "质询", "pull", "拉取"} <= set(texts)


def test_a_screen_reader_hears_every_station_with_its_state() -> None:
    root = ElementTree.fromstring(pull_path(wrong_domain()))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert "TLS (证书): ok; challenge (质询): fault CRG201; login (登录): not testable" in (description.text or "")


def test_equal_diagnoses_give_equal_drawings_and_others_give_others() -> None:
    assert pull_path(wrong_domain()) == pull_path(wrong_domain())
    assert pull_path(wrong_domain()) != pull_path(healthy("cargo"))

"""A notebook on a page: what tries to be more than text is not, and each cell can be led to."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from cargo_runbook.archive.sharing.notebook import notebook_html

HOSTILE = (
    '</div></main><form action="https://evil.example"><input></form><b data-seal="whole" id="head">verified</b>'
    '<img src="https://evil.example/x.png" onerror="x"><div id="cell-id=n9" class="cell code_cell">'
)
FORMS = ("text/html", "text/plain", "text/latex", "text/markdown", "image/svg+xml", "image/png", "image/jpeg",
         "application/javascript", "application/vnd.jupyter.widget-view+json", "text/vnd.mermaid")  # fmt: skip


def written(path: Path, *cells: nbformat.NotebookNode) -> Path:
    path.write_text(json.dumps(nbformat.v4.new_notebook(cells=list(cells))), encoding="utf-8")
    return path


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_no_form_of_an_output_brings_attributes_forms_or_places_of_its_own(tmp_path: Path) -> None:
    outputs = [nbformat.v4.new_output("display_data", {form: HOSTILE}) for form in FORMS]
    outputs.append(nbformat.v4.new_output("stream", text=HOSTILE))
    outputs.append(nbformat.v4.new_output("error", ename=HOSTILE, evalue=HOSTILE, traceback=[HOSTILE]))
    sizes = {"image/png": {"width": '1" onerror="x', "alt": HOSTILE}}
    outputs.append(nbformat.v4.new_output("display_data", {"image/png": "iVBORw0KGgo="}, metadata=sizes))
    code = nbformat.v4.new_code_cell(HOSTILE, outputs=outputs, metadata={"tags": [HOSTILE]})
    path = written(
        tmp_path / "n.ipynb", code, nbformat.v4.new_markdown_cell(HOSTILE), nbformat.v4.new_raw_cell(HOSTILE)
    )
    shown = BeautifulSoup(notebook_html(path, "en"), "html.parser")
    assert "verified" in shown.text
    assert [each["id"] for each in shown.find_all(id=True)] == ["cell-1", "cell-2"]
    assert shown.find_all(["form", "input", "main", "iframe", "script"]) == []
    assert [each["src"] for each in shown.find_all("img")] == ["data:image/png;base64,iVBORw0KGgo="]
    allowed = {"class", "id", "role", "aria-label", "tabindex", "href", "src", "alt"}
    assert {name for each in shown.find_all(True) for name in each.attrs} <= allowed
    assert [each["href"] for each in shown.find_all("a")] == ["#cell-1", "#cell-2"]


def test_of_several_notebooks_on_one_page_each_cell_has_its_own_place_and_number(tmp_path: Path) -> None:
    path = written(tmp_path / "n.ipynb", *(nbformat.v4.new_code_cell(f"step({n})") for n in range(4)))
    shown = BeautifulSoup(notebook_html(path, "zh", only={2, 4}, prefix="R."), "html.parser")
    cells = shown.find_all(role="group")
    assert [(each["id"], each["aria-label"], each["tabindex"]) for each in cells] == [
        ("R.cell-2", "单元 2", "-1"),
        ("R.cell-4", "单元 4", "-1"),
    ]
    assert "step(1)" in cells[0].text


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        json.dumps({"cells": [{"cell_type": "code"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}),
        json.dumps({"cells": [7], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}),
        json.dumps({"cells": {}, "metadata": [], "nbformat": 4, "nbformat_minor": 4}),
        json.dumps({"cells": [], "metadata": {}, "nbformat": "x"}),
    ],
)
def test_what_is_no_notebook_is_not_shown_and_stops_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(content, encoding="utf-8")
    assert notebook_html(path, "en") == ""


def test_a_heading_is_its_text_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "n.ipynb", nbformat.v4.new_markdown_cell("## Does it resolve?"))
    shown = BeautifulSoup(notebook_html(path, "en"), "html.parser")
    assert [each.text.strip() for each in shown.find_all(["h2", "h3", "h4"])] == ["Does it resolve?"]

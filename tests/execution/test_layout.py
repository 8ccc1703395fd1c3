"""Notebooks, outputs and the text of a file are what nbformat would make."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode, from_dict
from nbformat.v4 import output_from_msg

from cargo_runbook.execution.layout import nodes, plain_output
from cargo_runbook.execution.saving import notebook_text


def test_nodes_are_those_of_nbformat_and_share_nothing_with_what_they_were_made_of() -> None:
    data = {"cells": [{"metadata": {"tags": ["a"]}, "outputs": [{"data": {"x": [{"y": 1}]}}]}], "tuple": ({"a": 1},)}
    made = nodes(data)
    assert made == from_dict(data)  # type: ignore[no-untyped-call]
    assert made.cells[0].outputs[0].data.x[0].y == 1
    assert isinstance(made.tuple[0], NotebookNode)
    made.cells[0].metadata.tags.append("b")
    assert data["cells"][0]["metadata"]["tags"] == ["a"]  # type: ignore[index]


def _message(kind: str, **content: Any) -> dict[str, Any]:
    return {"header": {"msg_type": kind}, "content": content}


@pytest.mark.parametrize(
    "message",
    [
        _message("stream", name="stdout", text="a\nb"),
        _message("display_data", data={"text/plain": "a"}, metadata={"text/plain": {"isolated": True}}),
        _message("execute_result", data={"text/html": "<p>", "text/plain": "a"}, metadata={}, execution_count=3),
        _message("execute_result", data={}, metadata={}, execution_count=None),
    ],
)
def test_a_plain_output_is_the_one_that_nbformat_makes(message: dict[str, Any]) -> None:
    assert plain_output(message) == output_from_msg(message)


@pytest.mark.parametrize(
    "message",
    [
        _message("stream", name="stdout", text=["a"]),
        _message("display_data", data={"text/plain": 1}, metadata={}),
        _message("display_data", data={"application/json": {"a": 1}}, metadata={}),
        _message("display_data", data={"text/plain": "a"}, metadata=None),
        _message("execute_result", data={"text/plain": "a"}, metadata={}, execution_count="3"),
        _message("execute_result", data={"text/plain": "a"}, metadata={}, execution_count=True),
        _message("error", ename="E", evalue="", traceback=[]),
        _message("clear_output", wait=False),
    ],
)
def test_what_is_not_plainly_an_output_is_left_to_nbformat(message: dict[str, Any]) -> None:
    assert plain_output(message) is None


def test_the_text_of_a_notebook_is_what_nbformat_writes_and_the_notebook_stays_as_it_was() -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "one\ntwo"},
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {"text/html": "<a>\n<b>", "image/svg+xml": "<svg>\n</svg>", "application/json": {"a": "x\ny"}},
        },
        {"output_type": "error", "ename": "E", "evalue": "a\nb", "traceback": ["a\nb"]},
    ]
    code = {"cell_type": "code", "id": "c", "metadata": {}, "execution_count": 1, "source": "a\nb", "outputs": outputs}
    prose = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# a\nb"}
    prose["attachments"] = {"a.txt": {"text/plain": "a\nb"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"a": {"b": 1}}, "cells": [code, prose]}
    before = json.dumps(notebook)
    assert notebook_text(notebook) == nbformat.writes(from_dict(notebook)) + "\n"  # type: ignore[no-untyped-call]
    assert json.dumps(notebook) == before

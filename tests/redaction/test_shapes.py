"""The words that spare a text from patterns: none is passed over because it was looked for below another one."""

from __future__ import annotations

import pytest

from cargo_runbook.redaction.shapes import shapes, shapes_for


@pytest.mark.parametrize("shape", [shape for shape in shapes() if shape.when], ids=lambda shape: shape.name)
def test_a_shape_is_tried_where_any_of_its_words_stands(shape: object) -> None:
    for word in shape.when:  # type: ignore[attr-defined]
        assert shape in shapes_for(f"x{word.upper()}y")

"""Secrets of known shapes are masked, what a diagnosis needs stays readable, and no text takes more than its time."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cargo_runbook.redaction.shapes import Shape, shapes, shapes_for
from cargo_runbook.secret import Redactor, Secret
from tests.redaction.examples import EVIDENCE, HOSTILE, MARKER, PASSWORD, SHAPES, alone


@pytest.mark.parametrize("name", SHAPES)
def test_a_secret_of_a_known_shape_is_gone_and_the_marker_beside_it_stays(name: str) -> None:
    text, gone = SHAPES[name]
    redacted = Redactor().redact(f"{MARKER}\n{text}\n{MARKER}\n")
    assert gone not in redacted
    assert redacted.startswith(f"{MARKER}\n")
    assert "‹secret " in redacted


@pytest.mark.parametrize("name", SHAPES)
def test_redacting_twice_changes_nothing_more(name: str) -> None:
    redactor = Redactor()
    once = redactor.redact(SHAPES[name][0])
    assert redactor.redact(once) == once


@given(
    st.lists(st.sampled_from([*[text for text, _ in SHAPES.values()], MARKER]), min_size=2, max_size=6),
    st.sampled_from(["\n", " ", ", ", "; ", "\t"]),
)
@example(["mysql --user admin harbor", SHAPES["redis-cli"][0], "ssh -p other-secret"], ", ")
def test_redacting_any_mixture_of_shapes_twice_changes_nothing_more(texts: list[str], between: str) -> None:
    redactor = alone()
    once = redactor.redact(between.join(texts))
    # A record would be refused for what only the second time finds.
    assert redactor.redact(once) == once


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.name)
def test_every_shape_of_the_table_is_needed(shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "cargo_runbook.secret.shapes_for", lambda text: [other for other in shapes_for(text) if other is not shape]
    )
    assert [name for name, (text, gone) in SHAPES.items() if gone in Redactor().redact(text)]


@pytest.mark.parametrize("text", EVIDENCE)
def test_what_a_diagnosis_needs_survives(text: str) -> None:
    assert Redactor().redact(text) == text


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.name)
def test_no_shape_takes_more_than_its_time_for_a_hostile_text(shape: Shape) -> None:
    slow = {}
    for piece in HOSTILE:
        text = f"{' '.join(shape.when)} {piece * (60_000 // len(piece))}"
        started = time.process_time()
        if shape.within is None:
            shape.pattern.sub("", text)
        else:
            shape.within.sub(lambda match: shape.pattern.sub("", match.group()), text)
        # A pattern that looks at each character once needs a few milliseconds; one that looks back, minutes.
        if (taken := time.process_time() - started) > 1.0:
            slow[piece] = round(taken, 1)
    assert not slow


def test_a_hostile_text_costs_the_redactor_no_minutes() -> None:
    redactor = Redactor()
    redactor.register(Secret(PASSWORD))
    started = time.process_time()
    for piece in HOSTILE:
        redactor.redact(piece * (60_000 // len(piece)))
    assert time.process_time() - started < 40

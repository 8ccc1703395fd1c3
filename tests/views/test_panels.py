"""The contract of all widgets: a value, a layout, plain text without a front end."""

from __future__ import annotations

from cargo_runbook.execution.pasting import understood
from cargo_runbook.views.panels import EnvironmentPanel, SymptomPanel
from cargo_runbook.views.pasted import PastedView


def test_the_default_comes_from_the_parameter() -> None:
    chooser = EnvironmentPanel(("cargo", "devops"), "devops")
    assert chooser.value == "devops"
    assert repr(chooser) == "Environment · 环境: devops"
    assert chooser.layout is not None


def test_a_choice_changes_the_value() -> None:
    chooser = EnvironmentPanel(("cargo", "devops"), "devops")
    chooser.value = "cargo"
    assert chooser.value == "cargo"


def test_a_parameter_that_the_inventory_does_not_have_is_offered_all_the_same() -> None:
    chooser = EnvironmentPanel(("cargo",), "prod-9")
    assert (chooser.value, chooser.names) == ("prod-9", ("prod-9", "cargo"))


def test_without_a_front_end_it_is_plain_text() -> None:
    bundle = EnvironmentPanel(("cargo",), "cargo", interactive=False)._repr_mimebundle_()
    assert bundle == {"text/plain": "Environment · 环境: cargo"}
    shown = EnvironmentPanel(("cargo",), "cargo")._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in shown


def test_nothing_to_choose_from_is_no_error() -> None:
    assert EnvironmentPanel((), "").value == ""


def said(text: str) -> PastedView:
    return PastedView(understood(text) if text else None)


def test_what_is_pasted_into_the_box_is_explained_below_it() -> None:
    box = SymptomPanel("", said)
    assert (box.value, repr(box)) == ("", "No error text was given. 没有给出报错文本。")
    box.value = "denied: requested access to the resource is denied"
    assert repr(box).startswith("permission-denied   ")
    _, area, below = box._box.children
    assert 'data-cause="permission-denied"' in below.value
    assert "application/vnd.jupyter.widget-view+json" in box._repr_mimebundle_()
    assert (area.value, box.layout is not None) == (box.value, True)


def test_without_a_front_end_the_parameter_is_explained() -> None:
    shown = SymptomPanel(
        "denied: requested access to the resource is denied", said, interactive=False
    )._repr_mimebundle_()
    assert set(shown) == {"text/plain", "text/html"}
    assert shown["text/plain"].startswith("permission-denied   ")


def test_a_pasted_text_is_shown_without_its_secrets_and_as_text_only() -> None:
    text = "docker login -u bob -p hunter2secret <b>r.example</b>: denied: requested access to the resource is denied"
    box = SymptomPanel(text, said, interactive=False)
    shown = str(box._repr_mimebundle_())
    assert "hunter2secret" not in shown
    assert "<b>r.example" not in shown

"""The contract of all widgets: a value, a layout, plain text without a front end."""

from __future__ import annotations

from cargo_runbook.views.widgets import EnvironmentChooser


def test_the_default_comes_from_the_parameter() -> None:
    chooser = EnvironmentChooser(("cargo", "devops"), "devops")
    assert chooser.value == "devops"
    assert repr(chooser) == "Environment · 环境: devops"
    assert chooser.layout is not None


def test_a_choice_changes_the_value() -> None:
    chooser = EnvironmentChooser(("cargo", "devops"), "devops")
    chooser.value = "cargo"
    assert chooser.value == "cargo"


def test_a_parameter_that_the_inventory_does_not_have_is_offered_all_the_same() -> None:
    chooser = EnvironmentChooser(("cargo",), "prod-9")
    assert (chooser.value, chooser.names) == ("prod-9", ("prod-9", "cargo"))


def test_without_a_front_end_it_is_plain_text() -> None:
    bundle = EnvironmentChooser(("cargo",), "cargo", interactive=False)._repr_mimebundle_()
    assert bundle == {"text/plain": "Environment · 环境: cargo"}
    shown = EnvironmentChooser(("cargo",), "cargo")._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in shown


def test_nothing_to_choose_from_is_no_error() -> None:
    assert EnvironmentChooser((), "").value == ""

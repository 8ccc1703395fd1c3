"""The contract of all widgets: a value, a layout, plain text without a front end."""

from __future__ import annotations

from typing import Any

import pytest
from ipywidgets import comm

from cargo_runbook.execution.pasting import understood
from cargo_runbook.findings import Verdict
from cargo_runbook.texts import Text
from cargo_runbook.views.checks import CheckLine, ChecksView
from cargo_runbook.views.panels import (
    ChecksPanel,
    EnvironmentPanel,
    LanguagePanel,
    NotesPanel,
    Panel,
    RunPanel,
    SymptomPanel,
)
from cargo_runbook.views.panels.panel import WIDGET_TYPE
from cargo_runbook.views.panels.speech import Speech, chosen_language
from cargo_runbook.views.pasted import PastedView
from cargo_runbook.views.ran import RanNote
from cargo_runbook.views.target import KnownHost, TargetView


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


def test_who_an_environment_is_is_read_once_for_each_choice() -> None:
    read: list[str] = []

    def target(name: str) -> TargetView:
        read.append(name)
        return TargetView(name, registry=f"{name}.example.com")

    chooser = EnvironmentPanel(("cargo", "devops"), "devops", target)
    assert "devops.example.com" in repr(chooser)
    assert "devops.example.com" in chooser.to_html()
    chooser.value = "cargo"
    assert "cargo.example.com" in repr(chooser)
    assert "cargo.example.com" in chooser.to_html()
    assert read == ["devops", "cargo"]


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


def panels(*, interactive: bool) -> list[Panel]:
    """Each panel that can be shown without anybody there, and with."""
    checks = ChecksView((CheckLine("dns", Text("Does it resolve?", "能否解析？"), Verdict.OK, Text("yes", "是"), 1.0),))
    target = TargetView("cargo", "production", "r.example", (KnownHost("cargo", "192.0.2.1", ()),))
    return [
        EnvironmentPanel(("cargo",), "cargo", lambda _: target, interactive=interactive),
        SymptomPanel("denied: requested access", said, incident="INC-7", interactive=interactive),
        ChecksPanel(checks, lambda: None, lambda: None, interactive=interactive),
        NotesPanel("seen", lambda _: Text("", ""), interactive=interactive),
        LanguagePanel(interactive=interactive),
    ]


@pytest.mark.parametrize("panel", panels(interactive=True), ids=lambda p: type(p).__name__)
def test_every_panel_has_a_value_a_layout_and_a_text(panel: Panel) -> None:
    assert panel.value
    assert panel.layout is panel._box.layout
    assert repr(panel)
    assert set(panel._repr_mimebundle_()) >= {"text/plain", WIDGET_TYPE}


@pytest.mark.parametrize("panel", panels(interactive=False), ids=lambda p: type(p).__name__)
def test_where_nobody_listens_no_panel_is_a_widget(panel: Panel) -> None:
    assert WIDGET_TYPE not in panel._repr_mimebundle_()


@pytest.mark.parametrize("interactive", [True, False])
def test_a_kernel_tells_of_the_widgets_only_where_somebody_listens(
    monkeypatch: pytest.MonkeyPatch, interactive: bool
) -> None:
    told: list[str] = []

    def tell(**about: Any) -> Any:
        told.append(about["target_name"])
        return comm.comm.DummyComm(**about)

    monkeypatch.setattr(comm, "create_comm", tell)
    panels(interactive=interactive)
    assert (set(told), comm.create_comm) == ({"jupyter.widget"} if interactive else set(), tell)


def test_the_identity_names_the_stage_in_a_word_and_a_host_without_a_known_key() -> None:
    panel = panels(interactive=False)[0]
    assert "PRODUCTION" in panel.to_html()
    assert "crb-stage-production" in panel.to_html()
    assert "no host key is known: it will be refused" in panel.to_html()
    assert "PRODUCTION · 生产环境   r.example" in repr(panel)


@pytest.mark.parametrize(
    ("wanted", "variables", "shown"),
    [
        ("zh", {"CARGO_RUNBOOK_LANG": "en"}, "zh"),
        ("", {"CARGO_RUNBOOK_LANG": "zh_CN.UTF-8", "LANG": "en_GB.UTF-8"}, "zh"),
        ("", {"LANG": "en_GB.UTF-8"}, "en"),
        ("both", {"LANG": "en_GB.UTF-8"}, "both"),
        ("", {"LANG": "C.UTF-8"}, "both"),
        ("", {}, "both"),
    ],
)
def test_the_language_is_that_of_the_parameter_the_variable_the_locale_or_both(
    wanted: str, variables: dict[str, str], shown: str
) -> None:
    assert chosen_language(wanted, variables) == shown


def test_a_switch_of_the_language_changes_labels_and_hides_the_other_one() -> None:
    speech, labels = Speech(), []
    speech.label(Text("Stop", "停止"), labels.append)
    speech.language = "zh"
    speech.language = "en"
    assert labels == ["Stop · 停止", "停止", "Stop"]
    assert ".crb-zh" in speech.style()
    assert ".crb-en" not in speech.style()


def test_what_did_not_change_is_not_drawn_anew() -> None:
    panel, view = RunPanel(lambda: None, lambda: None), said("")
    panel.show(view, RanNote((Text("ran", "已执行"),)))
    drawn: list[object] = []
    panel._shown.observe(drawn.append, "value")
    panel.show(view, RanNote((Text("frozen", "未重新执行"),)))
    assert drawn == []
    assert "frozen" in repr(panel)

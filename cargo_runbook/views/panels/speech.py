"""The language of a notebook: one for all that it shows, switched without running anything again.

HTML always holds both languages, and a style hides one; so does the prose of the notebooks, by its `lang`. A record
keeps both, whatever was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets
import traitlets

from cargo_runbook.texts import Language, Text

BOTH = "both"
_PROSE = ".jp-RenderedMarkdown"
_HIDDEN: Mapping[str, str] = {"en": "zh", "zh": "en"}


class Speech(traitlets.HasTraits):
    """`language` is `both`, `en` or `zh`."""

    language = traitlets.Enum((BOTH, "en", "zh"), default_value=BOTH)

    def say(self, text: Text) -> str:
        """A label in the language, or in both."""
        if self.language == BOTH:
            return text.en if text.en == text.zh else f"{text.en} · {text.zh}"
        language: Language = "zh" if self.language == "zh" else "en"
        return text.say(language)

    def label(self, text: Text, apply: Callable[[str], None]) -> None:
        """Calls `apply` with the label, now and whenever the language changes."""
        apply(self.say(text))
        self.observe(lambda _: apply(self.say(text)), "language")

    def style(self) -> str:
        """The style that shows the language alone; empty for both."""
        hidden = _HIDDEN.get(str(self.language))
        if hidden is None:
            return ""
        rule = f".crb .crb-{hidden},.crb .crb-dot,{_PROSE} [lang={hidden}]{{display:none!important}}"
        return f"<style>{rule}.crb.crb .crb-zh{{opacity:1!important}}</style>"


SPEECH = Speech()
"""That of this kernel: a kernel serves one notebook."""


def chosen_language(wanted: str, variables: Mapping[str, str]) -> str:
    """`wanted` (the parameter), else CARGO_RUNBOOK_LANG, else the locale; `both` where none of them says anything."""
    named = [wanted, *(variables.get(name, "") for name in ("CARGO_RUNBOOK_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))]
    for value in (name.lower() for name in named):
        if value.startswith("zh"):
            return "zh"
        if value.startswith("en"):
            return "en"
        if value == BOTH:
            return BOTH
    return BOTH


def language_switch() -> Any:
    """Buttons that switch, with the style that does it."""
    options = [("both · 双语", BOTH), ("English", "en"), ("中文", "zh")]
    buttons = ipywidgets.ToggleButtons(options=options, value=SPEECH.language, style={"button_width": "auto"})
    style = ipywidgets.HTML(SPEECH.style(), layout={"display": "none"})

    def switched(change: Any) -> None:
        SPEECH.language = change["new"]

    def follow(_: Any) -> None:
        buttons.value, style.value = SPEECH.language, SPEECH.style()

    buttons.observe(switched, "value")
    SPEECH.observe(follow, "language")
    buttons.add_class("crb-language")
    return ipywidgets.HBox([buttons, style])

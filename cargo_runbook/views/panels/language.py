"""The language alone, for notebooks that are about no environment."""

from __future__ import annotations

from cargo_runbook.texts import Text
from cargo_runbook.views.panels.panel import Panel, row
from cargo_runbook.views.panels.speech import SPEECH, language_switch

_LABEL = Text("Language", "语言")
_NAMES = {"both": "English · 中文", "en": "English", "zh": "中文"}


class LanguagePanel(Panel):
    """The switch; `value` is `both`, `en` or `zh`.

    Args:
        interactive: False shows the language alone.
    """

    def __init__(self, *, interactive: bool = True) -> None:
        super().__init__([row(language_switch())], interactive=interactive)

    @property
    def value(self) -> str:
        return str(SPEECH.language)

    @value.setter
    def value(self, language: str) -> None:
        SPEECH.language = language

    def __repr__(self) -> str:
        return f"{_LABEL.en} · {_LABEL.zh}: {_NAMES[self.value]}"

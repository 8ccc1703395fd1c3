"""What a pasted error text says, as a notebook shows it. All texts in it are without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text as RichText

from cargo_runbook.rules.catalog import catalog
from cargo_runbook.symptoms.answer import Answer
from cargo_runbook.symptoms.causes import Cause, causes
from cargo_runbook.texts import Text
from cargo_runbook.views import words
from cargo_runbook.views.notebook import View

_NOTHING = Text("No error text was given.", "没有给出报错文本。")
_NOT_PROVEN = Text("Nothing was found here that would explain the text.", "此处未发现能解释该报错的原因。")
_AS_SUGGESTED = Text("Proven, as the text suggests", "已证实，与报错一致")
_OTHERWISE = Text("Proven, and it is another cause than the text suggests", "已证实，但与报错所指的原因不同")
_OTHERS = 3


@dataclass(frozen=True, repr=False)
class PastedView(View):
    """The cause that a text names, the words that decided, other candidates; and what was proven, once it was tested.

    Args:
        answer: None when no text was given.
        proven: code of each root cause -> cause; None when nothing was tested yet.
    """

    answer: Answer | None
    proven: Mapping[str, str] | None = None

    template = "pasted.html.j2"

    @property
    def cause(self) -> Cause | None:
        """The likeliest cause; None when no text was given."""
        return causes()[self.answer.cause] if self.answer else None

    @property
    def decided_by(self) -> str:
        """The words that decided, with their line; empty when none did."""
        if self.answer is None or not self.answer.explanation.candidates[0].evidence:
            return ""
        first = self.answer.explanation.candidates[0]
        return f"{self.answer.redactor.redact(first.evidence[0])}   (line {first.line} · 第 {first.line} 行)"

    @property
    def others(self) -> str:
        """Other candidates with their scores."""
        listed = self.answer.explanation.candidates[1 : 1 + _OTHERS] if self.answer else ()
        return ", ".join(f"{candidate.cause} {candidate.score:.2f}" for candidate in listed)

    @property
    def proof(self) -> Text | None:
        """How what was proven stands to the text; None when nothing was tested."""
        if self.proven is None or self.answer is None:
            return None
        if not self.proven:
            return _NOT_PROVEN
        agreed = self.answer.cause in self.proven.values()
        return _AS_SUGGESTED if agreed else _OTHERWISE

    @property
    def proven_titles(self) -> tuple[tuple[str, Text], ...]:
        """Code and title of what was proven."""
        return tuple((code, catalog()[code].title) for code in self.proven or ())

    def _values(self) -> Mapping[str, Any]:
        return {"pasted": self, "nothing": _NOTHING}

    def _text(self) -> RenderableType:
        if self.answer is None or self.cause is None:
            return RichText(f"{_NOTHING.en} {_NOTHING.zh}")
        title = self.cause.title
        lines = [f"{self.answer.cause}   {title.en}   {title.zh}"]
        lines += [f"  words · 依据: {words.one_line(self.decided_by)}"] if self.decided_by else []
        lines += [f"  or · 也可能: {self.others}"] if self.others else []
        lines.append(f"  guide · 指南: {self.answer.section} ({self.answer.notebook})")
        if (proof := self.proof) is not None:
            lines.append(f"{proof.en} · {proof.zh}")
            lines += [f"  {code} {told.en} · {told.zh}" for code, told in self.proven_titles]
        return Group(*(RichText(line) for line in lines))

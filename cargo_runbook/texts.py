"""Text in both languages of the guide's readers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]
_STORED: ContextVar[bool] = ContextVar("_STORED", default=False)


@dataclass(frozen=True)
class Text:
    """One sentence in English and in Chinese. `str()` gives the English one."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en

    def say(self, language: Language) -> str:
        """The sentence in `language`."""
        return self.zh if language == "zh" else self.en

    def fill(self, values: Mapping[str, object]) -> Text:
        """The same text with `{name}` replaced by `values[name]` in both languages.

        Raises:
            KeyError: a name has no value.
        """
        return Text(self.en.format_map(values), self.zh.format_map(values))


def language_from(environment: Mapping[str, str] | None = None) -> Language:
    """The reader's language: CARGO_RUNBOOK_LANG, else the locale variables, else English."""
    values = os.environ if environment is None else environment
    for name in ("CARGO_RUNBOOK_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = values.get(name, "")
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def language_now() -> Language:
    """The language in which `tell` speaks just now."""
    return "en" if _STORED.get() else language_from()


class _Told(str):
    """What `tell` said, with what it would have said to another reader."""

    both: Text

    def __new__(cls, said: str, both: Text) -> _Told:
        told = super().__new__(cls, said)
        told.both = both
        return told

    def __reduce__(self) -> tuple[object, ...]:
        return _Told, (str(self), self.both)


def tell(en: str, zh: str) -> str:
    """The sentence in the reader's language (see `language_from`); for messages, errors and help texts.

    `both_of` has it in the other language as well.
    """
    text = Text(en, zh)
    return _Told(text.say(language_now()), text)


def say(text: Text) -> str:
    """As `tell`, of a text that stands elsewhere."""
    return tell(text.en, text.zh)


def both_of(said: str) -> Text:
    """Both languages of what `tell` said; any other text is the same in both."""
    return said.both if isinstance(said, _Told) else Text(said, said)


@contextmanager
def in_english() -> Iterator[None]:
    """Within it, and in this thread alone, `tell` speaks English: what is filed reads alike whoever ran it."""
    before = _STORED.set(True)
    try:
        yield
    finally:
        _STORED.reset(before)

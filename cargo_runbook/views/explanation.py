"""How the explanation of an error text looks in a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text as RichText

from cargo_runbook.findings import Diagnosis
from cargo_runbook.pasteable import pasteable
from cargo_runbook.rules.catalog import catalog
from cargo_runbook.symptoms.answer import Answer
from cargo_runbook.symptoms.causes import causes
from cargo_runbook.texts import Language, Text

_UNKNOWN = "unknown"


def explanation_card(given: Answer, environment: str, language: Language, *, most: int) -> RenderableType:
    """Cause, words that decided, other candidates, what tells them apart, where to go on; all texts are redacted.

    Args:
        environment: name that stands in the command to type next.
        most: so many of the errors of a paste are listed.
    """
    entry = causes()[given.cause]
    first = given.explanation.candidates[0]
    lines: list[RenderableType] = [
        RichText.assemble(
            (given.cause, "bold red" if given.cause != _UNKNOWN else "bold yellow"), "   ", entry.title.en
        )
        + RichText(f"   {entry.title.zh}")
    ]
    redact = given.redactor.redact
    for words in first.evidence[:1]:
        lines.append(_row(_say("words", "依据", language), f"{redact(words)}   ({_line(first.line, language)})"))
    lines += [_row(label, value) for label, value in _about(given, language) if value]
    if others := [c for c in given.explanation.candidates[1:] if c.cause != given.cause][:3]:
        named = ", ".join(f"{c.cause} {c.score:.2f}" for c in others)
        lines.append(_row(_say("or", "也可能", language), f"{named}   ({given.cause} {first.score:.2f})"))
    if given.apart:
        lines.append(RichText(f"  {_say('What tells them apart', '如何区分', language)}:"))
        lines += [_indented(f"{cause}: {text.say(language)}") for cause, text in given.apart.items()]
    else:
        lines.append(_row("→", _tell(given).say(language)))
    if len(given.explanation.statements) > 1:
        lines.append(RichText(f"  {_say('Errors in the text', '文本中的错误', language)}:"))
        shown = given.explanation.statements[:most]
        lines += [_indented(f"{_line(s.line, language)}  {s.cause}  {redact(s.text)[:160]}") for s in shown]
        if more := len(given.explanation.statements) - len(shown):
            lines.append(_indented(_say(f"and {more} more", f"另有 {more} 条", language)))
    lines += [RichText(), _row(_say("guide", "指南", language), given.section)]
    lines.append(_row(_say("next", "下一步", language), pasteable(given.command(environment))))
    return Group(*lines)


def proof_lines(diagnosis: Diagnosis, proven: Mapping[str, str], language: Language) -> RenderableType:
    """What the live diagnosis proved, a line a root cause."""
    if not proven:
        words = Text(
            f"Tested on {diagnosis.environment}: {diagnosis.status}, no root cause found.",
            f"已在 {diagnosis.environment} 实测：{diagnosis.status}，未发现根本原因。",
        )
        return RichText(f"\n{words.say(language)}")
    head = _say(f"Proven on {diagnosis.environment}", f"已在 {diagnosis.environment} 证实", language)
    rows = [RichText(f"\n{head}:")]
    for code, cause in proven.items():
        rows.append(_indented(f"{cause}   {code} {catalog()[code].title.say(language)}"))
    return Group(*rows)


def _about(given: Answer, language: Language) -> list[tuple[str, str]]:
    subject = given.subject
    seen = " · ".join(filter(None, (subject.client, subject.operation, subject.vantage)))
    if subject.resolver:
        seen += _say(f", asks the name server {subject.resolver}", f"，DNS 服务器 {subject.resolver}", language)
    return [
        (_say("domain", "域名", language), subject.domain),
        (_say("image", "镜像", language), subject.image),
        (_say("client", "客户端", language), seen),
    ]


def _tell(given: Answer) -> Text:
    values = {"domain": given.subject.domain or "DOMAIN", "repository": given.subject.repository or "REPOSITORY"}
    return causes()[given.cause].tell.fill(values)


def _row(label: str, value: str) -> RenderableType:
    return Padding(RichText(f"{label}: {value}" if label != "→" else f"→ {value}"), (0, 0, 0, 2))


def _indented(text: str) -> RichText:
    return RichText(f"    {text}")


def _line(number: int, language: Language) -> str:
    return _say(f"line {number}", f"第 {number} 行", language)


def _say(en: str, zh: str, language: Language) -> str:
    return Text(en, zh).say(language)

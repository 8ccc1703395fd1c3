"""One switch for the language of everything: `--lang`, CARGO_RUNBOOK_LANG, the locale, in this order.

Of typer's own words, those around a help text and in a complaint about wrong usage are translated here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, cast, get_args

import typer

from cargo_runbook.errors import UsageError
from cargo_runbook.texts import Language, language_from, tell

VARIABLE = "CARGO_RUNBOOK_LANG"
OPTION = "--lang"
LANGUAGES = get_args(Language)
# What follows is somebody else's command line.
_END = ("--",)
_PASSED_ON = ["sandbox", "run"]


OutputLanguageOption = Annotated[
    str, typer.Option(OPTION, metavar="en|zh", help=tell("Language (default: yours).", "语言，默认随系统。"))
]
"""For commands whose output has a language of its own."""


def chosen_language(given: str) -> Language:
    """The language that was asked for; the reader's own where none was.

    Raises:
        UsageError: there is no such language.
    """
    if not given:
        return language_from()
    if given not in LANGUAGES:
        raise UsageError(
            tell(f"there is no language {given!r} here", f"不支持语言 {given!r}"),
            next_step=tell(f"There are: {', '.join(LANGUAGES)}.", f"可选：{'、'.join(LANGUAGES)}。"),
        )
    return cast(Language, given)


def take_language(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The value of `--lang`, wherever it stands, and the arguments without it; empty when it is not there."""
    rest: list[str] = []
    language = ""
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word in _END or [each for each in rest if not each.startswith("-")][:2] == _PASSED_ON:
            return language, [*rest, word, *words]
        if word == OPTION and words:
            language = words.pop(0)
        elif word.startswith(f"{OPTION}="):
            language = word.partition("=")[2]
        else:
            rest.append(word)
    return language, rest


def has_its_own(command: Any, arguments: Sequence[str]) -> bool:
    """Whether the command that is meant has an option `--lang` of its own: of what it writes, not of what it says."""
    root = command
    for word in arguments:
        command = getattr(command, "commands", {}).get(word, command)
    return command is not root and any(OPTION in getattr(each, "opts", ()) for each in command.params)


_FRAME = (
    (r"(?m)^Usage: ", "用法："),
    (r"(?m)^Options:$", "选项："),
    (r"(?m)^Commands:$", "命令："),
    (r"(?m)^Arguments:$", "参数："),
    (r"(?m)(?<=  )Show this message and exit\.", "显示本帮助并退出。"),
    (r"\[OPTIONS\]", "[选项]"),
    (r"\bCOMMAND \[ARGS\]\.\.\.", "命令 [参数]..."),
    (r"\[default:\s+", "[默认："),
    (r"\[env var:\s+", "[环境变量："),
    (r"; default:\s+", "；默认："),
    (r"\brequired\]", "必填]"),
    (r"\[required", "[必填"),
)
_COMPLAINTS = (
    (r"^No such command (.+?)\.?$", r"没有命令 \1"),
    (r"^No such command (.+?)\. Did you mean (.+?)\?$", r"没有命令 \1，是否指 \2？"),
    (r"^No such option: (\S+?)\.?$", r"没有选项 \1"),
    (r"^No such option: (\S+?)\.? \(?(?:Did you mean|Possible options:) (.+?)[?)]*$", r"没有选项 \1，是否指 \2？"),
    (r"^Missing argument (.+?)\.?$", r"缺少参数 \1"),
    (r"^Missing option (.+?)\.?$", r"缺少选项 \1"),
    (r"^Missing command\.?$", "缺少命令"),
    (r"^Option (.+?) requires an argument\.?$", r"选项 \1 需要一个值"),
    (r"^Option (.+?) does not take a value\.?$", r"选项 \1 不接受值"),
    (r"^Got unexpected extra argument(?:s|\(s\))? \((.+)\)$", r"多余的参数（\1）"),
    (r"^Invalid value for (.+?): (.+)$", r"\1 的值无效：\2"),
)


def said(text: str, language: Language) -> str:
    """A complaint of typer's in the reader's language; one that is not known stays as it is."""
    if language == "zh":
        for pattern, words in reversed(_COMPLAINTS):
            if re.match(pattern, text, re.DOTALL):
                return re.sub(pattern, words, text, count=1, flags=re.DOTALL)
    return text


def frame(text: str, language: Language) -> str:
    """A help text with the words around it in the reader's language."""
    if language == "zh":
        for pattern, words in _FRAME:
            text = re.sub(pattern, words, text)
    return text


def speak(command: Any, language: Language) -> None:
    """From now on the help of a command, and of all below it, is framed in the language."""
    if language == "en":
        return
    plain = command.get_help
    command.get_help = lambda ctx: frame(plain(ctx), language)
    for each in getattr(command, "commands", {}).values():
        speak(each, language)

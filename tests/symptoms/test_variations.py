"""A text means the same however it was pasted: behind a prefix, in quotes, cut, with other hosts, in a Chinese sentence."""

from __future__ import annotations

import html
import json
import re
import textwrap
from collections.abc import Callable
from functools import cache

import pytest

from cargo_runbook.symptoms import explain
from tests.symptoms.corpus import TEXTS, Labelled

Variation = Callable[[str], str]


def _lines(change: Variation) -> Variation:
    return lambda text: "\n".join(change(line) for line in text.split("\n"))


def _cut(width: int) -> Variation:
    return _lines(lambda line: "\n".join(line[at : at + width] for at in range(0, max(len(line), 1), width)))


def _filled(width: int) -> Variation:
    fill = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False).fill
    return _lines(lambda line: fill(line) if len(line) > width else line)


def _other_hosts(text: str) -> str:
    names: dict[str, str] = {}
    for name in re.findall(r"\b(?:[a-z][a-z0-9-]*\.)+example\b", text):
        names.setdefault(name, f"h{len(names)}.city.example")
    return re.sub(r"\b(?:[a-z][a-z0-9-]*\.)+example\b", lambda match: names[match[0]], text)


def _other_addresses(text: str) -> str:
    return re.sub(r"(?<![\d.])(?:10|172|192)\.\d+\.\d+\.(\d+)(?![\d.])", r"100.64.7.\1", text)


def _unquoted(text: str) -> str:
    return re.sub(r"\b(Get|Head|Post|Put|Patch) \"(https?://[^\"\s]+)\"", r"\1 \2", text)


def _quoted(text: str) -> str:
    return re.sub(r"\b(Get|Head|Post|Put|Patch) (https?://[^\"\s]+?): ", r'\1 "\2": ', text)


# What changes nothing but the look.
LOOKS: dict[str, Variation] = {
    "in JSON": lambda text: json.dumps({"log": text}),
    "in JSON in JSON": lambda text: json.dumps({"message": json.dumps({"log": text})}),
    "a line of JSON each": _lines(lambda line: json.dumps({"log": f"{line}\n", "stream": "stderr"})),
    "from syslog": _lines(lambda line: f"Nov 20 09:14:02 node1 app[12]: {line}"),
    "from a pod's log": _lines(lambda line: f"2024-10-21T09:10:02.771024412Z stderr F {line}"),
    "from a pipeline": _lines(lambda line: f"[2024-10-21T09:10:02.771Z] {line}"),
    "from a build": _lines(lambda line: f"#12 3.412 {line}"),
    "from compose": _lines(lambda line: f"app-1  | {line}"),
    "in colour": _lines(lambda line: f"2024-10-21T09:10:02Z \x1b[31m{line}\x1b[0m"),
    "in a quotation": _lines(lambda line: f"> {line}"),
    "indented": _lines(lambda line: f"      {line}"),
    "with lines between": lambda text: text.replace("\n", "\n\n"),
    "with line ends of Windows": lambda text: text.replace("\n", "\r\n"),
    "with blanks at the ends": _lines(lambda line: f"{line}   "),
    "in a fence": lambda text: f"```bash\n{text}\n```",
    "with escaped quotes": lambda text: text.replace('"', '\\"'),
    "with quotes of a text program": lambda text: re.sub(r'"([^"\n]*)"', "“\\1”", text),
    "from a page": html.escape,
    "with full-width colons": lambda text: text.replace(": ", "：").replace(", ", "，"),
    "with full-width brackets": lambda text: text.replace("(", "（").replace(")", "）"),
    "after a Chinese sentence": lambda text: f"各位好，今天发布时报了下面这个错误，麻烦看一下：\n{text}",
    "before a Chinese sentence": lambda text: f"{text}\n请问这个怎么解决？昨天还是好的。",
    "within a Chinese sentence": lambda text: f"报错：{text}，求助",
    "with other hosts": _other_hosts,
    "with other addresses": _other_addresses,
    "with addresses as Go 1.13 and before wrote them": _unquoted,
    "with addresses as Go writes them now": _quoted,
}
# What takes something away.
CUTS: dict[str, Variation] = {
    "cut at 80 columns": _cut(80),
    "cut at 120 columns": _cut(120),
    "filled at 90 columns": _filled(90),
    "in small letters": str.lower,
    "on one line": lambda text: " ".join(line.strip() for line in text.split("\n")),
    "without its beginning": lambda text: text[12:] if len(text) > 150 else text,
    "without its end": lambda text: text[:-8] if len(text) > 150 else text,
}


@cache
def _right(every: int) -> list[Labelled]:
    """The texts that are explained rightly as they are."""
    return [text for text in TEXTS[::every] if explain(text.text).cause in (text.label, *text.alternates)]


def _turned(variation: Variation, every: int, share: float) -> list[str]:
    """The texts that a variation turns, if they are more than a share of all: one may be in any sample."""
    right = _right(every)
    turned = [text.name for text in right if explain(variation(text.text)).cause not in (text.label, *text.alternates)]
    return turned if len(turned) > max(1, len(right) * share) else []


@pytest.mark.parametrize("every", [320, pytest.param(12, marks=pytest.mark.slow)])
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
def test_how_a_text_looks_changes_no_answer(look: Variation, every: int) -> None:
    assert _turned(look, every, 0.005) == []


@pytest.mark.parametrize("every", [320, pytest.param(12, marks=pytest.mark.slow)])
@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS.keys())
def test_what_is_cut_is_read_as_it_was(cut: Variation, every: int) -> None:
    assert _turned(cut, every, 0.025) == []


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('docker pull\nGet "https://r.example/v2/": dial tcp: lookup r.example on 10.0.0.2:5', "dns-unresolvable"),
        ("Get https://r.example/v2/: http: server gave HTTP response to HT", "http-vs-https"),
        ("pushing to r.example/p/app:1: denied: requested access to the reso", "permission-denied"),
        # Half a word and whole words of another meaning are not written out.
        ("docker pull: see the manifest", "unknown"),
        ("docker: the repository", "unknown"),
    ],
)
def test_a_text_that_is_cut_off_is_read_to_its_end(text: str, cause: str) -> None:
    assert explain(text).cause == cause


def test_a_login_that_succeeds_in_the_end_was_refused_for_nothing() -> None:
    tried = "docker login r.example\nlogin attempt to https://r.example/v2/ failed with status: 401 Unauthorized"
    assert explain(tried).cause == "bad-credentials"
    again = f"{tried}\n$ docker login r.example\nLogin Succeeded\n"
    assert explain(again).cause == "unknown"
    assert (
        explain(f"{again}$ docker push r.example/p/app\ndenied: requested access to the resource is denied").cause
        == "permission-denied"
    )

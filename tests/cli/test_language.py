"""Every text that an engineer reads is there in English and in Chinese, by one switch."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from cargo_runbook.cli import main
from cargo_runbook.cli.language import said, take_language
from cargo_runbook.data import read_data
from cargo_runbook.rules.catalog import catalog
from tests.cli.code import CHINESE, ROOT, literal_of, name_of

# Names and words that both languages write alike: of programs, fields, units, commands.
ALIKE = re.compile(r"[\w\s.,:/@=+*?!'\"`$&|<>()\[\]{}%#~^;\\·×→‹›…-]*")


def texts() -> Iterator[tuple[str, str, str]]:
    """Both languages of each `Text("...", "...")` and `tell("...", "...")` of the code, with its place."""
    for package in ("cargo_runbook", "cargo_sandbox"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and name_of(node.func) in ("Text", "tell") and len(node.args) == 2:
                    en, zh = (literal_of(each) for each in node.args)
                    if en is not None and zh is not None:
                        yield f"{file.relative_to(ROOT)}:{node.lineno}", en, zh


def names(text: str) -> set[str]:
    """The words of a text that may be the same in both languages: names of programs, files, fields."""
    return {word.rstrip("s") for word in re.findall(r"[a-z0-9.-]+", text.lower())}


TEXTS = list(texts())
# Words of Cargo's pages that an engineer looks for on the screen, whatever language he reads.
ON_THE_SCREEN = {"管理员", "操作员", "访客", "同步中", "失败", "停止任务", "超时"}


def test_there_are_many_texts_and_each_has_both_languages() -> None:
    assert len(TEXTS) > 1000
    lacking = [
        f"{place}: {en[:60]!r} has no Chinese"
        for place, en, zh in TEXTS
        if not CHINESE.search(zh) and not (names(zh) <= names(en) and len(names(en)) < 4)
    ]
    assert lacking == []


def test_no_english_text_has_chinese_in_it_but_the_guides_titles_and_words_of_the_screen() -> None:
    titles = {entry.section for entry in catalog().values()}
    parts = ON_THE_SCREEN | {part for title in titles for part in title.split(" / ")}
    mixed = []
    for place, en, _ in TEXTS:
        # An example may search for a Chinese word.
        rest = re.sub(r"(?m)^  cargo-runbook .*$", "", en)
        for part in sorted(parts, key=len, reverse=True):
            rest = rest.replace(part, "")
        if CHINESE.search(rest):
            mixed.append(f"{place}: {en[:60]!r}")
    assert mixed == []


def pairs(value: Any, where: str) -> Iterator[tuple[str, str, str]]:
    """Each {en: ..., zh: ...} of a data file."""
    if isinstance(value, dict):
        if {"en", "zh"} & set(value):
            yield where, str(value.get("en", "")), str(value.get("zh", ""))
            return
        for key, each in value.items():
            yield from pairs(each, f"{where}.{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from pairs(each, f"{where}[{number}]")


def test_every_text_of_the_data_files_has_both_languages() -> None:
    found = []
    for package in ("cargo_runbook", "cargo_sandbox"):
        for file in sorted((ROOT / package).rglob("*.yml")):
            if {"recordings", "template"} & set(file.parts) or file.name in {"objects.yml", "coredns.yml"}:
                continue
            folder = ".".join(file.parent.relative_to(ROOT).parts)
            if not (file.parent / "__init__.py").exists():
                import yaml

                found += list(pairs(yaml.safe_load(file.read_text("utf-8")), file.name))
            else:
                found += list(pairs(read_data(folder, file.name), file.name))
    assert len(found) > 200
    assert [where for where, en, zh in found if not en or not zh or not CHINESE.search(zh)] == []


# The help of every command, group, argument and option, as the program itself has it in one language.
DUMP = """
import json, sys, typer
from cargo_runbook.cli.language import speak
from cargo_runbook.cli import main
from cargo_runbook.texts import language_from

def walk(command, path):
    told = {"help": command.help or "", "page": ""}
    told["page"] = command.get_help(typer.Context(command, info_name=path[-1]))
    told["parameters"] = {p.name: getattr(p, "help", None) or "" for p in command.params if p.name != "help"}
    found[" ".join(path)] = told
    for name, each in getattr(command, "commands", {}).items():
        walk(each, [*path, name])

found = {}
root = typer.main.get_command(main.build())
speak(root, language_from())
walk(root, ["cargo-runbook"])
print(json.dumps(found))
"""


def dump(language: str) -> dict[str, Any]:
    variables = {**os.environ, "CARGO_RUNBOOK_LANG": language, "COLUMNS": "100"}
    done = subprocess.run([sys.executable, "-c", DUMP], env=variables, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def helps() -> dict[str, dict[str, Any]]:
    return {language: dump(language) for language in ("en", "zh")}


@pytest.mark.slow
def test_every_command_argument_and_option_is_explained_in_both_languages(helps: dict[str, dict[str, Any]]) -> None:
    english, chinese = helps["en"], helps["zh"]
    assert list(english) == list(chinese)
    assert len(english) > 40
    lacking = []
    for name, told in english.items():
        other = chinese[name]
        for what, en in {"": told["help"], **told["parameters"]}.items():
            zh = other["parameters"].get(what, "") if what else other["help"]
            # A list of names needs no other language.
            if en and en == zh and ALIKE.fullmatch(en) and ", " in en and " the " not in en:
                continue
            if not en or not CHINESE.search(zh) or (what and CHINESE.search(en)):
                lacking.append(f"{name} {what}".strip())
    assert lacking == []


@pytest.mark.slow
def test_every_command_shows_an_example(helps: dict[str, dict[str, Any]]) -> None:
    for language, word in (("en", "Example"), ("zh", "示例：")):
        without = [
            name for name, told in helps[language].items() if word not in told["help"] or f"{name}" not in told["help"]
        ]
        groups = {"cargo-runbook"}
        assert [name for name in without if name not in groups] == []


@pytest.mark.slow
def test_a_chinese_page_of_help_has_no_english_frame(helps: dict[str, dict[str, Any]]) -> None:
    frame = re.compile(r"^(Usage|Options|Commands|Arguments):|Show this message|\[default|\[required|\[env var", re.M)
    assert {name: found for name, told in helps["zh"].items() if (found := frame.findall(told["page"]))} == {}


@pytest.mark.parametrize(
    ("arguments", "language", "rest"),
    [
        (["--lang", "zh", "env", "list"], "zh", ["env", "list"]),
        (["env", "list", "--lang=zh"], "zh", ["env", "list"]),
        (["env", "--lang", "en", "list", "--json"], "en", ["env", "list", "--json"]),
        (["env", "list"], "", ["env", "list"]),
        (["sandbox", "run", "ls", "--lang", "zh"], "", ["sandbox", "run", "ls", "--lang", "zh"]),
        (["--lang", "zh", "sandbox", "run", "--", "x", "--lang=en"], "zh", ["sandbox", "run", "--", "x", "--lang=en"]),
        (["explain", "--", "--lang", "zh"], "", ["explain", "--", "--lang", "zh"]),
        (["env", "list", "--lang"], "", ["env", "list", "--lang"]),
    ],
)
def test_the_switch_may_stand_anywhere_but_in_somebody_elses_command(
    arguments: list[str], language: str, rest: list[str]
) -> None:
    assert take_language(arguments) == (language, rest)


@pytest.mark.slow
def test_the_switch_comes_before_the_variable_and_the_variable_before_the_locale() -> None:
    def first_line(*arguments: str, **variables: str) -> str:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "CARGO_RUNBOOK_LANG"))}
        argv = [sys.executable, "-m", "cargo_runbook", *arguments, "--help"]
        done = subprocess.run(
            argv, env={**kept, "PYTHONUTF8": "1", **variables}, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()[0]

    assert first_line("env").startswith("Usage:")
    assert first_line("env", LANG="zh_CN.UTF-8").startswith("用法：")
    assert first_line("env", LANG="zh_CN.UTF-8", CARGO_RUNBOOK_LANG="en").startswith("Usage:")
    assert first_line("env", "--lang", "zh", CARGO_RUNBOOK_LANG="en").startswith("用法：")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "没有命令 'nonsense'"),
        (["env", "chek"], "没有命令 'chek'，是否指 'check'"),
        (["--nonsense"], "没有选项 --nonsense"),
        (["env", "show"], "缺少参数 'NAME'"),
        (["run", "00_triage"], "缺少选项 '--env' / '-e'"),
        (["env", "list", "much"], "多余的参数（much）"),
        (["batch", "00_triage", "-j", "x"], "'--jobs' / '-j' 的值无效："),
        (["env", "list", "--inventory"], "选项 '--inventory' 需要一个值"),
    ],
)
def test_wrong_usage_is_told_in_chinese(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "zh")
    assert main.run(arguments) == 2
    assert f"cargo-runbook: {told}" in capsys.readouterr().err


def test_a_complaint_that_is_not_known_stays_as_it_is() -> None:
    assert said("Something new.", "zh") == "Something new."
    assert said("No such command 'x'.", "en") == "No such command 'x'."


def test_a_command_with_a_language_of_its_own_keeps_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
    assert main.run(["explain", "x509: certificate signed by unknown authority", "--lang", "zh"]) in (0, 1, 3)
    assert CHINESE.search(capsys.readouterr().out)
    assert main.run(["explain", "x", "--lang", "fr"]) == 2
    assert "there is no language 'fr' here" in capsys.readouterr().err


def test_the_switch_counts_for_one_command_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CARGO_RUNBOOK_LANG", raising=False)
    assert main.run(["codes", "CRG000", "--lang", "zh"]) == 2
    assert "没有诊断代码" in capsys.readouterr().err
    assert "CARGO_RUNBOOK_LANG" not in os.environ
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
    assert main.run(["--lang", "zh", "codes", "CRG000"]) == 2
    assert os.environ["CARGO_RUNBOOK_LANG"] == "en"


def test_a_language_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["env", "list", "--lang", "fr"]) == 2
    assert "there is no language 'fr'" in capsys.readouterr().err

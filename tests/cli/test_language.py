"""Every text that an engineer reads is there in English and in Chinese, by one switch."""

from __future__ import annotations

import ast
import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.archive.ledger import LEDGER, LedgerError, read_account
from cargo_runbook.archive.sealing.interrupted import account_of
from cargo_runbook.cli import main
from cargo_runbook.cli.batch_progress import Lines
from cargo_runbook.cli.language import said, take_language
from cargo_runbook.connections import LiveConnections, ReplayConnections
from cargo_runbook.connections.neighbours import Neighbourhood
from cargo_runbook.data import read_data
from cargo_runbook.errors import ConnectionFailed, HostKeyError, InventoryError, RunbookError, Stopped, UsageError
from cargo_runbook.execution.batch.book import Book, Order, read_book
from cargo_runbook.execution.batch.plan import BatchPlan
from cargo_runbook.execution.batch.queue import Job, Limits
from cargo_runbook.execution.batch.runner import Batch
from cargo_runbook.execution.run import RunResult
from cargo_runbook.execution.watch import Watch
from cargo_runbook.inventory.loader import InventoryProblems, load_environment
from cargo_runbook.inventory.models import Environment, Host
from cargo_runbook.observations import (
    OPERATOR,
    Command,
    DnsQuery,
    HttpRequest,
    KubeCommand,
    Place,
    TlsHandshake,
    Vantage,
    observation_from_json,
    observation_to_json,
)
from cargo_runbook.rules.catalog import catalog
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import in_english, tell

ROOT = Path(__file__).parents[2]
CHINESE = re.compile(r"[\u3400-\u9fff]")
# Names and words that both languages write alike: of programs, fields, units, commands.
ALIKE = re.compile(r"[\w\s.,:/@=+*?!'\"`$&|<>()\[\]{}%#~^;\\·×→‹›…-]*")


def texts() -> Iterator[tuple[str, str, str]]:
    """Both languages of each `Text("...", "...")` and `tell("...", "...")` of the code, with its place."""
    for package in ("cargo_runbook", "cargo_sandbox"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and _name(node.func) in ("Text", "tell") and len(node.args) == 2:
                    en, zh = (_literal(each) for each in node.args)
                    if en is not None and zh is not None:
                        yield f"{file.relative_to(ROOT)}:{node.lineno}", en, zh


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _literal(node: ast.expr) -> str | None:
    """The words of a text; what is filled in counts for nothing. None where there are no words in the code."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            parts = [part.value for part in values if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            return "".join(parts)
        case _:
            return None


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


def errors() -> set[str]:
    """Names of all classes whose sentences an engineer reads: RunbookError and what is made of it, anywhere."""
    found, before = {"RunbookError"}, 0
    trees = [
        ast.parse(file.read_text("utf-8"))
        for package in ("cargo_runbook", "cargo_sandbox")
        for file in (ROOT / package).rglob("*.py")
    ]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    while len(found) > before:
        before = len(found)
        found |= {each.name for each in classes if found & {_name(base) for base in each.bases}}
    return found


# CannotEdit and Problem become a part of a sentence; `_failed` makes one; `super().__init__` has those that a class says itself.
# An outcome and a result have their reasons in both languages; a Failure takes a Text, which mypy holds.
SAYING = {"message", "complain", "CannotEdit", "Problem", "_failed", "__init__", "Failure", *errors()}
FIELDS = ("next_step", "seen", "what", "reason")
SAID = ("cargo_runbook", "cargo_sandbox/cli", "cargo_sandbox/drill.py", "cargo_sandbox/lab.py")


def _choices(node: ast.expr) -> Iterator[ast.expr]:
    """What an argument may come to: both sides of a condition, each side of an `or`."""
    match node:
        case ast.IfExp(body=body, orelse=other):
            yield from (*_choices(body), *_choices(other))
        case ast.BoolOp(values=values):
            yield from (each for value in values for each in _choices(value))
        case _:
            yield node


def english_alone() -> Iterator[tuple[str, str]]:
    """Sentences of commands, and of errors, that are told as they stand in the code, in one language; with the place."""
    for place in SAID:
        folder = ROOT / place
        for file in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and _name(node.func) in SAYING:
                    told = [*node.args, *(each.value for each in node.keywords if each.arg in FIELDS)]
                    for each in (choice for argument in told for choice in _choices(argument)):
                        words = _literal(each) or ""
                        # One word for a program, as a Failure's reason.
                        if re.fullmatch("[a-z_]+", words):
                            continue
                        # A command to type is the same in both languages.
                        if len(re.findall(r"[A-Za-z]{2,}", words)) > 1 and not words.startswith(
                            ("cargo-runbook ", "pip install ", "apt-get install ")
                        ):
                            yield f"{file.relative_to(ROOT)}:{each.lineno}", words


def test_mistakes_in_an_environment_file_are_told_in_the_readers_language(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "zh")
    (tmp_path / "shanghai.yaml").write_text(
        """domain: https://x/
image: library/tiny
hosts: [{name: a}]
accounts: [{username: u, password: hunter2}]
uses: [{account: v, action: pulls}]
hostss: 1
name: beijing
ca: [!x y]
""",
        "utf-8",
    )
    with pytest.raises(InventoryProblems) as caught:
        load_environment("shanghai", tmp_path)
    sentences = [each.what.split(": ", 1)[1] for each in caught.value.problems]
    assert len(sentences) > 5
    assert [each for each in sentences if not CHINESE.search(each) or re.search("expected|is not|must", each)] == []


def test_no_command_and_no_error_complains_in_one_language_alone() -> None:
    assert [f"{place}: {words[:60]}" for place, words in english_alone()] == []


def test_what_is_filed_is_english_whatever_the_reader_speaks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "zh")
    draft = tmp_path / "20260304T100000Z-shanghai-00_triage-abcdef"
    draft.mkdir()
    (draft / LEDGER).write_text("nothing\n", "utf-8")
    assert account_of(draft).reason == f"the ledger {draft / LEDGER} can't be read: line 1 is not JSON"

    def other(name: str) -> ReplayConnections:
        load_environment(name, tmp_path)
        return ReplayConnections(())

    asked = Neighbourhood(ReplayConnections(()), other).ask(DnsQuery(vantage=OPERATOR, name="x", environment="beijing"))
    assert asked.error.startswith('no environment is called "beijing"')
    with pytest.raises(LedgerError, match=r"运行台账 .* 无法读取：第 1 行不是 JSON"):
        read_account(draft)


def test_the_frame_of_an_error_speaks_as_the_error_does() -> None:
    """Whatever `errors.py` says is said by a `Text` or by `tell`: no word stands between the sentences by itself."""
    tree = ast.parse((ROOT / "cargo_runbook" / "errors.py").read_text("utf-8"))
    told = [each for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) in ("Text", "tell")
            for each in ast.walk(node)]  # fmt: skip
    quiet = [node.body[0] for node in ast.walk(tree)
             if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)]  # fmt: skip
    spared = {id(each) for part in (*told, *(x for q in quiet for x in ast.walk(q))) for each in [part]}
    said = [
        words
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) and id(node) not in spared
        for words in [_literal(node) or ""]
        if re.search("[A-Za-z]{2,}", words)
    ]
    assert said == []


def one_of_each() -> Iterator[RunbookError]:
    for vantage in ("operator", "cargo host cargo-1", "container tengine on cargo-1", "cluster kubectl-cargo",
                    "Harbor of shanghai", "Cargo-Admin of shanghai", "node node-1"):  # fmt: skip
        yield ConnectionFailed(tell("nothing answers", "没有应答"), vantage=vantage, section="权限问题")
    yield HostKeyError("192.0.2.1", fingerprint="SHA256:a", vantage="operator")
    yield HostKeyError("192.0.2.1", fingerprint="SHA256:a", known="SHA256:b")
    yield InventoryError(tell("this is no address", "这不是地址"), file="x.yaml", line=3)
    yield Stopped()


def test_an_error_is_shown_in_one_language_and_written_down_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "zh")
    names_alike = re.compile(
        r"x\.yaml:3|192\.0\.2\.1|SHA256:\w|known_hosts|cargo-1|tengine|kubectl-cargo|shanghai|node-1|Cargo-Admin|Cargo|Harbor"
    )
    for error in one_of_each():
        rest = names_alike.sub("", str(error)).replace("operator", "")
        assert not re.search("[A-Za-z]{2,}", rest), str(error)
        # From another process, as from a worker, it comes with both.
        for each in (error, pickle.loads(pickle.dumps(error))):
            english = each.in_full().en.replace("权限问题", "")
            assert not CHINESE.search(english), english
            with in_english():
                assert str(each) == each.in_full().en
            assert str(each) == str(error)


def test_a_failure_is_evidence_in_english_with_its_chinese_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "zh")
    nowhere = Host(name="gone", address="192.0.2.1")
    environment = Environment(name="test", domain="cargo.test", hosts=(nowhere,))
    live = LiveConnections(environment, lambda account: pytest.fail(account.name), Redactor())
    questions = (
        Command(vantage=OPERATOR, argv=("no-such-program",)),
        Command(vantage=Vantage(Place.CARGO_HOST, "other"), argv=("true",)),
        KubeCommand(vantage=Vantage(Place.CLUSTER), args=("get", "pods")),
        HttpRequest(url="ftp://cargo.test/"),
        HttpRequest(url="http://127.0.0.1:1/"),
        HttpRequest(url="https://other.test/", account="pusher"),
        TlsHandshake(address="127.0.0.1", server_name="cargo.test", port=1),
        DnsQuery(name="cargo.test", server="127.0.0.1:1", deadline=1.0),
        DnsQuery(name="cargo.test", rdtype="MX"),
    )
    for question in questions:
        seen = live.ask(question)
        assert not seen.answered, question
        assert seen.error
        assert not CHINESE.search(seen.error), seen.error
        assert seen.complaint.en == seen.error
        assert CHINESE.search(seen.complaint.zh), seen.complaint
        assert observation_from_json(observation_to_json(seen)).complaint == seen.complaint


def test_a_batch_writes_down_in_english_why_a_run_failed_and_tells_it_in_the_readers_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "zh")

    class Nowhere:
        def busy(self, running: int) -> bool:
            return False

        def run(self, job: Job, watch: Watch) -> RunResult:
            raise UsageError(tell("no run is possible here", "此处无法运行"))

    order = Order("b1", "00_triage", "", ("shanghai",))
    book = Book(tmp_path, order)
    plan = BatchPlan(order=order, source=tmp_path, jobs=(Job("shanghai"),), parameters={})
    Batch(plan, book, Nowhere(), Lines(1, as_json=False), Limits(1)).run()
    book.release()
    assert "此处无法运行" in capsys.readouterr().err
    kept = read_book(tmp_path, "b1").outcomes["shanghai"]
    assert (kept.reason, kept.why.zh) == ("no run is possible here", "此处无法运行")


def test_a_mistake_is_told_in_the_readers_language(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "zh")
    monkeypatch.chdir(tmp_path)
    assert main.run(["diagnose", "--env", "x", "--inventory", str(tmp_path / "nowhere")]) == 2
    assert "没有环境清单" in capsys.readouterr().err
    assert main.run(["run", "no-such-runbook", "--env", "x"]) == 2
    assert "没有名为 'no-such-runbook' 的 Runbook" in capsys.readouterr().err
    assert main.run(["codes", "CRG000"]) == 2
    assert "没有诊断代码 CRG000" in capsys.readouterr().err

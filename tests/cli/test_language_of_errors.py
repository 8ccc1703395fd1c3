"""What is complained about is told in the reader's language, and written down in English."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cargo_runbook.archive.ledger import LEDGER, LedgerError, read_account
from cargo_runbook.archive.sealing.interrupted import account_of
from cargo_runbook.cli import main
from cargo_runbook.cli.batch_progress import Lines
from cargo_runbook.connections import LiveConnections, ReplayConnections
from cargo_runbook.connections.neighbours import Neighbourhood
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
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import in_english, tell
from tests.cli.code import CHINESE, ROOT, literal_of, name_of


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
        found |= {each.name for each in classes if found & {name_of(base) for base in each.bases}}
    return found


# CannotEdit and Problem become a part of a sentence; `_failed` makes one; `super().__init__` has those that a class says itself.
# An outcome and a result have their reasons in both languages; a Failure takes a Text, which mypy holds.
SAYING = {"message", "complain", "CannotEdit", "Problem", "_failed", "__init__", "Failure"}
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
    saying = SAYING | errors()
    for place in SAID:
        folder = ROOT / place
        for file in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and name_of(node.func) in saying:
                    told = [*node.args, *(each.value for each in node.keywords if each.arg in FIELDS)]
                    for each in (choice for argument in told for choice in _choices(argument)):
                        words = literal_of(each) or ""
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
    told = [each for node in ast.walk(tree) if isinstance(node, ast.Call) and name_of(node.func) in ("Text", "tell")
            for each in ast.walk(node)]  # fmt: skip
    quiet = [node.body[0] for node in ast.walk(tree)
             if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)]  # fmt: skip
    spared = {id(each) for part in (*told, *(x for q in quiet for x in ast.walk(q))) for each in [part]}
    said = [
        words
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) and id(node) not in spared
        for words in [literal_of(node) or ""]
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

        def last_began(self) -> None: ...

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

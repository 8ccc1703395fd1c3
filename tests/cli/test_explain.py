"""`explain` as it is typed."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from cargo_runbook.cli.main import run

Capture = pytest.CaptureFixture[str]

UNRESOLVED = (
    'Get "https://reg.corp.example/v2/p/r/manifests/1": dial tcp: lookup reg.corp.example on 192.0.2.1:53: no such host'
)
ELSEWHERE = (
    'Get "https://cargo.caicloudprivatetest.com/v2/": Get "https://old-cargo.caicloudprivatetest.com/service/token'
    '?account=a&service=harbor-registry": dial tcp: lookup old-cargo.caicloudprivatetest.com: no such host'
)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
    monkeypatch.setenv("COLUMNS", "120")


def test_a_text_gives_cause_words_section_and_the_command_to_type_next(capsys: Capture) -> None:
    assert run(["explain", UNRESOLVED]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("dns-unresolvable   The name does not resolve   域名无法解析\n")
    assert "words: lookup reg.corp.example on 192.0.2.1:53: no such host   (line 1)" in printed
    assert "guide: 域名无法解析 / 本地场景" in printed
    assert "--env ENV -p image=p/r" in printed


def test_a_text_comes_from_a_file_or_from_standard_input(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "error.txt"
    file.write_text(f"$ docker pull\n{UNRESOLVED}\n", encoding="utf-8")
    assert run(["explain", str(file), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["cause"], body["causes"][0]["line"], body["parameters"]["domain"]) == (
        "dns-unresolvable",
        2,
        "reg.corp.example",
    )
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(UNRESOLVED.encode() + b"\xff"), encoding="utf-8"))
    assert run(["explain", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cause"] == "dns-unresolvable"


def test_lines_are_classified_in_their_order(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "errors.jsonl"
    texts = {"b": UNRESOLVED, "a": "make: *** [all] Error 1", "c": "denied: requested access to the resource is denied"}
    file.write_text("\n".join(json.dumps({"id": i, "text": t}) for i, t in texts.items()), encoding="utf-8")
    assert run(["explain", "--jsonl", str(file)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["id"], row["causes"][0]["cause"]) for row in rows] == [
        ("b", "dns-unresolvable"),
        ("a", "unknown"),
        ("c", "permission-denied"),
    ]
    assert set(rows[0]["causes"][0]) >= {"cause", "score", "evidence"}


def test_a_text_that_names_nothing_is_unknown_with_exit_code_3(capsys: Capture) -> None:
    assert run(["explain", "the weather is fine"]) == 3
    assert capsys.readouterr().out.startswith("unknown ")


def test_the_answer_comes_in_the_language_that_is_asked_for(capsys: Capture) -> None:
    assert run(["explain", UNRESOLVED, "--lang", "zh"]) == 0
    assert "依据: lookup reg.corp.example" in capsys.readouterr().out
    assert run(["explain", UNRESOLVED, "--lang", "fr"]) == 2


def test_with_an_environment_the_proven_cause_is_the_answer(capsys: Capture) -> None:
    assert run(["explain", ELSEWHERE, "--env", "cargo", "--replay", "wrong-domain"]) == 1
    printed = capsys.readouterr().out
    assert "Proven on cargo:\n    wrong-domain   CRG201" in printed


def test_the_live_look_corrects_what_the_text_alone_suggests(capsys: Capture) -> None:
    text = "Error response from daemon: login attempt to https://cargo.caicloudprivatetest.com/v2/ failed with status: 401 Unauthorized"
    assert run(["explain", text, "--env", "cargo", "--replay", "token-key-mismatch", "--json"]) == 1
    body = json.loads(capsys.readouterr().out)
    assert body["cause"] == "bad-credentials"
    assert body["proven"] == [{"code": "CRG304", "cause": "token-service"}]


def test_an_image_of_another_registry_is_not_looked_for_in_this_one(capsys: Capture) -> None:
    text = 'Get "https://reg.corp.example/v2/team/app/manifests/9": dial tcp: lookup reg.corp.example: no such host'
    assert run(["explain", text, "--env", "cargo", "--replay", "healthy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["diagnosis"]["status"] == "healthy"


def test_a_secret_in_the_text_is_printed_nowhere(capsys: Capture) -> None:
    text = (
        "docker login -u bob -p hunter2secret r.example; denied: requested access to the resource is denied marker-4711"
    )
    assert run(["explain", f"{text}\n{UNRESOLVED}"]) == 0
    printed = capsys.readouterr()
    assert "marker-4711" in printed.out
    assert "hunter2secret" not in printed.out + printed.err


def test_own_patterns_come_from_a_file(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "own.yml"
    file.write_text(
        "wax:\n  cause: tls-trust\n  weight: 90\n  needs: nothing\n  regex: wax seal broken\n  source: ours\n"
        "  finds: the wax seal broken\n  spares: a seal\n",
        encoding="utf-8",
    )
    assert run(["explain", "wax seal broken", "--patterns", str(file)]) == 0
    assert capsys.readouterr().out.startswith("tls-trust ")


@pytest.mark.parametrize(
    ("arguments", "content", "sentence"),
    [
        (["--jsonl"], "{}", ':1 is no line of the form {"id": ..., "text": ...}'),
        (["x", "--patterns"], "a: 1", 'the pattern "a" is no list of fields'),
        (["--jsonl"], None, "can't be read"),
        ([], None, "there is no file"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    capsys: Capture, tmp_path: Path, arguments: list[str], content: str | None, sentence: str
) -> None:
    file = tmp_path / "given"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert run(["explain", *arguments, str(file)]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("name", ["pull.log", "./out", "../pull.txt", "~/pull.log", "/nowhere/out"])
def test_a_file_that_is_not_there_is_told_and_not_taken_for_the_text(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["explain", name]) == 2
    assert f"there is no file {name}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["unauthorized", "https://cargo.example.com/v2/pull.txt", "/v2/: 401 Unauthorized", "EOF."]
)
def test_a_text_without_spaces_is_no_file(capsys: Capture, text: str) -> None:
    assert run(["explain", text]) in (0, 3)

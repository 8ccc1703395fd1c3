"""Evidence, the recording and the replay."""

from __future__ import annotations

import json
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cargo_runbook.connections import Evidence, EvidenceError, ReplayConnections, read_evidence, write_evidence
from cargo_runbook.observations import Command, DnsQuery, Observation, Question, Status


class Counting:
    """Answers everything, slowly, and counts."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.asked: list[Question] = []
        self.closed = False
        self._seconds = seconds
        self._lock = threading.Lock()

    def ask(self, question: Question) -> Observation:
        with self._lock:
            self.asked.append(question)
        time.sleep(self._seconds)
        return Observation(
            question=question,
            status=Status.ANSWERED,
            exit_code=0,
            output=f"{question}\n",
            data={"argv": ["x"], "列": 1},
            started=datetime(2020, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
            duration=0.25,
            sha256="ab",
        )

    def close(self) -> None:
        self.closed = True


def command(*argv: str, deadline: float = 5.0) -> Command:
    return Command(argv=argv, deadline=deadline)


def test_observations_get_ids_in_the_order_of_asking() -> None:
    evidence = Evidence(Counting())
    assert [evidence.ask(command(word)).id for word in ("a", "b", "c")] == ["E1", "E2", "E3"]
    assert [o.output for o in evidence.observations] == ["a\n", "b\n", "c\n"]
    found = evidence.get("E2")
    assert found is not None
    assert found.output == "b\n"
    assert evidence.get("E4") is None


def test_an_equal_question_is_asked_once_even_at_the_same_time() -> None:
    inner = Counting(seconds=0.2)
    evidence = Evidence(inner)
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda n: evidence.ask(command("a", deadline=5.0 + n)), range(8)))
    assert len(inner.asked) == 1
    assert {o.id for o in seen} == {"E1"}
    assert evidence.ask(DnsQuery(name="a")).id == "E2"


def test_different_questions_are_asked_at_the_same_time() -> None:
    met = threading.Barrier(6, timeout=60)

    class Together(Counting):
        """Answers nobody before all have asked."""

        def ask(self, question: Question) -> Observation:
            met.wait()
            return super().ask(question)

    evidence = Evidence(Together())
    with ThreadPoolExecutor(6) as pool:
        seen = list(pool.map(lambda n: evidence.ask(command(str(n))), range(6)))
    assert sorted(o.id for o in seen) == [f"E{n}" for n in range(1, 7)]


def test_closing_closes_the_connections_and_keeps_the_evidence() -> None:
    inner = Counting()
    with Evidence(inner) as evidence:
        evidence.ask(command("a"))
    assert inner.closed
    assert len(evidence.observations) == 1


def test_evidence_that_was_written_is_read_back_equal_and_answers_again(tmp_path: Path) -> None:
    evidence = Evidence(Counting())
    for word in ("a", "b", "雪\n\u2028x"):
        evidence.ask(command(word))
    path = tmp_path / "evidence.jsonl"
    evidence.write(path)
    assert read_evidence(path) == evidence.observations
    assert len(path.read_bytes().splitlines()) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["evidence.jsonl"]
    replayed = Evidence(ReplayConnections(read_evidence(path)))
    assert replayed.ask(command("b", deadline=99.0)).output == "b\n"
    assert replayed.ask(command("b")).started.year == 2020


def test_what_was_not_recorded_is_an_error_and_never_empty() -> None:
    seen = ReplayConnections([]).ask(command("a"))
    assert (seen.status, seen.data["reason"]) == (Status.ERROR, "not_recorded")
    assert seen.error == "the recording holds no answer to: a"


def test_a_file_that_can_not_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    path.write_text("old")
    bad = Observation(
        question=command("a"), status=Status.ANSWERED, data={"x": object()}, started=datetime.now(UTC), duration=0.0
    )
    with pytest.raises(TypeError):
        write_evidence([bad], path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["evidence.jsonl"]


@pytest.mark.parametrize("line", ["not json", "[]", "{}", '{"question": {"kind": "magic"}}', "null", '"text"'])
def test_a_line_that_is_no_observation_is_named_with_its_number(tmp_path: Path, line: str) -> None:
    evidence = Evidence(Counting())
    evidence.ask(command("a"))
    path = tmp_path / "evidence.jsonl"
    evidence.write(path)
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(EvidenceError) as caught:
        read_evidence(path)
    assert str(caught.value).startswith(f"{path}:2: not an observation")
    assert (caught.value.line, caught.value.exit_code) == (2, 2)


def test_a_missing_file_and_a_binary_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="No such file"):
        read_evidence(tmp_path / "none.jsonl")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(EvidenceError, match="not UTF-8"):
        read_evidence(tmp_path / "binary")


def test_a_field_of_a_later_version_is_named_and_not_dropped(tmp_path: Path) -> None:
    evidence = Evidence(Counting())
    evidence.ask(command("a"))
    path = tmp_path / "evidence.jsonl"
    evidence.write(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "colour": "red"}) + "\n")
    with pytest.raises(EvidenceError, match="colour"):
        read_evidence(path)

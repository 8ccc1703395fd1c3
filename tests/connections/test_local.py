"""Commands at the operator."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cargo_runbook.connections.base import Look
from cargo_runbook.connections.local import ask_local
from cargo_runbook.observations import Command, Observation, Status
from cargo_runbook.secret import Redactor, Secret
from tests.waiting import until


def ask(*argv: str, deadline: float = 5.0, redactor: Redactor | None = None) -> Observation:
    question = Command(argv=argv, deadline=deadline)
    return ask_local(Look(question, redactor or Redactor()), question)


def gone(pid: int) -> bool:
    """Whether the process ends; the kernel needs a moment for one that was killed."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def test_output_error_and_exit_code_come_back() -> None:
    seen = ask("sh", "-c", "echo out; echo err >&2; exit 7")
    assert (seen.status, seen.exit_code, seen.output, seen.error) == (Status.ANSWERED, 7, "out\n", "err\n")


def test_a_program_that_is_not_there_is_an_error_with_its_name() -> None:
    seen = ask("no-such-program", "x")
    assert (seen.status, seen.data["reason"]) == (Status.ERROR, "not_found")
    assert seen.error == "the program no-such-program is not there"


def test_a_file_that_is_no_program_can_not_be_run(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    assert ask(str(tmp_path / "text")).data["reason"] == "not_executable"
    assert ask("echo", "nul\0byte").data["reason"] == "not_executable"


def test_the_deadline_ends_the_whole_group_and_keeps_what_came() -> None:
    seen = ask("sh", "-c", "trap '' TERM; sleep 60 & echo $! $$; wait; sleep 60", deadline=0.5)
    assert (seen.status, seen.exit_code, seen.data["reason"]) == (Status.TIMEOUT, None, "timeout")
    pids = [int(word) for word in seen.output.split()]
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)
    assert seen.duration < 2.5


def test_a_child_that_keeps_the_pipe_does_not_keep_the_answer() -> None:
    started = time.monotonic()
    seen = ask("sh", "-c", "sleep 60 & echo $!")
    assert (seen.status, seen.exit_code) == (Status.ANSWERED, 0)
    assert time.monotonic() - started < 3
    until(lambda: gone(int(seen.output)))


def test_an_endless_output_is_bounded() -> None:
    seen = ask("sh", "-c", "cat /dev/zero | tr '\\0' x", deadline=0.7)
    assert (seen.status, seen.truncated, len(seen.output)) == (Status.TIMEOUT, True, 256 * 1024)


def test_bytes_that_are_no_utf8_stay_visible() -> None:
    assert ask("printf", "a\\377b").output == "a\\xffb"


def test_a_known_secret_is_left_out_of_everything_and_the_rest_stays() -> None:
    redactor = Redactor()
    redactor.register(Secret("hunter22"))
    seen = ask("sh", "-c", "echo marker-7 hunter22; echo hunter22 >&2", "hunter22", redactor=redactor)
    assert "hunter22" not in repr(seen)
    assert seen.output == "marker-7 ‹secret 1 password›\n"


def test_a_secret_across_the_cap_leaves_no_half() -> None:
    redactor = Redactor()
    redactor.register(Secret("S" * 100))
    line = f"head -c {256 * 1024 - 50} /dev/zero | tr '\\0' x; echo {'S' * 100}; seq 1000"
    seen = ask("sh", "-c", line, redactor=redactor)
    assert seen.truncated
    assert "SS" not in seen.output


def test_programs_speak_the_c_locale_whatever_the_operator_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert ask("sh", "-c", "echo $LC_ALL").output == "C\n"
    assert os.environ["LC_ALL"] == "zh_CN.UTF-8"

"""The commands of a runbook: those that the probes ask, in its order, without a secret, quoted for a shell."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from cargo_runbook.cli import main
from cargo_runbook.connections import ReplayConnections, read_evidence
from cargo_runbook.errors import UsageError
from cargo_runbook.inventory.loader import load_environment
from cargo_runbook.inventory.models import Environment
from cargo_runbook.investigation import open_investigation
from cargo_runbook.observations import Command, HttpRequest, Place, Vantage
from cargo_runbook.recordings import load_recording
from cargo_runbook.shell.expected import FILL_INS, PEER, POLICY
from cargo_runbook.shell.printed import as_script
from cargo_runbook.shell.sheet import Sheet, make_sheet, step_names
from cargo_runbook.shell.typed import Typist, curl_argv, words
from cargo_runbook.steps import SECTIONS

ROOT = Path(__file__).parents[2]
FOLDER = load_recording("healthy").folder


def environment(name: str = "cargo") -> Environment:
    return load_environment(name, FOLDER)


@cache
def sheet(runbook: str, name: str = "cargo") -> Sheet:
    return make_sheet(environment(name), ROOT / "runbooks" / f"{runbook}.ipynb", environment)


def words_of(line: str) -> list[str]:
    """What a real shell makes of a line: the words that the program would get."""
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, text=True, check=True, env={"POLICY_ID": "7"}
    )
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize("runbook", SECTIONS)
def test_every_step_of_a_runbook_stands_there_in_its_order_with_its_section(runbook: str) -> None:
    made = sheet(runbook)
    assert [step.name for step in made.steps] == list(step_names(ROOT / "runbooks" / f"{runbook}.ipynb"))
    assert {step.name for step in SECTIONS[runbook]} <= {step.name for step in made.steps}
    assert all(step.sections for step in made.steps)
    assert len(list(made.commands)) > 20


@pytest.mark.parametrize("name", ["cargo", "devops", "ha"])
def test_what_a_diagnosis_of_an_installation_that_is_well_asks_is_all_there(name: str) -> None:
    with open_investigation(name, replay="healthy") as investigation:
        investigation.diagnose()
        asked = {o.question.key(): str(o.question) for o in investigation.evidence}
    commands = list(sheet("00_triage", name).commands)
    typed = {command.asks.key() for command in commands}
    # A token has another number each time.
    texts = {str(command.asks) for command in commands if getattr(command.asks, "bearer", "")}
    # Which policies and destinations there are, only the answers tell.
    left = [text for key, text in asked.items() if key not in typed and "policy_id=" not in text]
    assert [text for text in left if text not in texts and not text.startswith("getent hosts ")] == []


def test_recorded_answers_give_the_commands_of_that_day() -> None:
    recording = load_recording("replication-401-no-role")
    answers = ReplayConnections(read_evidence(recording.evidence_file("cargo")))
    made = make_sheet(
        load_environment("cargo", recording.folder),
        ROOT / "runbooks" / "50_replication_failed.ipynb",
        lambda name: load_environment(name, recording.folder),
        answers=answers,
    )
    lines = "\n".join(command.line for command in made.commands)
    assert "https://cargo.caicloudprivatetest.com/api/jobs/replication/3/log" in lines
    assert not any(each.variable in lines for each in FILL_INS.values())


@pytest.mark.parametrize("runbook", SECTIONS)
def test_no_command_names_a_secret_and_every_password_is_asked_for(runbook: str) -> None:
    made = sheet(runbook)
    for command in made.commands:
        assert "Authorization" not in command.line
        assert "curl" not in command.line or " -u " not in command.line
        used = [prompt.variable for prompt in command.prompts]
        if isinstance(command.asks, HttpRequest) and command.asks.account:
            assert used[-1].startswith("PASSWORD_")
            # It reaches curl through a pipe, never as an argument of a program.
            assert command.line.index(f'"${used[-1]}"') < command.line.index(" | curl ")


def test_a_token_is_kept_before_it_is_used() -> None:
    lines = [command.line for command in sheet("00_triage").commands]
    use = next(n for n, line in enumerate(lines) if line.startswith("bearer "))
    name = lines[use].split('"$')[1].split('"')[0]
    made = next(n for n, line in enumerate(lines) if f"token {name} " in line)
    assert made < use
    assert "scope=repository%3Alibrary%2Ftiny%3Apull" in lines[made]


def test_what_only_an_answer_tells_is_a_variable_that_is_explained_once_a_machine() -> None:
    script = as_script(sheet("40_replication_stuck"), "en")
    assert script.count("POLICY_ID=''  # fill in: id of the policy, in the list of policies") == 1
    assert "?policy_id='\"${POLICY_ID}\"'&page=1" in script
    assert str(POLICY) not in script
    assert PEER not in script
    order = [command.line for command in sheet("40_replication_stuck").commands]
    policies = next(n for n, line in enumerate(order) if "/api/policies/replication?" in line)
    assert policies < next(n for n, line in enumerate(order) if "POLICY_ID" in line)


@pytest.mark.parametrize(
    "argv",
    [
        ("cat", '/srv/a b/it\'s "here"/$HOME/`id`/config.yml'),
        ("docker", "ps", "--format", "{{json .}}"),
        ("curl", "-H", "X-Cargo: a\\b;c&d|e", "http://192.0.2.1/?a=1&b=[x]*"),
        ("stat", "-c", "%Y %n", "", "-n", "~", "中文 文件"),
    ],
)
def test_a_shell_reads_the_very_words_that_the_probe_sends(argv: Sequence[str]) -> None:
    assert words_of(words(argv)) == list(argv)


def test_a_variable_among_odd_characters_is_one_word() -> None:
    assert words_of(words([f"a'b {POLICY}&c", str(POLICY)])) == ["a'b 7&c", "7"]


def test_a_command_in_a_container_is_typed_on_its_host() -> None:
    vantage = Vantage(Place.CONTAINER, "cargo", "tengine")
    typed = Typist(environment(), environment).type(Command(vantage=vantage, argv=("cat", "/etc/hosts")))
    assert (str(typed.vantage), typed.line) == ("cargo host cargo", "docker exec tengine cat /etc/hosts")


def test_a_request_is_typed_as_it_is_sent() -> None:
    question = HttpRequest(
        url="https://cargo.example.com:8443/api/targets/ping",
        method="POST",
        body='{"id": 3}',
        headers=(("x-tenant", "it's"),),
        connect_to="2001:db8::1",
        deadline=4.2,
    )
    argv = curl_argv(question)
    assert argv[argv.index("--connect-to") + 1] == "cargo.example.com:8443:[2001:db8::1]:8443"
    assert argv[argv.index("--data-raw") + 1] == '{"id": 3}'
    assert argv[argv.index("-m") + 1] == "5"
    assert {"-X", "POST", "x-tenant: it's"} <= set(argv)


def test_a_runbook_that_asks_nothing_says_so() -> None:
    with pytest.raises(UsageError, match="90_postmortem asks nothing of an environment"):
        step_names(ROOT / "runbooks" / "90_postmortem.ipynb")


def test_the_sheet_can_be_pasted_whole_and_is_told_in_both_languages() -> None:
    for language in ("en", "zh"):
        script = as_script(sheet("20_wrong_domain"), language)
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        assert ("由谁发出" in script) == (language == "zh")


def test_the_command_prints_both_forms(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["shell-commands", "20", "--env", "cargo", "--inventory", str(FOLDER)]
    assert main.run(arguments) == 0
    script = capsys.readouterr().out
    assert main.run([*arguments, "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    commands = [command for step in body["steps"] for command in step["commands"]]
    assert [command["number"] for command in commands] == list(range(1, len(commands) + 1))
    assert all(f"\n{command['command']}\n" in script for command in commands)
    assert body["preamble"] in script

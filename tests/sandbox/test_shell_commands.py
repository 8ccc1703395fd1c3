"""The commands of `shell-commands`, pasted into the shells of real machines, tell what the probes were told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cargo_runbook.observations import DnsQuery, HttpRequest, Observation, TlsHandshake, observation_from_json
from tests.practice import PracticeSandbox

pytestmark = pytest.mark.sandbox

# What the probes are told, as they see it themselves.
LOOK = """
import json
from cargo_runbook.investigation import open_investigation
from cargo_runbook.observations import observation_to_json
with open_investigation("cargo") as investigation:
    investigation.diagnose()
    print(json.dumps([observation_to_json(each) for each in investigation.evidence]))
"""
# These go on by themselves while one looks.
MOVING = ("docker ps", "docker logs", "tail ", "df ", "stat -f ", "date ")


def paste(sandbox: PracticeSandbox, sheet: Mapping[str, Any]) -> dict[str, str]:
    """Pastes all that needs no filling in, machine by machine; question -> what was printed."""
    commands = [each for step in sheet["steps"] for each in step["commands"] if not each["fill_in"]]
    printed: dict[str, str] = {}
    for host in sorted({each["host"] for each in commands}):
        lines = (
            [sheet["preamble"], *(each["command"] for each in sheet["prompts"])] if not host else ["export LC_ALL=C"]
        )
        for each in commands:
            if each["host"] == host:
                lines += [f"echo '<<<{each['question']}'", each["command"], "echo; echo '>>>'"]
        script = "\n".join(lines)
        if host:
            done = sandbox.on(host, "bash", "-c", script)
        else:
            # As typed: a line for each prompt.
            typed = "".join(f"{answer(sandbox, each['variable'])}\n" for each in sheet["prompts"])
            done = sandbox.run("bash", "-c", script, input=typed)
        for question, output in re.findall(r"^<<<(\w+)\n(.*?)^>>>$", done.stdout, re.M | re.S):
            printed[question] = output
        assert sandbox.password("alice") not in done.stdout + done.stderr
    return printed


def answer(sandbox: PracticeSandbox, variable: str) -> str:
    if variable.startswith("USER_"):
        return "bob"
    who = {"PASSWORD_ADMIN": "cargo-admin", "PASSWORD_ALICE": "alice", "PASSWORD_DOCKER_CONFIG": "bob"}[variable]
    return sandbox.password(who)


def same(seen: Observation, printed: str) -> bool:
    """Whether the shell printed what the probe was told."""
    match seen.question:
        case HttpRequest(url=url):
            if int(printed.split(None, 2)[1]) != seen.data.get("status"):
                return False
            challenge = re.search(r"^www-authenticate: (.*?)\r?$", printed, re.M | re.I)
            if (challenge[1] if challenge else "") != seen.header("www-authenticate"):
                return False
            return "/service/token" not in url or claims(printed) == access(seen)
        case DnsQuery():
            wanted = seen.data.get("addresses") or [seen.data["rcode"]]
            return all(str(each) in printed for each in wanted)
        case TlsHandshake():
            return ("Verify return code: 0 (ok)" in printed) == seen.data["trusted"]
    output = seen.output
    if str(seen.question).startswith("curl "):
        output, printed = (re.sub(r"(?m)^Date: .*\r?\n", "", text) for text in (output, printed))
    return printed.rstrip("\n") == output.rstrip("\n")


def access(seen: Observation) -> object:
    return (seen.data.get("token") or {}).get("claims", {}).get("access")


def claims(printed: str) -> object:
    found = re.search(r"^\{.*\"access\".*\}", printed, re.M)
    return json.loads(found[0])["access"] if found else None


def differences(sandbox: PracticeSandbox) -> Iterator[tuple[str, str]]:
    """The questions that were both asked and pasted, each with what differs; empty where nothing does."""
    observed = [observation_from_json(each) for each in json.loads(sandbox.run("python", "-c", LOOK).stdout)]
    sheet = json.loads(sandbox.run("cargo-runbook", "shell-commands", "00_triage", "--env", "cargo", "--json").stdout)
    printed = paste(sandbox, sheet)
    by_key = {each.question.key(): each for each in observed}
    for key, output in printed.items():
        seen = by_key.get(key)
        if seen is None or str(seen.question).startswith(MOVING):
            continue
        # A file with a secret in it is shown to the probe without that.
        if "‹" in seen.output and not isinstance(seen.question, HttpRequest):
            continue
        told = "" if same(seen, output) else f"{seen.output or dict(seen.data)}\n--- pasted:\n{output}"
        yield str(seen.question), told


@pytest.mark.parametrize("fault", ["", "wrong-domain"])
def test_pasting_the_commands_tells_what_the_probes_were_told(sandbox: PracticeSandbox, fault: str) -> None:
    if fault:
        sandbox.break_(fault)
    compared = dict(differences(sandbox))
    assert len(compared) >= 25
    assert {question: told for question, told in compared.items() if told} == {}

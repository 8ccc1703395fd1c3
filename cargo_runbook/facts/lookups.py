"""What `getent` and `nslookup` print about names, wherever they run: a machine, a container, a pod."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cargo_runbook.facts.names import Lookup
from cargo_runbook.observations import Observation, Status

# getent(1): 2 means that a key was not found. Others come from the shell, from docker exec or from kubectl exec.
_NOT_FOUND = 2


@dataclass(frozen=True)
class Found:
    """How a look-up of one name ended at one place. `server` is the name server that the place asked, where it says."""

    lookup: Lookup
    addresses: tuple[str, ...] = ()
    evidence: str = ""
    server: str = ""


def waited_in_vain(observation: Observation) -> bool:
    """Whether the program itself ran and did not end. A place that could not be reached says nothing about names."""
    return observation.status is Status.TIMEOUT and observation.data.get("phase", "command") == "command"


def read_getent(observation: Observation, name: str) -> Found:
    """What `getent hosts NAME ...` says of one of its names.

    getent does not tell why a name was not found; `nslookup` at the same place does.
    """
    evidence = observation.id
    if waited_in_vain(observation):
        return Found(Lookup.SILENT, evidence=evidence)
    if not observation.answered or observation.data.get("reason"):
        return Found(Lookup.UNTOLD, evidence=evidence)
    wanted = name.lower().rstrip(".")
    lines = [line.split() for line in observation.output.splitlines()]
    found = tuple(line[0] for line in lines if wanted in (word.lower().rstrip(".") for word in line[1:]))
    if found:
        return Found(Lookup.RESOLVED, tuple(dict.fromkeys(found)), evidence)
    # kubectl tells the exit code of the program in words, and ends with it.
    return Found(Lookup.NO_SUCH_NAME if observation.exit_code == _NOT_FOUND else Lookup.UNTOLD, evidence=evidence)


def read_ahosts(observation: Observation) -> Found:
    """What `getent ahostsv4 NAME` says: the addresses that getaddrinfo gives to clients. A getent that does not know that
    database (musl's) tells nothing."""
    evidence = observation.id
    if waited_in_vain(observation):
        return Found(Lookup.SILENT, evidence=evidence)
    found = tuple(line.split()[0] for line in observation.output.splitlines() if line.split())
    if observation.answered and observation.exit_code == 0 and found:
        return Found(Lookup.RESOLVED, tuple(dict.fromkeys(found)), evidence)
    return Found(Lookup.UNTOLD, evidence=evidence)


_SERVER = re.compile(r"^Server:\s*(\S+)", re.MULTILINE)
_ANSWER = re.compile(r"^Name:\s*\S+\s*\n(?:Address(?: \d+)?:\s*(\S+).*\n?)+", re.MULTILINE)
_ADDRESS = re.compile(r"^Address(?: \d+)?:\s*([0-9a-fA-F.:]+)", re.MULTILINE)
_KINDS = (
    (re.compile(r"NXDOMAIN|Name does not resolve|Name or service not known"), Lookup.NO_SUCH_NAME),
    (re.compile(r"SERVFAIL"), Lookup.SERVER_FAILURE),
    (re.compile(r"REFUSED"), Lookup.REFUSED),
    (re.compile(r"No answer|Can't find \S+: Parse error"), Lookup.NO_ADDRESS),
    (re.compile(r"timed out|no servers could be reached|connection refused|Try again"), Lookup.SILENT),
)


def read_nslookup(observation: Observation) -> Found:
    """What `nslookup NAME [SERVER]` says (those of BIND and of busybox, old and new)."""
    evidence = observation.id
    if waited_in_vain(observation):
        return Found(Lookup.SILENT, evidence=evidence)
    if not observation.answered or observation.data.get("reason"):
        return Found(Lookup.UNTOLD, evidence=evidence)
    said = f"{observation.output}\n{observation.error}"
    server = _SERVER.search(said)
    where = server.group(1) if server else ""
    addresses = tuple(a for block in _ANSWER.finditer(said) for a in _ADDRESS.findall(block.group()))
    if addresses:
        return Found(Lookup.RESOLVED, tuple(dict.fromkeys(addresses)), evidence, where)
    lookup = next((kind for pattern, kind in _KINDS if pattern.search(said)), Lookup.UNTOLD)
    return Found(lookup, (), evidence, where)

"""The places with a resolver of their own that matter for a Cargo, and what stands in their hosts files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cargo_runbook.facts import matrix
from cargo_runbook.facts.hosts_file import HostsEntry, is_loopback, read_hosts, token_service_entries
from cargo_runbook.facts.installation import read_made
from cargo_runbook.facts.matrix import Cell, Column, Origin, Place, Role
from cargo_runbook.facts.names import Lookup
from cargo_runbook.inventory.models import Environment, Host
from cargo_runbook.observations import Command, KubeCommand, Observation, Question, Vantage
from cargo_runbook.observations import Place as At
from cargo_runbook.probes.asking import DEADLINE, Ask, not_recorded, together
from cargo_runbook.probes.hosts import JOBSERVICE, made_question

EXTRA_HOSTS = "{{json .HostConfig.ExtraHosts}}"
CLIENT = (Role.DOMAIN, Role.REALM)


@dataclass(frozen=True)
class Resolver:
    """One place with a resolver of its own: how a command is asked there, and for which names it matters."""

    column: Column
    command: Callable[[tuple[str, ...]], Question]
    roles: tuple[Role, ...]
    container: str = ""


@dataclass(frozen=True)
class Known:
    """What stands in the places' hosts files (None: not read), and the containers' extra_hosts."""

    hosts: Mapping[Column, tuple[HostsEntry, ...] | None] = field(default_factory=dict)
    evidence: Mapping[Column, str] = field(default_factory=dict)
    extra: Mapping[Column, tuple[HostsEntry, ...]] = field(default_factory=dict)


_REPLICATION = (Role.DOMAIN, Role.PEER)


def _on(vantage: Vantage, deadline: float = DEADLINE) -> Callable[[tuple[str, ...]], Question]:
    return lambda argv: Command(vantage=vantage, argv=argv, deadline=deadline)


def places_of(environment: Environment) -> list[Resolver]:
    places: list[Resolver] = []
    for host in environment.hosts:
        machine = Vantage(At.CARGO_HOST, host.name)
        places.append(Resolver(Column(Place.HOST, host.name), _on(machine), (*CLIENT, Role.PEER)))
        for place, name in ((Place.TENGINE, host.tengine), (Place.JOBSERVICE, JOBSERVICE)):
            inside = _on(Vantage(At.CONTAINER, host.name, name))
            places.append(Resolver(Column(place, host.name), inside, _REPLICATION, name))
    cluster = environment.kubernetes
    if cluster is None:
        return places
    for node in cluster.nodes:
        places.append(Resolver(Column(Place.NODE, node.name), _on(Vantage(At.NODE, node.name)), CLIENT))
    if cluster.pipeline:
        words = ("exec", cluster.pipeline, "-n", cluster.namespace, "--")
        context = Vantage(At.CLUSTER, cluster.context)

        def in_pod(argv: tuple[str, ...]) -> Question:
            return KubeCommand(vantage=context, args=(*words, *argv), deadline=DEADLINE)

        places.append(Resolver(matrix.POD, in_pod, CLIENT))
    return places


def what_they_have(ask: Ask, hosts: Sequence[Host], places: Sequence[Resolver]) -> Known:
    """Hosts files, and the containers' settings, which tell a line of the compose file from one written by hand."""
    files = together(ask, [place.command(("cat", "/etc/hosts")) for place in places])
    return Known(
        hosts={
            place.column: read_hosts(o.output) if o.answered and o.exit_code == 0 else None
            for place, o in zip(places, files, strict=True)
        },
        evidence={place.column: o.id for place, o in zip(places, files, strict=True)},
        extra=_extra(ask, hosts, [place for place in places if place.container]),
    )


def _extra(ask: Ask, hosts: Sequence[Host], containers: Sequence[Resolver]) -> dict[Column, tuple[HostsEntry, ...]]:
    seen = together(ask, [made_question(host) for host in hosts])
    if any(not_recorded(each) for each in seen):
        return _asked_of_each(ask, containers)
    found = {
        (host.name, made.name): tuple(HostsEntry(address, (name.lower(),), 0) for name, address in made.extra_hosts)
        for host, each in zip(hosts, seen, strict=True)
        for made in read_made(each.output if each.answered else "")
    }
    return {place.column: found.get((place.column.host, place.container), ()) for place in containers}


def _asked_of_each(ask: Ask, containers: Sequence[Resolver]) -> dict[Column, tuple[HostsEntry, ...]]:
    """As records have it in which each container was asked by itself."""
    questions = [
        Command(
            vantage=Vantage(At.CARGO_HOST, place.column.host),
            argv=("docker", "inspect", "--format", EXTRA_HOSTS, place.container),
            deadline=DEADLINE,
        )
        for place in containers
    ]
    return {place.column: _extra_hosts(o) for place, o in zip(containers, together(ask, questions), strict=True)}


def _extra_hosts(observation: Observation) -> tuple[HostsEntry, ...]:
    """`["name:address", …]` as docker inspect prints it; null where there are none."""
    try:
        listed = json.loads(observation.output) if observation.answered and observation.exit_code == 0 else []
    except ValueError:
        return ()
    pairs = [str(text).partition(":") for text in listed or []]
    return tuple(HostsEntry(address, (name.lower(),), 0) for name, _, address in pairs)


def front_of(known: Known) -> frozenset[str]:
    """tengine's own addresses: lines of its hosts file whose name is its container id."""
    return frozenset(
        entry.address
        for column, entries in known.hosts.items()
        if column.place is Place.TENGINE
        for entry in entries or ()
        if not is_loopback(entry.address) and all(_is_container_id(name) for name in entry.names)
    )


def _is_container_id(name: str) -> bool:
    return len(name) == 12 and all(letter in "0123456789abcdef" for letter in name)


def token_services(known: Known) -> list[tuple[str, Column, Cell]]:
    found = []
    for column, entries in known.hosts.items():
        if column.place is not Place.TENGINE or entries is None:
            continue
        for entry in token_service_entries(entries):
            name = next(n for n in entry.names if n == "cargo-admin" or n.startswith("cargo-admin."))
            listed = any(entry.address == e.address and name in e.names for e in known.extra.get(column, ()))
            origin = Origin.EXTRA_HOSTS if listed else Origin.HOSTS_FILE
            found.append((name, column, Cell(Lookup.RESOLVED, (entry.address,), origin, "", known.evidence[column])))
    return found

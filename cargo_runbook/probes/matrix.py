"""The same names asked at every place that matters, all at the same time.

Machines and containers are asked by `getent hosts`, and where that finds nothing by `nslookup` for the reason. It asks for
an IPv6 address first, so that it waits for a silent name server although the hosts file has the name; clients
(getaddrinfo, Go) do not. There `getent ahostsv4` tells what they get. Operator and name servers are what the path has
asked already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cargo_runbook.facts import matrix
from cargo_runbook.facts.cluster_dns import ClusterDns, read_cluster_dns
from cargo_runbook.facts.docker_proxy import ProxyFacts
from cargo_runbook.facts.hosts_file import addresses_of
from cargo_runbook.facts.lookups import Found, read_ahosts, read_getent, read_nslookup, waited_in_vain
from cargo_runbook.facts.matrix import Cell, Column, Matrix, Origin, Place, Role, Row
from cargo_runbook.facts.names import Lookup
from cargo_runbook.facts.replication import read_policies
from cargo_runbook.inventory.models import AccountKind, Environment
from cargo_runbook.observations import Command, DnsQuery, KubeCommand, Observation, Question, Vantage
from cargo_runbook.observations import Place as At
from cargo_runbook.probes.asking import DEADLINE, Ask, not_recorded, together
from cargo_runbook.probes.docker_proxy import through_proxy
from cargo_runbook.probes.places import CLIENT, Known, Resolver, front_of, places_of, token_services, what_they_have
from cargo_runbook.probes.replication import SourceHarbor, first_policies
from cargo_runbook.probes.scene import Scene

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")

SOON = 2.0
"""Seconds for which containers are not asked yet, so that one question does for all names. A question in a container
costs its host ten times what one outside of it does."""


def ask_matrix(scene: Scene) -> Matrix:
    """The concern `matrix` (the guide: 确保域名解析没问题)."""
    places = places_of(scene.environment)
    with ThreadPoolExecutor(max_workers=7) as pool:
        known = pool.submit(what_they_have, scene.ask, scene.environment.hosts, places)
        proxy = pool.submit(through_proxy, scene.ask, scene.environment)
        cluster = pool.submit(_cluster, scene.ask, scene.environment)
        rows, answers = _ask_everywhere(scene, pool, places, known.result)
        return _assembled(scene, rows, answers, known.result(), proxy.result(), cluster.result())


Answers = dict[tuple[str, Column], tuple[Found, Found | None]]


def _ask_everywhere(
    scene: Scene, pool: ThreadPoolExecutor, places: Sequence[Resolver], known: Callable[[], Known]
) -> tuple[list[Row], Answers]:
    """The domain at once, outside of containers; in them all names at the same time, where those are known soon.

    A silent name server costs its time once: on its host, and in the containers there, only the domain is asked for.
    """
    machines = [place for place in places if not place.container]
    containers = [place for place in places if place.container]
    domain = Row(scene.environment.domain, Role.DOMAIN)
    others = pool.submit(_other_names, scene)
    outside = pool.submit(_ask_names, scene.ask, machines, [domain], known)
    first: list[Future[Any]] = [outside, others]
    soon = not wait(first, timeout=SOON).not_done
    lost = outside.result()[1] if soon else frozenset[str]()
    whole = [place for place in containers if soon and place.column.host not in lost]
    alone = [place for place in containers if place not in whole]
    inside = pool.submit(_ask_names, scene.ask, alone, [domain], known)
    at_once = pool.submit(_ask_names, scene.ask, whole, [domain, *(others.result() if whole else ())], known)
    answers, lost = outside.result()
    more, lost_inside = inside.result()
    rest, lost = others.result(), lost | lost_inside
    left = [place for place in (*machines, *alone) if place.column.host not in lost]
    last, _ = _ask_names(scene.ask, left if rest else [], rest, known)
    return [domain, *rest], answers | more | at_once.result()[0] | last


def _ask_names(
    ask: Ask, places: Sequence[Resolver], rows: Sequence[Row], known: Callable[[], Known]
) -> tuple[Answers, frozenset[str]]:
    """The answers, and the hosts on which a name server was waited for in vain."""
    wanted = [(place, [row.name for row in rows if row.role in place.roles]) for place in places]
    asked = [(place, names) for place, names in wanted if names]
    found: dict[tuple[str, Column], tuple[Resolver, Found]] = {}
    for (place, names), answer in _getent(ask, asked, rows[:1]):
        found |= {(name, place.column): (place, read_getent(answer, name)) for name in names}
    silent = [key for key, (_, each) in found.items() if each.lookup is Lookup.SILENT]
    written = [key for key in silent if addresses_of(known().hosts.get(key[1]) or (), key[0])]
    again = together(ask, [found[key][0].command(("getent", "ahostsv4", key[0])) for key in written])
    for key, answer in zip(written, again, strict=True):
        place, hung = found[key]
        told = read_ahosts(answer)
        found[key] = (place, hung if told.lookup is Lookup.UNTOLD else told)
    unclear = [key for key, (_, each) in found.items() if each.lookup is Lookup.NO_SUCH_NAME]
    reasons = together(ask, [_why(found[key][0], key[0]) for key in unclear])
    why = {key: read_nslookup(answer) for key, answer in zip(unclear, reasons, strict=True)}
    answers = {key: (each, why.get(key)) for key, (_, each) in found.items()}
    return answers, frozenset(column.host for _, column in silent)


_Asked = tuple[Resolver, list[str]]


def _getent(ask: Ask, asked: Sequence[_Asked], first: Sequence[Row]) -> list[tuple[_Asked, Observation]]:
    """Names at places, and what `getent hosts` printed of them.

    It tells nothing of any name when it waits in vain for the server of one. So the domain is then asked for by itself,
    and the others once it is known not to be the one that hangs.
    """
    seen = _printed(ask, asked)
    splits = [
        each
        for each, answer in seen
        if len(each[1]) > 1 and first[0].role is Role.DOMAIN and (waited_in_vain(answer) or not_recorded(answer))
    ]
    if not splits:
        return seen
    alone = _printed(ask, [(place, names[:1]) for place, names in splits])
    going = [(place, names[1:]) for (place, names), (_, o) in zip(splits, alone, strict=True) if not waited_in_vain(o)]
    return [*(each for each in seen if each[0] not in splits), *alone, *_printed(ask, going)]


def _printed(ask: Ask, asked: Sequence[_Asked]) -> list[tuple[_Asked, Observation]]:
    questions = [place.command(("getent", "hosts", *names)) for place, names in asked]
    return list(zip(asked, together(ask, questions), strict=True))


def _why(place: Resolver, name: str) -> Question:
    return place.command(("nslookup", name))


def _other_names(scene: Scene) -> list[Row]:
    """The realm's host where it is another one, and the hosts that Harbor replicates to; nothing while no Cargo answers."""
    challenge = scene.challenge()
    # A silent name server costs its time once: the other names would get no answer either.
    if not challenge.status or scene.names().system.lookup is Lookup.SILENT:
        return []
    domain = scene.environment.domain.lower()
    rows = []
    if challenge.realm is not None and challenge.realm.host.lower() not in ("", domain):
        rows.append(Row(challenge.realm.host.lower(), Role.REALM))
    rows += [Row(name, Role.PEER) for name in _peers(scene) if name != domain]
    return list({row.name: row for row in reversed(rows)}.values())[::-1]


def _peers(scene: Scene) -> list[str]:
    """The hosts of the endpoints that policies of replication name."""
    admin = scene.environment.account(AccountKind.ADMIN)
    if admin is None:
        return []
    harbor = SourceHarbor(scene.ask, scene.environment, scene.connect_to(), admin)
    endpoints = [policy.endpoint for policy in read_policies([first_policies(harbor)])]
    hosts = [urlsplit(each if "://" in each else f"https://{each}").hostname or "" for each in endpoints]
    # A name that could not be asked for is no row; the replication's own notebook shows it as it stands.
    return [host for host in dict.fromkeys(hosts) if _NAME.fullmatch(host)]


@dataclass(frozen=True)
class _Cluster:
    dns: ClusterDns | None = None
    direct: Found | None = None
    pod_server: str = ""


def _cluster(ask: Ask, environment: Environment) -> _Cluster:
    cluster = environment.kubernetes
    if cluster is None:
        return _Cluster()
    context = Vantage(At.CLUSTER, cluster.context)
    system = ("-n", "kube-system", "-o", "json")
    named = ("configmap/kube-dns", "configmap/coredns", "service/kube-dns", "--ignore-not-found")
    questions: list[Question] = [
        KubeCommand(vantage=context, args=("get", *named, *system), deadline=DEADLINE),
        KubeCommand(
            vantage=context,
            args=("get", "deployments,daemonsets", "-l", "k8s-app=kube-dns", *system),
            deadline=DEADLINE,
        ),
    ]
    if cluster.pipeline:
        words = ("exec", cluster.pipeline, "-n", cluster.namespace, "--", "nslookup", environment.domain)
        questions.append(KubeCommand(vantage=context, args=words, deadline=DEADLINE))
    config, workloads, *direct = together(ask, questions)
    dns = read_cluster_dns(config, workloads)
    if direct and (found := read_nslookup(direct[0])).lookup is not Lookup.UNTOLD:
        return _Cluster(dns, found, found.server)
    if not dns.address or not cluster.nodes:
        return _Cluster(dns)
    # A node reaches the services of its cluster.
    node = Vantage(At.NODE, cluster.nodes[0].name)
    argv = ("nslookup", environment.domain, dns.address)
    return _Cluster(dns, read_nslookup(ask(Command(vantage=node, argv=argv, deadline=DEADLINE))))


def _assembled(
    scene: Scene, rows: list[Row], answers: Answers, known: Known, proxy: ProxyFacts, cluster: _Cluster
) -> Matrix:
    environment = scene.environment
    domain = rows[0].name
    front = front_of(known)
    cells: dict[tuple[str, Column], Cell] = {}
    for (name, column), (found, why) in answers.items():
        hosts = known.hosts.get(column)
        if column.place in matrix.CONTAINERS:
            cells[name, column] = matrix.in_container(found, name, hosts, known.extra.get(column, ()), front, why)
        else:
            cells[name, column] = matrix.at_machine(found, name, hosts, why)
    asked = [row for row in rows if row.role in CLIENT]
    for row, answer in zip(
        asked, together(scene.ask, [DnsQuery(name=r.name, deadline=DEADLINE) for r in asked]), strict=True
    ):
        cells[row.name, matrix.OPERATOR] = matrix.at_operator(answer)
        cells[row.name, matrix.DOCKERD] = _dockerd(cells[row.name, matrix.OPERATOR], proxy)
    if cluster.dns is not None and cluster.direct is not None:
        cells[domain, matrix.CLUSTER_DNS] = matrix.at_cluster_dns(cluster.direct, domain, cluster.dns)
        pod = cells.get((domain, matrix.POD))
        if pod is not None and pod.origin is Origin.DNS:
            cells[domain, matrix.POD] = matrix.by_cluster_dns(pod, cells[domain, matrix.CLUSTER_DNS])
    services = token_services(known)
    cells |= {(name, column): cell for name, column, cell in services}
    rows = [*rows, *(Row(name, Role.TOKEN_SERVICE) for name in dict.fromkeys(name for name, _, _ in services))]
    present = {column for _, column in cells}
    order = [matrix.OPERATOR, matrix.DOCKERD, *_by_kind(places_of(environment)), matrix.CLUSTER_DNS]
    return Matrix(
        rows=tuple(rows),
        columns=tuple(column for column in order if column in present),
        cells=cells,
        front=front,
        cluster=cluster.dns,
        context=environment.kubernetes.context if environment.kubernetes else "",
        pipeline=environment.kubernetes.pipeline if environment.kubernetes else "",
    )


def _by_kind(places: Sequence[Resolver]) -> list[Column]:
    kinds = list(Place)
    return sorted((place.column for place in places), key=lambda column: kinds.index(column.place))


def _dockerd(operator: Cell, proxy: ProxyFacts) -> Cell:
    """The daemon resolves as its machine does, unless it goes through a proxy."""
    if not proxy.docker.told:
        return Cell(Lookup.UNTOLD, evidence=proxy.docker.evidence)
    if not proxy.proxy:
        return operator
    lookup = Lookup.RESOLVED if 200 <= proxy.status < 300 else Lookup.UNTOLD
    return Cell(lookup, (), Origin.PROXY, f"{proxy.place} {proxy.status or proxy.reason}", proxy.evidence)

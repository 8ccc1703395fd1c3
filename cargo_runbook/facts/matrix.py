"""One name, several answers: what each place that matters for a pull or a push resolves it to, and from where.

Rows are names, columns are places; a cell that is not there was not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cargo_runbook.facts.cluster_dns import ClusterDns
from cargo_runbook.facts.hosts_file import HostsEntry, addresses_of
from cargo_runbook.facts.lookups import Found
from cargo_runbook.facts.names import Lookup, read_answer
from cargo_runbook.observations import Observation
from cargo_runbook.texts import Text


class Place(StrEnum):
    """A kind of place, in the order in which the columns stand."""

    OPERATOR = "operator"
    DOCKERD = "dockerd"
    HOST = "Cargo host"
    TENGINE = "tengine"
    JOBSERVICE = "harbor-jobservice"
    NODE = "node"
    POD = "pod"
    CLUSTER_DNS = "cluster DNS"


MACHINES = (Place.HOST, Place.NODE)
CONTAINERS = (Place.TENGINE, Place.JOBSERVICE)


class Origin(StrEnum):
    """Where a place has an address from."""

    HOSTS_FILE = "hosts file"
    EXTRA_HOSTS = "extra_hosts"
    MYHOSTS = "myhosts"
    DNS = "DNS server"
    DOCKER = "Docker's network"
    """The container's own network: an alias of another container there."""
    PROXY = "HTTP proxy"
    """Not resolved here at all: the proxy does it."""


PLACES: Mapping[Place, Text] = {
    Place.OPERATOR: Text("operator", "操作机"),
    Place.DOCKERD: Text("dockerd", "dockerd"),
    Place.HOST: Text("Cargo host", "Cargo 主机"),
    Place.TENGINE: Text("tengine", "tengine"),
    Place.JOBSERVICE: Text("harbor-jobservice", "harbor-jobservice"),
    Place.NODE: Text("node", "节点"),
    Place.POD: Text("pod", "Pod"),
    Place.CLUSTER_DNS: Text("cluster DNS", "集群 DNS"),
}
ORIGINS: Mapping[Origin, Text] = {
    Origin.HOSTS_FILE: Text("hosts file", "hosts 文件"),
    Origin.EXTRA_HOSTS: Text("extra_hosts", "extra_hosts"),
    Origin.MYHOSTS: Text("myhosts", "myhosts"),
    Origin.DNS: Text("DNS server", "DNS 服务器"),
    Origin.DOCKER: Text("Docker's network", "Docker 网络"),
    Origin.PROXY: Text("HTTP proxy", "HTTP 代理"),
}


class Role(StrEnum):
    """Why a name stands in the matrix."""

    DOMAIN = "domain"
    REALM = "realm"
    PEER = "replication peer"
    TOKEN_SERVICE = "token service"  # noqa: S105 - a role


@dataclass(frozen=True)
class Row:
    name: str
    role: Role


@dataclass(frozen=True)
class Column:
    """`host` is the name of the Cargo host or node; empty where there is only one such place."""

    place: Place
    host: str = ""

    def __str__(self) -> str:
        return f"{self.place} {self.host}".strip()

    @property
    def said(self) -> Text:
        """The column in both languages."""
        kind = PLACES[self.place]
        return Text(f"{kind.en} {self.host}".strip(), f"{kind.zh} {self.host}".strip())


OPERATOR = Column(Place.OPERATOR)
DOCKERD = Column(Place.DOCKERD)
POD = Column(Place.POD)
CLUSTER_DNS = Column(Place.CLUSTER_DNS)


@dataclass(frozen=True)
class Cell:
    """What one place says of one name.

    `detail` names the place of `origin`, where it is known: a name server's address, a proxy.
    """

    lookup: Lookup
    addresses: tuple[str, ...] = ()
    origin: Origin | None = None
    detail: str = ""
    evidence: str = ""

    @property
    def resolved(self) -> bool:
        return self.lookup is Lookup.RESOLVED

    @property
    def by(self) -> Text:
        """Where the addresses are from, to stand behind them; empty where that is not known."""
        origin = ORIGINS[self.origin] if self.origin else None
        return Text(f" ({origin.en})", f"（{origin.zh}）") if origin else Text("", "")

    @property
    def told(self) -> bool:
        """Whether the place could be asked at all; that it gave no answer is an answer."""
        return self.lookup is not Lookup.UNTOLD

    @property
    def says_no(self) -> bool:
        """A definite no: somebody who knows says that there is no such address."""
        return self.lookup in (Lookup.NO_SUCH_NAME, Lookup.NO_ADDRESS)


@dataclass(frozen=True)
class Matrix:
    """Rows, columns and cells; the cells' keys are (name, column).

    `front` are tengine's own addresses on Docker's networks, by Cargo host: a container that resolves the domain to
    one of them meets its own Cargo. `cluster` is None where the environment names no cluster.
    """

    rows: tuple[Row, ...] = ()
    columns: tuple[Column, ...] = ()
    cells: Mapping[tuple[str, Column], Cell] = field(default_factory=dict)
    front: frozenset[str] = frozenset()
    cluster: ClusterDns | None = None
    context: str = ""
    pipeline: str = ""

    def cell(self, name: str, column: Column) -> Cell | None:
        return self.cells.get((name, column))

    def column(self, name: str, *places: Place) -> Iterable[tuple[Column, Cell]]:
        """The cells of one name at these places, in the order of the columns."""
        for column in self.columns:
            cell = self.cells.get((name, column))
            if column.place in places and cell is not None:
                yield column, cell


def at_operator(observation: Observation) -> Cell:
    """The cell of the operator's own resolver."""
    answer = read_answer(observation)
    origin = {"hosts file": Origin.HOSTS_FILE, "resolver": Origin.DNS}.get(answer.source)
    return Cell(answer.lookup, answer.addresses, origin if answer.addresses else None, "", answer.evidence)


def at_machine(found: Found, name: str, hosts: Iterable[HostsEntry] | None, why: Found | None = None) -> Cell:
    """The cell of a machine or pod.

    Args:
        hosts: the place's hosts file; None when it could not be read.
        why: what `nslookup` says there, where `getent` found nothing.
    """
    if found.lookup is not Lookup.RESOLVED:
        return _without(found, why)
    listed = None if hosts is None else addresses_of(tuple(hosts), name)
    if listed is None:
        return Cell(found.lookup, found.addresses, None, "", found.evidence)
    origin = Origin.HOSTS_FILE if set(found.addresses) <= set(listed) else Origin.DNS
    return Cell(found.lookup, found.addresses, origin, "", found.evidence)


def in_container(
    found: Found,
    name: str,
    hosts: Iterable[HostsEntry] | None,
    extra: Iterable[HostsEntry],
    front: frozenset[str],
    why: Found | None = None,
) -> Cell:
    """The cell of a container of Cargo, whose resolver is Docker's (127.0.0.11).

    Args:
        extra: its `extra_hosts`; other lines of its hosts file were written by hand.
        front: tengine's addresses on Docker's networks.
    """
    cell = at_machine(found, name, hosts, why)
    if not cell.resolved:
        return cell
    origin = cell.origin
    if origin is Origin.HOSTS_FILE and set(cell.addresses) <= set(addresses_of(tuple(extra), name)):
        origin = Origin.EXTRA_HOSTS
    elif origin is Origin.DNS and set(cell.addresses) <= front:
        origin = Origin.DOCKER
    return Cell(cell.lookup, cell.addresses, origin, "", cell.evidence)


def at_cluster_dns(found: Found, name: str, cluster: ClusterDns) -> Cell:
    """The cell of cluster DNS, asked by its ClusterIP."""
    if found.lookup is not Lookup.RESOLVED:
        return Cell(found.lookup, evidence=found.evidence, detail=found.server)
    entries = (*cluster.entries(name), *addresses_of(cluster.static, name))
    origin = Origin.MYHOSTS if set(found.addresses) <= set(entries) else Origin.DNS
    return Cell(found.lookup, found.addresses, origin, found.server, found.evidence)


def by_cluster_dns(pod: Cell, dns: Cell) -> Cell:
    """A pod's cell, where its answer came by DNS: what cluster DNS has from `myhosts`, the pod has from there."""
    same = dns.origin is Origin.MYHOSTS and set(pod.addresses) <= set(dns.addresses)
    return Cell(pod.lookup, pod.addresses, Origin.MYHOSTS if same else pod.origin, dns.detail, pod.evidence)


def _without(found: Found, why: Found | None) -> Cell:
    """A look-up without an address: getent knows that, nslookup knows why."""
    if why is None or why.lookup in (Lookup.UNTOLD, Lookup.RESOLVED):
        return Cell(found.lookup, evidence=found.evidence)
    return Cell(why.lookup, evidence=why.evidence, detail=why.server)

"""The real connections of one environment: each question goes the way that its kind and its vantage ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cargo_runbook.connections.base import Failure, Look, Stop
from cargo_runbook.connections.evidence import Evidence
from cargo_runbook.connections.kube import ask_kubectl
from cargo_runbook.connections.local import ask_local
from cargo_runbook.connections.neighbours import Neighbourhood
from cargo_runbook.connections.network.dns import ask_dns
from cargo_runbook.connections.network.http import HttpConnection
from cargo_runbook.connections.network.sockets import Names
from cargo_runbook.connections.network.tls import Trust, ask_tls
from cargo_runbook.connections.readonly import ReadOnly
from cargo_runbook.connections.ssh import SshConnection
from cargo_runbook.connections.ssh.config import DEFAULT_CONFIG
from cargo_runbook.errors import SecretUnavailable, UnknownEnvironment
from cargo_runbook.inventory.credentials import Login
from cargo_runbook.inventory.models import Account, Environment
from cargo_runbook.observations import (
    Command,
    DnsQuery,
    HttpRequest,
    KubeCommand,
    Observation,
    Place,
    Question,
    Status,
    TlsHandshake,
)
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Text, tell

Neighbour = Callable[[str], tuple[Environment, Callable[[Account], Login]]]


class LiveConnections:
    """Asks hosts, containers, clusters, registries and name servers.

    Args:
        environment: whose hosts, CA and domain count.
        credentials: login of an account; may raise SecretUnavailable, which becomes an observation when the
            account is used.
        redactor: everything that comes back passes through it; it learns the accounts' passwords at once, so that
            they are recognised in any output.
        ssh_config: the operator's SSH configuration file.
        stop: ends what is being asked, as if its deadline were over.
    """

    def __init__(
        self,
        environment: Environment,
        credentials: Callable[[Account], Login],
        redactor: Redactor,
        *,
        ssh_config: Path = DEFAULT_CONFIG,
        stop: Stop | None = None,
    ) -> None:
        self._stop = stop
        self._hosts = {host.name: host for host in environment.hosts}
        nodes = environment.kubernetes.nodes if environment.kubernetes else ()
        self._nodes = {node.name: node for node in nodes}
        self._redactor = redactor
        self._trust = Trust(str(environment.folder / environment.ca) if environment.ca else "")
        self._ssh = SshConnection(ssh_config)
        self._names = Names()
        self._http = HttpConnection(environment, credentials, redactor, self._trust, self._names)
        for account in environment.accounts:
            try:
                login = credentials(account)
            except SecretUnavailable:
                # Told when the account is used; a diagnosis that needs no login goes on without.
                continue
            redactor.register(login.password, "password", username=login.username)

    def ask(self, question: Question) -> Observation:
        """The answer; see `Connections.ask`."""
        look = Look(question, self._redactor, self._stop)
        match question:
            case Command(vantage=vantage) if vantage.place is Place.OPERATOR:
                return ask_local(look, question)
            case Command(vantage=vantage) if vantage.place in (Place.CARGO_HOST, Place.CONTAINER, Place.NODE):
                return self._ask_host(look, question)
            case KubeCommand():
                return ask_kubectl(look, question)
            case HttpRequest():
                return self._http.ask(look, question)
            case DnsQuery():
                return ask_dns(look, question)
            case TlsHandshake():
                return ask_tls(look, question, self._trust, self._names)
            case _:
                sentence = Text(
                    f"there is no way to ask {question.kind} from {question.vantage}",
                    f"无法从 {question.vantage} 查询 {question.kind}",
                )
                return look.failed(Failure(Status.ERROR, "no_way", sentence))

    def _ask_host(self, look: Look, question: Command) -> Observation:
        on_node = question.vantage.place is Place.NODE
        host = (self._nodes if on_node else self._hosts).get(question.vantage.host)
        if host is None:
            sentence = Text(
                f"the environment has no {'node' if on_node else 'host'} {question.vantage.host}",
                f"该环境没有{'节点' if on_node else '主机'} {question.vantage.host}",
            )
            return look.failed(Failure(Status.ERROR, "unknown_host", sentence))
        return self._ssh.ask(look, question, host)

    def close(self) -> None:
        """Ends all SSH connections."""
        self._ssh.close()


def open_connections(
    environment: Environment,
    credentials: Callable[[Account], Login],
    *,
    redactor: Redactor | None = None,
    ssh_config: Path = DEFAULT_CONFIG,
    neighbour: Neighbour | None = None,
) -> Evidence:
    """The connections that a diagnosis gets: real, read-only, and filed as evidence.

    Args:
        redactor: to share one with whatever else is written; a new one by default.
        neighbour: another environment of the inventory by name, with the logins of its accounts; what it raises
            (RunbookError) becomes an observation. Without it, questions to others are errors.
    """
    shared, stop = redactor or Redactor(), Stop()

    def opened(each: Environment, logins: Callable[[Account], Login]) -> ReadOnly:
        live = LiveConnections(each, logins, shared, ssh_config=ssh_config, stop=stop)
        return ReadOnly(live, (host.root for host in each.hosts))

    def other(name: str) -> ReadOnly:
        if neighbour is None:
            raise UnknownEnvironment(
                tell(
                    f"{name} is not an environment that can be asked from {environment.name}",
                    f"不能从 {environment.name} 查询环境 {name}",
                )
            )
        return opened(*neighbour(name))

    return Evidence(Neighbourhood(opened(environment, credentials), other), stop=stop)

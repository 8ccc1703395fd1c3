"""The proof: what failed for a client fails before, works after, and what has nothing to do with it stays as it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from cargo_runbook.connections.api_calls import ApiCalls
from cargo_runbook.connections.changing import Changing
from cargo_runbook.connections.client import ClientCall, DockerClient, hung_look_up, look_up_in_pod
from cargo_runbook.connections.network.sockets import is_open
from cargo_runbook.errors import SecretUnavailable
from cargo_runbook.inventory.credentials import Login
from cargo_runbook.inventory.models import Account, Action, Environment
from cargo_runbook.observations import Place, Vantage
from cargo_runbook.remedies.actions import STARTED, ApiCall
from cargo_runbook.remedies.jobs import as_client_call
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Text

SILENT = 15.0
"""Seconds after which a failed call was not refused but got no answer."""


class Proof(StrEnum):
    """How it ended. Without a red call before there is nothing to prove."""

    PROVEN = "proven"
    NOT_PROVEN = "not proven"
    NOT_REPRODUCED = "not reproduced"


@dataclass(frozen=True)
class Tried:
    """The calls of one try, and those to another environment that must not change."""

    calls: tuple[ClientCall, ...]
    control: tuple[ClientCall, ...]

    @property
    def works(self) -> bool:
        return all(call.works for call in self.calls)

    @property
    def under_way(self) -> bool:
        """Whether a replication has not ended yet."""
        return any(call.exit_code is None for call in self.calls)

    def to_json(self) -> dict[str, Any]:
        return {
            "works": self.works,
            "calls": [asdict(c) for c in self.calls],
            "control": [asdict(c) for c in self.control],
        }


def tried_from(body: Mapping[str, Any]) -> Tried:
    """The inverse of `Tried.to_json`."""
    calls, control = (tuple(ClientCall(**call) for call in body[key]) for key in ("calls", "control"))
    return Tried(calls, control)


def conclude(before: Tried, after: Tried) -> Proof:
    """What the two tries prove. The control must end as it did before."""
    if before.works:
        return Proof.NOT_REPRODUCED
    same = [c.works for c in before.control] == [c.works for c in after.control]
    return Proof.PROVEN if after.works and same else Proof.NOT_PROVEN


@dataclass(frozen=True)
class How:
    """Which calls prove it, and how many seconds what was changed may take until it counts.

    `push` also pushes what the inventory says must be pushed. It is left out unless the right to push is what was
    missing: docker writes a manifest of its own, so that the tag may get another digest. `in_pod`: the look-up in the
    pipeline's pod instead of docker's calls. `on_hosts`: that on the Cargo
    hosts. `replication`: the replications that the plan starts, instead of those.
    """

    push: bool = False
    in_pod: bool = False
    on_hosts: bool = False
    replication: bool = False
    settles: float = 45.0

    @property
    def say(self) -> Text:
        """What the proof is, in one line."""
        if self.replication:
            return Text("proof: the newest job of each repository, before and after; a login elsewhere as control",
                        "证明：修复前后各镜像仓库的最新同步任务，并以另一环境的登录作为对照")  # fmt: skip
        if self.on_hosts:
            return Text("proof: the look-up on the Cargo hosts; a login elsewhere as control",
                        "证明：在 Cargo 主机上解析域名，并以另一环境的登录作为对照")  # fmt: skip
        if self.in_pod:
            return Text("proof: the look-up in the pipeline's pod; a login elsewhere as control",
                        "证明：在流水线 Pod 中解析域名，并以另一环境的登录作为对照")  # fmt: skip
        return Text("proof: what the inventory says must work, by docker; another environment as control",
                    "证明：用 docker 执行清单中必须可用的操作，并以另一环境作为对照")  # fmt: skip


_PUSHES = How(push=True)
# The kubelet refreshes a mounted ConfigMap about once a minute, kube-dns looks every 10 s (cluster-dns.md, section 2).
_IN_POD = How(in_pod=True, settles=150.0)
# A job pushes an image; what has ended is not waited for.
_REPLICATES = How(replication=True, settles=300.0)
_HOW = {
    "CRG105": How(on_hosts=True),
    **dict.fromkeys(("CRG511", "CRG512", "CRG513", "CRG514"), _PUSHES),
    **dict.fromkeys(("CRG801", "CRG803", "CRG804", "CRG807"), _IN_POD),
}


def how_to_prove(code: str) -> How:
    """By docker login and pull, but for findings about pushing, about pods and about replication."""
    return _REPLICATES if code.startswith("CRG4") else _HOW.get(code, How())


Logins = Callable[[Account], Login]


def try_clients(
    environment: Environment,
    logins: Logins,
    redactor: Redactor,
    control: tuple[Environment, Logins] | None,
    how: How,
    plan: Plan,
    changing: Changing,
) -> Tried:
    """All that the inventory says must work in the environment, by the real client; and meanwhile a login elsewhere."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        elsewhere = pool.submit(_first_login, redactor, *control) if control else None
        if how.replication:
            calls = _replications(plan, changing.apis)
        elif how.on_hosts:
            machines = [Vantage(Place.CARGO_HOST, host.name) for host in environment.hosts]
            calls = tuple(changing.look_up(machine, environment.domain) for machine in machines)
        elif how.in_pod:
            calls = _look_ups(environment)
        else:
            with DockerClient(redactor) as docker:
                calls = until_silence(_calls(docker, environment, logins, push=how.push))
        return Tried(calls, elsewhere.result() if elsewhere else ())


def _replications(plan: Plan, apis: ApiCalls) -> tuple[ClientCall, ...]:
    return tuple(
        as_client_call(apis, action.request.environment, action.waits.policy, action.target)
        for action in plan.actions
        if isinstance(action, ApiCall) and action.waits is not None and action.waits.until == STARTED
    )


def _look_ups(environment: Environment) -> tuple[ClientCall, ...]:
    cluster = environment.kubernetes
    if cluster is None or not cluster.pipeline:
        return ()
    return (look_up_in_pod(cluster.context, cluster.namespace, cluster.pipeline, environment.domain),)


def _first_login(redactor: Redactor, environment: Environment, logins: Logins) -> tuple[ClientCall, ...]:
    """The control. Where the look-up of its name hangs, that is how it ends, before and after."""
    if hung := hung_look_up(environment.domain):
        return (hung,)
    with DockerClient(redactor) as docker:
        for account in environment.accounts:
            if account.is_docker_login:
                continue
            try:
                return (docker.login(environment.authority, logins(account)),)
            except SecretUnavailable:
                continue
    return ()


def until_silence(calls: Iterable[ClientCall]) -> tuple[ClientCall, ...]:
    """The calls one after the other, up to one that failed after SILENT seconds: what stays silent would cost as long at
    each of the others, and one red call is enough."""
    done, began = [], time.monotonic()
    for call in calls:
        done.append(call)
        if not call.works and time.monotonic() - began >= SILENT:
            break
        began = time.monotonic()
    return tuple(done)


def _calls(docker: DockerClient, environment: Environment, logins: Logins, *, push: bool) -> Iterator[ClientCall]:
    names, logged_in = {}, []
    for account in environment.accounts:
        if account.is_docker_login:
            names[account.name] = ""
            continue
        try:
            login = logins(account)
        except SecretUnavailable:
            # An account whose password is not at hand here can't be tried, neither before nor after.
            continue
        names[account.name] = login.username
        logged_in.append(login)
        yield docker.login(environment.authority, login)
    # Of several hosts behind one address, each must get its turn: "sometimes works" is a failure.
    for turn in range(2 * len(environment.hosts) if len(environment.hosts) > 1 else 0):
        for login in logged_in:
            yield docker.login(environment.authority, login)
            # A login may take as many connections as there are hosts, so that it always begins at the same one.
            for _ in range(turn + 1):
                is_open(environment.domain, environment.port)
    wanted = [(next((name for name in names.values() if name), ""), environment.image, False)]
    wanted += [
        (names[use.account], use.image, push and use.action is Action.PUSH)
        for use in environment.uses
        if use.account in names
    ]
    for name, image, pushed in dict.fromkeys(wanted):
        pulled = docker.pull(f"{environment.authority}/{image}", name)
        yield pulled
        if pushed and pulled.works:
            yield docker.push(f"{environment.authority}/{image}", name)

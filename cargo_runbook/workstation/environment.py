"""What one environment needs of this computer: passwords, the CA, SSH to its hosts, docker there, the cluster, the registry.

Its hosts are asked through the connections of a diagnosis, read-only, all at once and with a short deadline.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cargo_runbook.connections import open_connections
from cargo_runbook.connections.ssh import quote
from cargo_runbook.inventory.checks import look_closer
from cargo_runbook.inventory.credentials import login_of
from cargo_runbook.inventory.models import Environment, Machine
from cargo_runbook.observations import Command, KubeCommand, Observation, Place, Question, TlsHandshake, Vantage
from cargo_runbook.pasteable import pasteable
from cargo_runbook.texts import Text
from cargo_runbook.workstation.check import Check, State, same
from cargo_runbook.workstation.tools import until

SECONDS = 6.0
Ask = Callable[[Question], Observation]

_VERSION = ("docker", "version", "--format", "{{.Server.Version}}")


def look_at_environment(environment: Environment, ask: Ask | None = None) -> tuple[Check, ...]:
    """All checks of one environment.

    Args:
        ask: asks its hosts; default its own connections.
    """
    checks = [*_files(environment)]
    if ask is not None:
        checks += _asked(environment, ask)
    else:
        with open_connections(environment, partial(login_of, environment)) as connections:
            checks += _asked(environment, connections.ask)
    return tuple(replace(check, environment=environment.name) for check in checks)


def _files(environment: Environment) -> Iterator[Check]:
    closer = look_closer(environment)
    for problem in (*closer.problems, *closer.notes):
        step = (
            same(problem.next_step)
            if problem.next_step
            else same(pasteable(f"cargo-runbook env check {environment.name}"))
        )
        what = problem.what.partition(": ")[2] or problem.what
        yield Check("passwords" if problem in closer.notes else "ca", State.LACKS, same(what), step)
    if not closer.notes and environment.accounts:
        count = len(environment.accounts)
        yield Check("passwords", State.OK, Text(f"of {count} account(s) can be read", f"{count} 个账号的密码均可读取"))
    if environment.ca and not closer.problems:
        yield _ca(environment.path(environment.ca))


def _ca(path: Path) -> Check:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=str(path))
    ends = [ssl.cert_time_to_seconds(str(each["notAfter"])) for each in context.get_ca_certs()]
    if not ends:
        do = same(f"openssl x509 -in {quote([str(path)])} -noout -text")
        return Check("ca", State.LACKS, Text(f"{path} holds no CA", f"{path} 中没有 CA 证书"), do)
    state, told = until(datetime.fromtimestamp(min(ends), UTC))
    get = None if state is State.OK else Text("get the present CA of the registry", "获取仓库当前的 CA 证书")
    return Check("ca", state, Text(f"{path}: {told.en}", f"{path}：{told.zh}"), get)


def _asked(environment: Environment, ask: Ask) -> list[Check]:
    cluster = environment.kubernetes
    looks: list[Callable[[], Check]] = [partial(_host, ask, host, Place.CARGO_HOST) for host in environment.hosts]
    if cluster is not None:
        looks += [partial(_host, ask, node, Place.NODE) for node in cluster.nodes]
        looks.append(partial(_cluster, ask, cluster.context, cluster.namespace))
    looks.append(partial(_certificate, ask, environment))
    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(lambda look: look(), looks))


def _host(ask: Ask, machine: Machine, place: Place) -> Check:
    """SSH to a machine, and docker there, in one command."""
    at = Vantage(place, machine.name)
    argv = _VERSION if place is Place.CARGO_HOST else ("id", "-un")
    seen = ask(Command(vantage=at, argv=argv, deadline=SECONDS))
    name = f"ssh {machine.name}"
    way = quote(["ssh", machine.ssh_alias])
    if seen.answered and seen.exit_code == 0:
        if place is Place.CARGO_HOST:
            return Check(
                name, State.OK, Text(f"docker {seen.output.strip()} there", f"主机上 docker {seen.output.strip()}")
            )
        return Check(name, State.OK, Text(f"logged in as {seen.output.strip()}", f"以 {seen.output.strip()} 登录"))
    if seen.answered:
        return Check(name, *_docker_there(seen, way))
    return Check(name, *_no_way(str(seen.data.get("reason", "") or seen.status), seen, way))


def _docker_there(seen: Observation, way: str) -> tuple[State, Text, Text | None]:
    if "permission denied" in seen.error:
        return (State.LACKS, Text("this user may not use docker there", "该用户在主机上无权使用 docker"),
                same(f"{way} 'sudo usermod -aG docker $USER'"))  # fmt: skip
    last = (seen.error.strip().splitlines() or ["?"])[-1]
    return (
        State.LACKS,
        Text(f"docker does not work there: {last}", f"主机上的 docker 不可用：{last}"),
        same(f"{way} docker version"),
    )


def _no_way(reason: str, seen: Observation, way: str) -> tuple[State, Text, Text | None]:
    if reason == "host_key_unknown":
        shown = seen.data.get("fingerprint", "?")
        return (State.LACKS, Text(f"its host key is not known ({shown})", f"主机密钥未知（{shown}）"),
                Text(f"compare that fingerprint with its console, then: {way}", f"与控制台上的指纹核对后执行：{way}"))  # fmt: skip
    if reason == "host_key_changed":
        shown = seen.data.get("fingerprint", "?")
        return (State.LACKS, Text(f"its host key is not the known one ({shown})", f"主机密钥与已知的不同（{shown}）"),
                Text("find out why before you connect again; then replace its line in known_hosts",
                     "连接前先查明原因，再替换 known_hosts 中的对应行"))  # fmt: skip
    if reason == "authentication":
        return State.LACKS, Text("it refuses the login", "登录被拒绝"), same(f"ssh-add   ssh-copy-id   {way}")
    if reason == "ssh_config":
        return State.LACKS, seen.complaint, Text("correct ~/.ssh/config", "修正 ~/.ssh/config")
    last = _last(seen.complaint, reason)
    return State.UNKNOWN, Text(f"can't be reached: {last.en}", f"无法连接：{last.zh}"), same(way)


def _last(complaint: Text, otherwise: str) -> Text:
    """The last line, which says most; `otherwise` where nothing was said."""
    return Text(*((said.splitlines() or [otherwise])[-1] for said in (complaint.en, complaint.zh)))


def _cluster(ask: Ask, context: str, namespace: str) -> Check:
    """Whether the cluster answers, and lets this user look at pods."""
    words = ("auth", "can-i", "get", "pods", "-n", namespace)
    seen = ask(KubeCommand(vantage=Vantage(Place.CLUSTER, context), args=words, deadline=SECONDS))
    name, typed = f"cluster {context}", f"kubectl --context={context} auth can-i get pods -n {namespace}"
    if seen.answered and seen.exit_code == 0:
        return Check(name, State.OK, Text(f"pods of {namespace} can be looked at", f"可查看 {namespace} 中的 Pod"))
    if seen.answered:
        refused = Text(f"pods of {namespace} may not be looked at", f"无权查看 {namespace} 中的 Pod")
        ask_for = Text(
            f"ask for the role view in {namespace}; try: {typed}", f"申请 {namespace} 的 view 角色；测试：{typed}"
        )
        return Check(name, State.LACKS, refused, ask_for)
    reason = str(seen.data.get("reason", "") or seen.status)
    last = _last(seen.complaint, reason)
    lacking = reason in ("no_context", "authentication", "not_found")
    state = State.LACKS if lacking else State.UNKNOWN
    return Check(name, state, Text(f"does not answer: {last.en}", f"没有应答：{last.zh}"), same(typed))


def _certificate(ask: Ask, environment: Environment) -> Check:
    """The registry's certificate: trusted with the CA that this computer has, and until when."""
    question = TlsHandshake(
        address=environment.domain, server_name=environment.domain, port=environment.port, deadline=SECONDS
    )
    seen = ask(question)
    do = same(pasteable(f"cargo-runbook diagnose --env {environment.name}"))
    if not seen.answered:
        last = _last(seen.complaint, str(seen.status))
        return Check("certificate", State.UNKNOWN, Text(f"could not be seen: {last.en}", f"无法获取：{last.zh}"), do)
    ends = str(seen.data.get("not_after", ""))
    if not seen.data.get("trusted"):
        problem = seen.data.get("problem", "?")
        told = Text(f"is not trusted here: {problem}", f"在此不受信任：{problem}")
        ca = Text("name its CA in the inventory (ca:)", "在清单中填写其 CA（ca:）")
        return Check("certificate", State.LACKS, told, ca if problem in ("unknown_ca", "self_signed") else do)
    if not ends:
        return Check("certificate", State.OK, Text("trusted", "受信任"))
    state, told = until(datetime.fromisoformat(ends))
    return Check("certificate", state, told, None if state is State.OK else do)

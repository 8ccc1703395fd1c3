"""镜像同步一直同步中, 镜像同步同步失败: the destination's name in jobservice, the endpoint, and a new start."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cargo_runbook.connections.api_calls import ApiRequest, Service
from cargo_runbook.facts.access import read_registry
from cargo_runbook.facts.harbor.go_error import origin
from cargo_runbook.facts.replication import EnvironmentReplication, PolicyFacts, is_address
from cargo_runbook.findings import Verdict
from cargo_runbook.inventory.models import Host
from cargo_runbook.observations import HttpRequest
from cargo_runbook.pasteable import pasteable
from cargo_runbook.probes.destination import JOBSERVICE
from cargo_runbook.remedies.actions import ONCE, STARTED, STOPPED, ApiCall, Durability, Effect, Jobs
from cargo_runbook.remedies.edits.compose import CannotEdit, set_extra_host_of
from cargo_runbook.remedies.edits.hosts import set_address
from cargo_runbook.remedies.jobs import TRIED_AGAIN
from cargo_runbook.remedies.workbench import SECONDS, Draft, NoRemedy, Workbench, compose_files, in_place, text_of
from cargo_runbook.rules.replication import judge_replication
from cargo_runbook.texts import Text, say, tell

STUCK, FAILED = "镜像同步一直同步中", "镜像同步同步失败"
STOPS, STARTS = 30.0, 20.0
"""Seconds within which stopped jobs are stopped, and a start has a job."""
_OWN_FIX = ("CRG403", "CRG404", "CRG423", "CRG432", "CRG433", "CRG434")
_LOST = Durability(restart=False, recreate=False, reboot=False)


def replicate_again(bench: Workbench) -> Draft:
    """What waits is stopped, and the replication is started again.

    Raises:
        NoRemedy: a cause stands that has a fix of its own, which starts the replication as well.
    """
    own = [code for code in bench.roots if code in _OWN_FIX]
    if own:
        first = pasteable(f"cargo-runbook fix {own[0]} --env {bench.environment.name}")
        raise NoRemedy(
            tell(
                f"a start now would fail as the last one did: {', '.join(own)} stands",
                f"{', '.join(own)} 仍然存在，现在触发会像上次一样失败",
            ),
            next_step=tell(f"First: {first}", f"请先执行：{first}"),
            section=bench.finding.section,
        )
    draft, why = Draft(), ", ".join(code for code in bench.roots if code != bench.finding.code)
    if why:
        draft.notes.append(
            Text(
                f"The last jobs failed because of {why}, which is mended elsewhere. If it is, this start proves it; if not, "
                "the jobs fail again.",
                f"上次任务失败的原因是 {why}，需要在别处修复。如果已修复，这次触发可以证明；否则任务会再次失败。",
            )
        )
    _again(bench, draft, [policy for policy in _facts(bench).policies if policy.troubled])
    return draft


def jobservice_hosts(bench: Workbench) -> Draft:
    """The destination at the address of the inventory: on the host, in jobservice (at once), in the compose file (so
    that it lasts); then the replication is started again."""
    draft, policies = Draft(), _with(bench, "CRG403", "CRG404")
    for policy in policies:
        name, address = policy.policy.host, policy.address
        if not is_address(address):
            raise NoRemedy(
                tell(
                    f"no environment of the inventory has the domain {name}, so its address is not known",
                    f"环境清单中没有域名为 {name} 的环境，因此不知道它的地址",
                ),
                next_step=tell(
                    f"Add an environment with domain: {name} to the inventory, or correct the DNS record.",
                    f"请在环境清单中添加 domain: {name} 的环境，或修正 DNS 记录。",
                ),
                section=STUCK,
            )
        for host in bench.environment.hosts:
            _hosts_entries(bench, draft, host, name, address)
    _again(bench, draft, policies)
    draft.notes.append(
        Text(
            "The line in the container counts at once and is lost when it restarts; extra_hosts counts from the next "
            "time that compose makes it. Let the DNS record be corrected as well.",
            "容器内的条目立即生效，但容器重启后丢失；extra_hosts 在 compose 下次重建容器后生效。请同时修正 DNS 记录。",
        )
    )
    return draft


def target_endpoint(bench: Workbench) -> Draft:
    """The saved endpoint with https://, where a registry answers there; then the replication is started again."""
    draft, policies = Draft(), _with(bench, "CRG423")
    for policy in policies:
        _, host, port = origin(policy.policy.endpoint)
        authority = host if port in (80, 443) else f"{host}:{port}"
        wanted = f"https://{authority}"
        if wanted == policy.policy.endpoint:
            raise NoRemedy(
                tell(
                    f"the endpoint of {policy.policy.name} is {wanted}, and what answers there redirects",
                    f"{policy.policy.name} 的目标地址是 {wanted}，而那里的应答是重定向",
                ),
                next_step=tell(
                    "Save the address that it redirects to as the endpoint of the target.",
                    "请把重定向指向的地址保存为目标地址。",
                ),
                section=FAILED,
            )
        asked = HttpRequest(url=f"{wanted}/v2/", environment=policy.destination, deadline=SECONDS)
        seen = bench.ask(asked)
        if seen.data.get("status") not in (200, 401):
            raise NoRemedy(
                tell(
                    f"no registry answers at {wanted}, so the endpoint is left as it is",
                    f"{wanted} 没有仓库应答，因此保持目标地址不变",
                ),
                vantage="operator",
                seen=say(seen.complaint)
                or tell(f"answered {seen.data.get('status')}", f"返回 {seen.data.get('status')}"),
                section=FAILED,
            )
        path = f"/api/targets/{policy.policy.target}"
        draft.actions.append(
            ApiCall(
                request=_harbor(bench, "PUT", path, endpoint=wanted),
                undo=_harbor(bench, "PUT", path, endpoint=policy.policy.endpoint),
                effect=Effect.EDIT,
                target=f"target {policy.policy.target} of policy {policy.policy.name}",
                shown=(f"endpoint: {policy.policy.endpoint}", f"endpoint: {wanted}"),
            )
        )
    _again(bench, draft, policies)
    return draft


def _facts(bench: Workbench) -> EnvironmentReplication:
    seen = bench.gathered.concerns.get("replication")
    return seen if isinstance(seen, EnvironmentReplication) else EnvironmentReplication()


def _with(bench: Workbench, *codes: str) -> list[PolicyFacts]:
    """The policies of which one of the codes is at fault."""
    return [
        policy
        for policy in _facts(bench).policies
        if any(f.code in codes and f.status is Verdict.FAULT for f in judge_replication(policy.facts))
    ]


def _hosts_entries(bench: Workbench, draft: Draft, host: Host, name: str, address: str) -> None:
    machine = bench.on(host)
    own = bench.file(machine, "/etc/hosts")
    draft.edit(own, set_address(text_of(own), name, address))
    path = bench.hosts_path(host, JOBSERVICE)
    if path:
        inside = in_place(bench.file(machine, path))
        if draft.edit(inside, set_address(text_of(inside), name, address), _LOST):
            draft.notes.append(
                Text(
                    f"{path[:40]}… is /etc/hosts of {JOBSERVICE} on {host.name}.",
                    f"{path[:40]}… 是 {host.name} 上 {JOBSERVICE} 容器的 /etc/hosts。",
                )
            )
    for file in compose_files(bench, host, JOBSERVICE):
        state = bench.file(machine, file)
        if state.content is None:
            continue
        try:
            draft.edit(state, set_extra_host_of(text_of(state), JOBSERVICE, name, address))
        except CannotEdit as why:
            raise NoRemedy(
                tell(f"{file} can't be edited from here: {why}", f"无法在这里修改 {file}：{why}"),
                vantage=str(machine),
                next_step=tell(
                    f'Give the service of {JOBSERVICE} an entry in extra_hosts yourself: "{name}:{address}"',
                    f'请自行在 {JOBSERVICE} 的服务中添加 extra_hosts 条目："{name}:{address}"',
                ),
                section=STUCK,
            ) from why


def _again(bench: Workbench, draft: Draft, policies: Iterable[PolicyFacts]) -> None:
    """Stop where jobs wait, then start, a policy at a time."""
    for policy in policies:
        saved, jobs = policy.policy, policy.facts.jobs
        waiting = [job for job in (jobs.jobs if jobs else None) or () if job.status in TRIED_AGAIN]
        if waiting:
            draft.actions.append(
                ApiCall(
                    request=_harbor(bench, "PUT", "/api/jobs/replication", policy_id=saved.id, status="stop"),
                    effect=Effect.STOP_JOBS,
                    target=f"policy {saved.name}",
                    shown=(f"{len(waiting)} jobs wait or are tried again", "they are stopped"),
                    waits=Jobs(saved.id, STOPPED, STOPS),
                    durability=ONCE,
                )
            )
        draft.actions.append(_start(bench, draft, policy))


def _start(bench: Workbench, draft: Draft, policy: PolicyFacts) -> ApiCall:
    """In Cargo-Admin, which keeps the time of the start; in Harbor where it does not know the policy."""
    saved, name = policy.policy, _admin_name(bench, policy)
    if name:
        request = ApiRequest(
            service=Service.CARGO_ADMIN,
            environment=bench.environment.name,
            method="POST",
            path=f"/api/v2/replications/{name}/action",
            body=json.dumps({"action": "Start"}),
        )
    else:
        request = _harbor(bench, "POST", "/api/replications", policy_id=saved.id)
        draft.notes.append(
            Text(
                f"Cargo-Admin has no replication that is policy {saved.name}, so it is started in Harbor itself; "
                "Cargo-Admin does not show the time of that start.",
                f"Cargo-Admin 中没有与策略 {saved.name} 对应的同步，因此直接在 Harbor 中触发；Cargo-Admin 不会显示这次触发的时间。",
            )
        )
    return ApiCall(
        request=request,
        effect=Effect.REPLICATE,
        target=f"policy {saved.name}",
        waits=Jobs(saved.id, STARTED, STARTS),
        durability=ONCE,
    )


def _admin_name(bench: Workbench, policy: PolicyFacts) -> str:
    """What Cargo-Admin calls the replication from this registry to that destination for that project."""
    admin, records = bench.environment.cargo_admin, _facts(bench).records
    if admin is None or not records:
        return ""
    known = bench.get(f"{admin.url.rstrip('/')}/api/v2/registries")
    source, target = read_registry(known, bench.environment.domain), read_registry(known, policy.policy.host)
    names = [r.name for r in records if (r.source, r.target, r.project) == (source, target, policy.policy.project)]
    return names[0] if len(names) == 1 and source and target else ""


def _harbor(bench: Workbench, method: str, path: str, **body: object) -> ApiRequest:
    return ApiRequest(
        service=Service.HARBOR,
        environment=bench.environment.name,
        method=method,
        path=path,
        body=json.dumps(body) if body else "",
    )

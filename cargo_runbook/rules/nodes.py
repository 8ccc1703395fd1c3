"""Several hosts behind one address: what differs from host to host works only sometimes.

Each host is judged by the rules of the path, as if it were the only one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cargo_runbook.facts.nodes import NodeFacts, NodesFacts
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.transport import Handshake
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.rules.challenge import judge_challenge
from cargo_runbook.rules.permission import judge_project, judge_pull
from cargo_runbook.rules.token import judge_token
from cargo_runbook.rules.token_service import judge_token_service
from cargo_runbook.rules.transport import judge_transport
from cargo_runbook.rules.triage import judge
from cargo_runbook.texts import Text

_OPERATOR = "operator"
_CODES = ("CRG712", "CRG713", "CRG711", "CRG714")
_RULES = (judge_transport, judge_challenge, judge_token_service, judge_token, judge_project, judge_pull)
# A host that takes no connection says nothing by itself: a firewall may keep the operator from it.
_NO_CONNECTION = (Handshake.REFUSED, Handshake.NO_ANSWER, Handshake.UNTOLD)


def judge_nodes(path: PathFacts, facts: NodesFacts) -> tuple[Finding, ...]:
    """CRG711 to CRG714, and of each host what is at fault there and not on the path. Nothing where there is one host."""
    if not facts.nodes:
        return ()
    reached = [node for node in facts.nodes if node.answers]
    if not reached:
        skipped = Text("not testable: no host answers", "无法测试：没有主机应答")
        return tuple(finding(code, Verdict.SKIPPED, _OPERATOR, skipped) for code in _CODES)
    faults = {node.host: _faults(path, node) for node in reached}
    closed = _judge_closed(path, facts)
    if closed.status is Verdict.FAULT:
        faults |= {node.host: (closed,) for node in facts.nodes if not node.answers}
    known = {each.code for each in judge(path) if each.status is Verdict.FAULT}
    beside = [each for host in faults for each in faults[host] if each.code not in known and each is not closed]
    return (*beside, _judge_front(facts), closed, _judge_answers(faults), _judge_setup(path))


def _faults(path: PathFacts, node: NodeFacts) -> tuple[Finding, ...]:
    """What is at fault at one host, with the host as the place where it was seen."""
    seen = replace(
        path,
        hosts=tuple(each for each in path.hosts if each.name == node.host),
        settings=tuple(each for each in path.settings if each.host == node.host),
        handshake=node.handshake,
        challenge=node.challenge,
        token_service=node.token_service,
        token=node.token,
        manifest=node.manifest,
        logins=(),
    )
    vantage = f"cargo host {node.host}"
    found = (each for rule in _RULES for each in rule(seen))
    return tuple(
        replace(each, vantage=vantage, summary=_at(node.host, each.summary))
        for each in found
        if each.status is Verdict.FAULT
    )


def _at(host: str, said: Text) -> Text:
    return said if host in said.en else Text(f"{host}: {said.en}", f"{host}：{said.zh}")


def _judge_front(facts: NodesFacts) -> Finding:
    """CRG712: does the address before the hosts answer?"""
    if any(turn.answered for turn in facts.front):
        return finding(
            "CRG712", Verdict.OK, _OPERATOR, Text("the address before the hosts answers", "主机前面的地址有应答")
        )
    names = ", ".join(node.host for node in facts.nodes if node.answers)
    reason = facts.front[0].reason if facts.front else "-"
    summary = Text(
        f"the address that clients use does not answer ({reason}), though {names} does when asked directly",
        f"客户端使用的地址没有应答（{reason}），而直接访问 {names} 有应答",
    )
    links = [
        Link(
            turn.evidence,
            Text(f"asked through the domain: {turn.reason}", f"通过域名访问：{turn.reason}"),
            Text("no client gets any further", "客户端无法继续"),
        )
        for turn in facts.front[:1]
    ]
    links += [
        Link(
            node.challenge.evidence,
            Text(f"{node.host} answers at {node.address}", f"{node.host} 在 {node.address} 有应答"),
            Text("the hosts work; what stands before them does not", "主机正常，问题在它们前面的地址"),
        )
        for node in facts.nodes
        if node.answers
    ]
    return finding("CRG712", Verdict.FAULT, _OPERATOR, summary, *links)


def _judge_closed(path: PathFacts, facts: NodesFacts) -> Finding:
    """CRG713: does each host take connections? Asked once more through the address, since that is what counts."""
    closed = [node for node in facts.nodes if not node.answers]
    if not closed:
        names = ", ".join(node.host for node in facts.nodes)
        return finding("CRG713", Verdict.OK, _OPERATOR, Text(f"{names} answer", f"{names} 有应答"))
    names = ", ".join(node.host for node in closed)
    failed = [turn for turn in facts.front if not turn.answered]
    links = [
        Link(
            node.challenge.evidence,
            Text(
                f"{node.host} ({node.address}): {node.challenge.reason}",
                f"{node.host}（{node.address}）：{node.challenge.reason}",
            ),
            Text("it serves nobody whom it gets", "分到该主机的客户端得不到服务"),
        )
        for node in closed
    ]
    if failed and len(failed) < len(facts.front):
        share = f"{len(failed)}/{len(facts.front)}"
        summary = Text(
            f"{names} does not answer, and through the one address {share} connections fail",
            f"{names} 没有应答，通过统一地址访问时 {share} 次连接失败",
        )
        through = Link(
            failed[0].evidence,
            Text(f"{share} connections through the domain fail", f"通过域名的连接有 {share} 次失败"),
            Text("clients are still sent to that host", "客户端仍会被分到该主机"),
        )
        vantage = f"cargo host {names}"
        return finding("CRG713", Verdict.FAULT, vantage, summary, *links, through)
    summary = Text(
        f"{names} does not answer the operator; no client is sent there, or nobody can tell from here",
        f"{names} 对操作机没有应答；可能没有客户端被分到那里，从这里无法判断",
    )
    alive = {host.name for host in path.hosts if host.alive}
    untold = Verdict.SKIPPED if all(node.host in alive for node in closed) else Verdict.UNKNOWN
    return finding("CRG713", untold, _OPERATOR, summary, *links)


def _judge_answers(faults: Mapping[str, tuple[Finding, ...]]) -> Finding:
    """CRG711: do the hosts answer alike?"""
    if len({frozenset(each.code for each in found) for found in faults.values()}) < 2:
        names = ", ".join(faults)
        return finding("CRG711", Verdict.OK, _OPERATOR, Text(f"{names} answer alike", f"{names} 的应答一致"))
    shared = frozenset.intersection(*(frozenset(each.code for each in found) for found in faults.values()))
    own = {host: [each for each in found if each.code not in shared] for host, found in faults.items()}
    broken = {host: found for host, found in own.items() if found}
    names = ", ".join(broken)
    summary = Text(
        f"what clients get depends on the host that their turn is: {names} fails, the rest does not",
        f"客户端得到的结果取决于被分到哪台主机：{names} 失败，其余正常",
    )
    links = [
        Link(
            each.chain[0].observation if each.chain else "",
            each.summary,
            Text(f"it fails whenever {host} is taken ({each.code})", f"每次分到 {host} 时失败（{each.code}）"),
        )
        for host, found in broken.items()
        for each in found
    ]
    return finding("CRG711", Verdict.FAULT, f"cargo host {names}", summary, *links)


def _judge_setup(path: PathFacts) -> Finding:
    """CRG714: are the hosts set up alike? Only what could be read on a host is compared."""
    entries = path.token_service.entries if path.token_service else ()
    lines: dict[str, list[str]] = {}
    for host, entry in entries:
        lines.setdefault(host, []).append(" ".join((entry.address, *entry.names)))
    proofs = path.token_service.entries_evidence if path.token_service else ()
    proof_of = dict(zip((each.host for each in path.settings), proofs, strict=False))
    evidence = {each.host: each for each in path.settings}
    compared: dict[str, Mapping[str, tuple[str, str]]] = {
        "config/registry/root.crt": {
            host: (", ".join(each.key_ids), each.keys_evidence) for host, each in evidence.items() if each.key_ids
        },
        "config/registry/config.yml": {
            host: (f"{each.auth.realm} {each.auth.service} {each.auth.issuer}", each.evidence)
            for host, each in evidence.items()
            if each.auth
        },
        "config/nginx/nginx.conf (X-Cargo)": {
            host: (", ".join(each.checked_domains), each.checked_evidence)
            for host, each in evidence.items()
            if each.checked_domains
        },
        "extra_hosts": {host: ("; ".join(sorted(found)), proof_of.get(host, "")) for host, found in lines.items()},
    }
    different = {what: seen for what, seen in compared.items() if len({said for said, _ in seen.values()}) > 1}
    if not different:
        alike = Text("the hosts are set up alike", "各主机的配置一致")
        return finding("CRG714", Verdict.OK, _OPERATOR, alike)
    links = [
        Link(
            proof,
            Text(f"{host}: {what}: {said}", f"{host}：{what}：{said}"),
            Text("another host has something else there", "其他主机上的内容不同"),
        )
        for what, seen in different.items()
        for host, (said, proof) in seen.items()
    ]
    parts = ", ".join(different)
    summary = Text(f"the hosts differ in {parts}", f"各主机的 {parts} 不一致")
    return finding("CRG714", Verdict.FAULT, _OPERATOR, summary, *links)

"""Section 域名无法解析, by vantage: one domain, several answers. Disagreement is the finding."""

from __future__ import annotations

from collections.abc import Sequence

from cargo_runbook.facts.matrix import CONTAINERS, MACHINES, OPERATOR, Cell, Column, Matrix, Place
from cargo_runbook.facts.names import Lookup
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.rules.cluster_dns import judge_cluster_dns
from cargo_runbook.rules.names import MEANING, link_of
from cargo_runbook.texts import Text

_OPERATOR = "operator"
Seen = tuple[Column, Cell]


def judge_matrix(path: PathFacts, facts: Matrix) -> tuple[Finding, ...]:
    """CRG104 to CRG106, and cluster DNS."""
    return (*_only_here(path, facts), *_hosts(path, facts), *_elsewhere(path, facts), *judge_cluster_dns(path, facts))


def _only_here(path: PathFacts, facts: Matrix) -> tuple[Finding, ...]:
    """CRG104: the operator says that there is no such name; does another machine, or a name server, know it?

    What pods know does not count: cluster DNS has entries of its own.
    """
    operator = facts.cell(path.domain, OPERATOR)
    if operator is None:
        return ()
    if operator.resolved:
        resolved = Text(f"the operator resolves {path.domain}", f"操作机可以解析 {path.domain}")
        return (finding("CRG104", Verdict.OK, _OPERATOR, resolved),)
    machines = [seen for seen in facts.column(path.domain, *MACHINES) if seen[1].told]
    knowing = [seen for seen in machines if seen[1].resolved]
    servers = [a for a in (path.names.servers if path.names else ()) if a.lookup is Lookup.RESOLVED]
    if operator.says_no and (knowing or servers):
        links = [_here(path.domain, operator)]
        links += [link_of(path.domain, answer) for answer in servers]
        links += [there(path.domain, *seen) for seen in knowing]
        names = ", ".join([*(str(column) for column, _ in knowing), *(f"name server {a.server}" for a in servers)])
        summary = Text(
            f"{path.domain} resolves at {names}, but not at the operator",
            f"{path.domain} 在 {names} 可以解析，但在操作机不能",
        )
        return (finding("CRG104", Verdict.FAULT, _OPERATOR, summary, *links),)
    if operator.says_no and machines:
        summary = Text(f"nobody else knows {path.domain} either", f"其他机器也无法解析 {path.domain}")
        return (finding("CRG104", Verdict.OK, _OPERATOR, summary, *(there(path.domain, *seen) for seen in machines)),)
    untold = Text("no other machine could be asked", "无法在其他机器上查询")
    return (finding("CRG104", Verdict.SKIPPED, _OPERATOR, untold),)


def _hosts(path: PathFacts, facts: Matrix) -> tuple[Finding, ...]:
    """CRG105: the Cargo hosts themselves."""
    hosts = [seen for seen in facts.column(path.domain, Place.HOST) if seen[1].told]
    operator = facts.cell(path.domain, OPERATOR)
    if not hosts or operator is None or not operator.resolved:
        untold = Text("the Cargo hosts could not be compared with the operator", "无法与 Cargo 主机比较")
        return (finding("CRG105", Verdict.SKIPPED, _OPERATOR, untold),)
    blind = [seen for seen in hosts if not seen[1].resolved]
    if not blind:
        summary = Text(f"{_list(hosts)} resolves it too", f"{_list(hosts)} 也可以解析")
        return (finding("CRG105", Verdict.OK, _vantage(hosts), summary),)
    summary = Text(
        f"{_list(blind)} does not resolve {path.domain}, the operator does",
        f"操作机可以解析 {path.domain}，但 {_list(blind)} 不能",
    )
    links = [_here(path.domain, operator), *(there(path.domain, *seen) for seen in blind)]
    return (finding("CRG105", Verdict.FAULT, _vantage(blind), summary, *links),)


def _elsewhere(path: PathFacts, facts: Matrix) -> tuple[Finding, ...]:
    """CRG106: an address that is neither this Cargo's, nor what the operator gets, nor the container's own front."""
    operator = facts.cell(path.domain, OPERATOR)
    right = {*path.addresses, *(operator.addresses if operator else ())}
    seen = [s for s in facts.column(path.domain, *MACHINES, *CONTAINERS) if s[1].resolved]
    if not seen or not right:
        untold = Text("no other place could be asked", "无法在其他位置查询")
        return (finding("CRG106", Verdict.SKIPPED, _OPERATOR, untold),)
    # While tengine's own addresses are not known, a container's answer can't be told from a wrong one.
    judged = [s for s in seen if facts.front or s[0].place not in CONTAINERS]
    wrong = [(c, cell) for c, cell in judged if not set(cell.addresses) & (right | _own(c, facts))]
    if not wrong:
        summary = Text(f"all {len(seen)} places agree", f"{len(seen)} 个位置的结果一致")
        return (finding("CRG106", Verdict.OK, _vantage(seen), summary),)
    summary = Text(
        "; ".join(f"{c} resolves {path.domain} to {', '.join(cell.addresses)}" for c, cell in wrong)
        + f" instead of {', '.join(sorted(right))}",
        "；".join(f"{c.said.zh} 把 {path.domain} 解析为 {', '.join(cell.addresses)}" for c, cell in wrong)
        + f"，而不是 {', '.join(sorted(right))}",
    )
    links = [_here(path.domain, operator)] if operator else []
    links += [there(path.domain, *each) for each in wrong]
    return (finding("CRG106", Verdict.FAULT, _vantage(wrong), summary, *links),)


def _own(column: Column, facts: Matrix) -> frozenset[str]:
    """A container of Cargo may meet its own front inside Docker's network."""
    return facts.front if column.place in CONTAINERS else frozenset()


def there(domain: str, column: Column, cell: Cell) -> Link:
    """What another place says of the domain, as a link of a chain."""
    if cell.resolved:
        addresses, by = ", ".join(cell.addresses), cell.by
        rule = Text(
            f"{column} resolves {domain} to {addresses}{by.en}",
            f"{column.said.zh} 把 {domain} 解析为 {addresses}{by.zh}",
        )
        return Link(cell.evidence, rule, Text("the name is known there", "那里认识该域名"))
    meaning = MEANING[cell.lookup]
    rule = Text(
        f"{column}, asked for {domain}: its resolver {meaning.en}", f"在 {column.said.zh} 查询 {domain}：{meaning.zh}"
    )
    return Link(cell.evidence, rule, Text("no address there", "那里得不到地址"))


def _here(domain: str, cell: Cell) -> Link:
    link = there(domain, OPERATOR, cell)
    if cell.resolved:
        return link
    says = Text(
        f"docker here stops with `lookup {domain}: no such host`",
        f"本机的 docker 以 `lookup {domain}: no such host` 失败",
    )
    return Link(link.observation, link.rule, says)


def _list(seen: Sequence[Seen]) -> str:
    return ", ".join(column.host or str(column) for column, _ in seen)


def _vantage(seen: Sequence[Seen]) -> str:
    return ", ".join(str(column) for column, _ in seen)

"""What the destination of a replication says, its name by place, and whether clocks and nodes agree."""

from __future__ import annotations

from collections.abc import Iterator

from cargo_runbook.facts.harbor.replication import TokenAnswer
from cargo_runbook.facts.replication import EnvironmentReplication, NotAsked, PolicyFacts
from cargo_runbook.findings import Verdict
from cargo_runbook.steps.step import Gathered
from cargo_runbook.tables import Cell, Table
from cargo_runbook.texts import Text

CONCERN = "replication"
_NOTHING = Text("Not asked: the jobs gave no reason to.", "没有询问：从任务看没有必要。")

Row = tuple[Cell, ...]


def seen_of(gathered: Gathered) -> EnvironmentReplication:
    """What was found; nothing in a replay that is older than the question."""
    found: EnvironmentReplication | None = gathered.concerns.get(CONCERN)
    return found or EnvironmentReplication()


def closely(gathered: Gathered) -> Iterator[PolicyFacts]:
    """The policies that are in trouble, so that logs and destination were asked."""
    return (policy for policy in seen_of(gathered).policies if policy.facts.closely)


def table(title: Text, columns: tuple[Text, ...], rows: list[Row], note: Text | None = None) -> tuple[Table, ...]:
    """One table; without rows it says that nothing was asked."""
    return (Table(title, columns, tuple(rows), note if rows else _NOTHING),)


def destination(gathered: Gathered) -> tuple[Table, ...]:
    """Ping, redirect, token and keys of each destination that refused a job."""
    rows = [row for policy in closely(gathered) for row in _said(policy)]
    columns = (Text("destination", "目的仓库"), Text("asked", "询问"), Text("answer", "应答"), Text("so", "说明"))
    return table(Text("What does the destination say?", "目的仓库的应答"), columns, rows)


def _said(policy: PolicyFacts) -> Iterator[Row]:
    facts, name = policy.facts, Cell(policy.destination or policy.policy.endpoint)
    if facts.redirect is not None:
        moved = Verdict.FAULT if facts.redirect.redirects else Verdict.OK
        to = facts.redirect.location
        shown = f"{facts.redirect.status} → {to}" if to else str(facts.redirect.status)
        so = Text("a redirect drops the credentials", "重定向会丢失凭据") if to else Text("no redirect", "没有重定向")
        yield (
            name,
            Cell(f"{policy.policy.endpoint}/v2/"),
            Cell(shown, moved, evidence=facts.redirect.evidence),
            Cell(so),
        )
    if facts.pings:
        statuses = {ping.status for ping in facts.pings}
        good = Verdict.OK if statuses == {200} else Verdict.FAULT
        answer = Cell(", ".join(str(ping.status) for ping in facts.pings), good, evidence=facts.pings[0].evidence)
        so = Text("200 proves the login, not a role", "200 只证明可以登录，不代表有权限")
        yield name, Cell(Text("ping of the saved target", "测试目标连接")), answer, Cell(so)
    for token in facts.tokens:
        yield name, Cell(_asked(token, policy.policy.username)), *_token(token)
    signed = {t.token.key_id for t in facts.tokens if t.token is not None}
    for keys in facts.keys:
        known = bool(signed & set(keys.key_ids))
        verdict = None if not signed or not keys.key_ids else Verdict.OK if known else Verdict.FAULT
        so = (
            Text("signs the tokens", "就是签发 token 的密钥")
            if known
            else Text("the key that it trusts", "它信任的密钥")
        )
        held = Cell(", ".join(keys.key_ids) or "-", verdict, evidence=keys.evidence)
        yield name, Cell(Text(f"root.crt on {keys.host}", f"{keys.host} 的 root.crt")), held, Cell(so)
    for why in policy.not_asked:
        yield (
            name,
            Cell(Text("token of the replication's user", "同步账号的 token")),
            Cell("-", Verdict.UNKNOWN),
            Cell(_WHY[why]),
        )


_WHY = {
    NotAsked.NO_ENVIRONMENT: Text("the inventory has no environment with that domain", "环境文件中没有该域名的环境"),
    NotAsked.NO_ACCOUNT: Text("the destination's inventory has no account of that name", "目的环境中没有该账号"),
}


def _asked(token: TokenAnswer, user: str) -> Text:
    where = f" ({token.node})" if token.node else ""
    if token.scoped:
        return Text(f"token of {user} for the repository{where}", f"{user} 对该镜像仓库的 token{where}")
    return Text(f"token of {user} without a scope{where}", f"{user} 不带 scope 的 token{where}")


def _token(token: TokenAnswer) -> tuple[Cell, Cell]:
    known = {True: Verdict.OK, False: Verdict.FAULT, None: Verdict.UNKNOWN}[token.knows_user]
    if token.token is None:
        return Cell(str(token.status or "-"), known, evidence=token.evidence), Cell("-")
    rights = ", ".join(sorted(action for actions in token.token.access.values() for action in actions)) or "-"
    says = Text(
        f"sub {token.token.subject or '-'}, access {rights}", f"sub {token.token.subject or '-'}，权限 {rights}"
    )
    return Cell(says, known, evidence=token.evidence), Cell(f"kid {token.token.key_id or '-'}")


def names(gathered: Gathered) -> tuple[Table, ...]:
    """What the destination's name resolves to, by place; the container of jobservice is the one that counts."""
    rows: list[Row] = []
    for seen in dict.fromkeys(name for policy in closely(gathered) for name in policy.names):
        if seen.addresses is None:
            cell = Cell(seen.source or "-", Verdict.UNKNOWN, evidence=seen.evidence)
        elif not seen.addresses:
            cell = Cell(Text("does not resolve", "无法解析"), Verdict.FAULT, evidence=seen.evidence)
        else:
            cell = Cell(", ".join(seen.addresses), Verdict.OK, evidence=seen.evidence)
        source = {"hosts": Text("its hosts file", "hosts 文件"), "DNS": Text("a DNS server", "DNS 服务器")}
        rows.append((Cell(seen.name), Cell(seen.place), cell, Cell(source.get(seen.source, "-"))))
    columns = (Text("name", "域名"), Text("place", "位置"), Text("resolves to", "解析结果"), Text("from", "来源"))
    note = Text(
        "A container does not read its host's hosts file. jobservice has no ping, so the guide pings from tengine; the two "
        "may differ, and jobservice counts.",
        "容器不读取主机的 hosts 文件。jobservice 中没有 ping，指南因此在 tengine 里测试；两者可能不同，以 jobservice 为准。",
    )
    return table(
        Text("Does its name resolve where replication runs?", "同步任务所在容器能否解析目的域名？"), columns, rows, note
    )


def sides(gathered: Gathered) -> tuple[Table, ...]:
    """The clocks of both sides, and each node's own answer."""
    rows: list[Row] = []
    for clock in dict.fromkeys(clock for policy in closely(gathered) for clock in policy.facts.clocks):
        far = abs(clock.ahead) > 30
        said = Text(f"{round(clock.ahead):+d} s from the operator's", f"与操作机相差 {round(clock.ahead):+d} 秒")
        cell = Cell(said, Verdict.FAULT if far else Verdict.OK, evidence=clock.evidence)
        rows.append((Cell(clock.place), Cell(Text("clock", "时钟")), cell))
    for policy in closely(gathered):
        for node in policy.nodes:
            took = Verdict.OK if node.answer.status == 200 else Verdict.FAULT
            cell = Cell(str(node.answer.status or "-"), took, evidence=node.answer.evidence)
            rows.append((Cell(node.host), Cell(Text("/v2/ with the same token", "用同一个 token 访问 /v2/")), cell))
    columns = (Text("place", "位置"), Text("asked", "询问"), Text("answer", "应答"))
    note = Text(
        "A token that is more than 60 s off is refused. Nodes behind one address that answer differently make "
        "replication fail only sometimes.",
        "时钟相差超过 60 秒时 token 会被拒绝。同一地址后的节点应答不同，同步就会时好时坏。",
    )
    return table(Text("Clocks, and each node by itself", "时钟与各节点"), columns, rows, note)

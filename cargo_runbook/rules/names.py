"""Section 域名无法解析: does the domain resolve where the client is?"""

from __future__ import annotations

from collections.abc import Mapping

from cargo_runbook.facts.names import Answer, Lookup, NameFacts
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.transport import Handshake
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.texts import Text

_OPERATOR = "operator"

MEANING: Mapping[Lookup, Text] = {
    Lookup.NO_SUCH_NAME: Text("says that there is no such name (NXDOMAIN)", "回答没有该域名（NXDOMAIN）"),
    Lookup.NO_ADDRESS: Text("knows the name, but has no address for it", "知道该域名，但没有对应地址"),
    Lookup.SERVER_FAILURE: Text("answers SERVFAIL", "返回 SERVFAIL"),
    Lookup.REFUSED: Text("refuses the question (REFUSED)", "拒绝查询（REFUSED）"),
    Lookup.SILENT: Text("does not answer", "没有应答"),
    Lookup.UNTOLD: Text("could not be asked", "无法查询"),
}


def judge_names(facts: PathFacts) -> tuple[Finding, ...]:
    """CRG101 and CRG102."""
    names = facts.names
    if names is None:
        return ()
    if names.resolves:
        addresses = ", ".join(names.addresses)
        where = f" ({names.system.source})" if names.system.source else ""
        summary = Text(f"{names.name} resolves to {addresses}{where}", f"{names.name} 解析为 {addresses}{where}")
        return (
            finding("CRG101", Verdict.OK, _OPERATOR, summary, link_of(names.name, names.system)),
            finding("CRG102", Verdict.OK, _OPERATOR, _answering(names)),
        )
    chain = tuple(link_of(names.name, answer) for answer in (names.system, *names.servers))
    if any(answer.says_no for answer in (names.system, *names.servers)):
        return (
            finding("CRG101", Verdict.FAULT, _OPERATOR, _not_resolved(names.name), *chain, _end(names)),
            finding("CRG102", Verdict.OK, _OPERATOR, _answering(names)),
        )
    if any(answer.lookup is Lookup.RESOLVED for answer in names.servers):
        summary = Text(
            f"{names.name} is known to a name server of the inventory, but the operator's own resolver does not find it",
            f"清单中的 DNS 服务器认识 {names.name}，但操作机自己的解析器查不到",
        )
        return (
            finding("CRG101", Verdict.FAULT, _OPERATOR, summary, *chain, _end(names)),
            finding("CRG102", Verdict.OK, _OPERATOR, Text("a name server answers", "DNS 服务器有应答")),
        )
    if _all_failing(names):
        summary = Text(
            "no name server gives a usable answer; whether the name exists can't be told",
            "没有 DNS 服务器给出可用的应答，无法判断域名是否存在",
        )
        untold = Text("can't be told while no name server answers", "DNS 服务器无应答，无法判断")
        return (
            finding("CRG102", Verdict.FAULT, _OPERATOR, summary, *chain),
            finding("CRG101", Verdict.SKIPPED, _OPERATOR, untold),
        )
    untold = Text(f"the look-up of {names.name} could not be made", f"无法查询 {names.name}")
    return tuple(finding(code, Verdict.UNKNOWN, _OPERATOR, untold, *chain) for code in ("CRG101", "CRG102"))


def judge_address(facts: PathFacts) -> tuple[Finding, ...]:
    """CRG103: does the domain lead to this Cargo?

    An address that the inventory does not name is no fault where a registry with a trusted certificate answers at it:
    that is a front that nobody wrote down.
    """
    names = facts.names
    if names is None:
        return ()
    if not names.resolves or not facts.addresses:
        known = Text("there is no address to compare", "没有可比较的地址")
        return (finding("CRG103", Verdict.SKIPPED if facts.addresses else Verdict.OK, _OPERATOR, known),)
    got, wanted = ", ".join(names.addresses), ", ".join(facts.addresses)
    if set(names.addresses) & set(facts.addresses):
        summary = Text(f"{got} is an address of this Cargo", f"{got} 是该 Cargo 的地址")
        return (finding("CRG103", Verdict.OK, _OPERATOR, summary),)
    if facts.handshake is None:
        untold = Text(
            f"{got} is not in the inventory; whether a registry answers there is asked next",
            f"清单中没有 {got}，下一步检查那里是否有仓库",
        )
        return (finding("CRG103", Verdict.UNKNOWN, _OPERATOR, untold),)
    secure = facts.handshake.handshake is Handshake.SECURE
    if secure and facts.challenge is not None and facts.challenge.realm is not None:
        summary = Text(
            f"a registry answers at {got}, which the inventory does not name", f"{got} 有仓库应答，但清单中没有该地址"
        )
        return (finding("CRG103", Verdict.OK, _OPERATOR, summary),)
    links = (
        Link(
            names.system.evidence,
            Text(
                f"{names.name} resolves to {got}; by the inventory it is {wanted}",
                f"{names.name} 解析为 {got}；清单中是 {wanted}",
            ),
            Text("clients connect to another machine", "客户端连接到了别的机器"),
        ),
        Link(
            facts.handshake.evidence,
            Text(
                f"no Cargo answers there ({facts.handshake.handshake})",
                f"那里没有 Cargo 应答（{facts.handshake.handshake}）",
            ),
            Text("the address is wrong, not only unknown", "地址是错的，而不只是没有登记"),
        ),
    )
    summary = Text(f"{names.name} resolves to {got} instead of {wanted}", f"{names.name} 解析为 {got}，而不是 {wanted}")
    return (finding("CRG103", Verdict.FAULT, _OPERATOR, summary, *links),)


def _all_failing(names: NameFacts) -> bool:
    failing = (Lookup.SILENT, Lookup.SERVER_FAILURE, Lookup.REFUSED)
    asked = names.servers or (names.system,)
    return all(answer.lookup in failing for answer in asked)


def _answering(names: NameFacts) -> Text:
    """What is true of the name servers where somebody answers."""
    if names.system.source == "hosts file" and names.servers and _all_failing(names):
        return Text(
            f"no name server gives a usable answer; the hosts file has {names.name}, so that clients here need none",
            f"没有 DNS 服务器给出可用的应答；hosts 文件中有 {names.name}，因此本机的客户端不需要它",
        )
    if names.servers and _all_failing(names):
        return Text(
            "the operator's own resolver answers; the name servers of the inventory give no usable answer",
            "操作机自己的解析器有应答；清单中的 DNS 服务器没有给出可用的应答",
        )
    return Text("the operator's resolver answers", "操作机的解析器有应答")


def _not_resolved(name: str) -> Text:
    return Text(f"{name} does not resolve at the operator", f"操作机无法解析 {name}")


def _who(answer: Answer) -> Text:
    if not answer.server:
        return Text("the operator's own resolver", "操作机自己的解析器")
    return Text(f"name server {answer.server}", f"DNS 服务器 {answer.server}")


def link_of(name: str, answer: Answer) -> Link:
    """What one resolver or name server says, as a link of a chain."""
    who = _who(answer)
    if answer.lookup is Lookup.RESOLVED:
        addresses = ", ".join(answer.addresses)
        return Link(
            answer.evidence,
            Text(f"{who.en} gives {addresses} for {name}", f"{who.zh} 对 {name} 给出 {addresses}"),
            Text("the name is known there", "那里认识该域名"),
        )
    meaning = MEANING[answer.lookup]
    return Link(
        answer.evidence,
        Text(f"{who.en}, asked for {name}, {meaning.en}", f"向{who.zh}查询 {name}：{meaning.zh}"),
        Text("no address from there", "没有得到地址"),
    )


def _end(names: NameFacts) -> Link:
    return Link(
        names.system.evidence,
        Text("a client connects to an address, never to a name", "客户端连接的是地址而不是域名"),
        Text(
            f"docker stops with `lookup {names.name}: no such host` before it sends anything",
            f"docker 在发送请求之前就以 `lookup {names.name}: no such host` 失败",
        ),
    )

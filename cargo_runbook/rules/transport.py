"""The connection to the registry's port, and its certificate."""

from __future__ import annotations

from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.transport import Handshake, HandshakeFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.texts import Text

_OPERATOR = "operator"
_ORDER = ("CRG703", "CRG701", "CRG604", "CRG601", "CRG602", "CRG603")

_OK = {
    "CRG703": Text("the machine answers", "主机有应答"),
    "CRG701": Text("the registry's port accepts connections", "仓库端口接受连接"),
    "CRG604": Text("the port speaks TLS", "端口提供 TLS"),
    "CRG601": Text("the certificate's issuer is trusted", "证书签发者受信任"),
    "CRG602": Text("the certificate names the domain", "证书包含该域名"),
    "CRG603": Text("the certificate is valid now", "证书在有效期内"),
}

# How far the handshake got: the codes before the one at fault are refuted, those after it are not testable.
_FAULT = {
    Handshake.REFUSED: "CRG701",
    Handshake.NOT_TLS: "CRG604",
    Handshake.UNKNOWN_CA: "CRG601",
    Handshake.WRONG_NAME: "CRG602",
    Handshake.NOT_VALID_NOW: "CRG603",
}


def judge_transport(facts: PathFacts) -> tuple[Finding, ...]:
    """CRG701, CRG703 and CRG601 to CRG604."""
    seen = facts.handshake
    if seen is None:
        return ()
    if seen.handshake is Handshake.SECURE:
        link = _link(
            seen,
            Text(
                f"{seen.address}:{facts.port} shows a trusted certificate for {', '.join(seen.names)}",
                f"{seen.address}:{facts.port} 出示受信任的证书：{', '.join(seen.names)}",
            ),
            Text("the connection is secure", "连接是安全的"),
        )
        return tuple(finding(code, Verdict.OK, _OPERATOR, _OK[code], link) for code in _ORDER)
    if seen.handshake is Handshake.NO_ANSWER and not any(host.alive for host in facts.hosts):
        return _host_down(facts, seen)
    if seen.handshake is Handshake.UNTOLD:
        untold = Text("the handshake could not be judged", "无法判断 TLS 握手结果")
        return tuple(finding(code, Verdict.UNKNOWN, _OPERATOR, untold) for code in _ORDER)
    # A machine that answers SSH and drops what comes to the registry's port: nothing usable listens there.
    at_fault = _FAULT.get(seen.handshake, "CRG701")
    place = _ORDER.index(at_fault)
    behind = Text("not testable: the connection does not get that far", "无法测试：连接没有到这一步")
    return (
        *(finding(code, Verdict.OK, _OPERATOR, _OK[code]) for code in _ORDER[:place]),
        _fault(at_fault, facts, seen),
        *(finding(code, Verdict.SKIPPED, _OPERATOR, behind) for code in _ORDER[place + 1 :]),
    )


def _host_down(facts: PathFacts, seen: HandshakeFacts) -> tuple[Finding, ...]:
    hosts = ", ".join(host.name for host in facts.hosts)
    summary = Text(
        f"neither {seen.address}:{facts.port} nor SSH to {hosts} answers; host or network, it can't be told from here",
        f"{seen.address}:{facts.port} 和 {hosts} 的 SSH 都没有应答，无法判断是主机还是网络的问题",
    )
    links = [
        _link(seen, Text("the registry's port does not answer", "仓库端口没有应答"), _NOTHING),
        *(
            Link(h.evidence, Text(f"SSH to {h.name} does not answer", f"{h.name} 的 SSH 没有应答"), _NOTHING)
            for h in facts.hosts
        ),
    ]
    untold = Text("can't be told: the host does not answer", "无法判断：主机没有应答")
    return (
        finding("CRG703", Verdict.UNKNOWN, _OPERATOR, summary, *links),
        *(finding(code, Verdict.UNKNOWN, _OPERATOR, untold) for code in _ORDER[1:]),
    )


_NOTHING = Text("nothing can be told about what runs there", "无法得知那里运行的任何情况")


def _fault(code: str, facts: PathFacts, seen: HandshakeFacts) -> Finding:
    where = f"{seen.address}:{facts.port}"
    names = ", ".join(seen.names) or "-"
    said = {
        "CRG701": Text(f"{where} does not accept connections", f"{where} 不接受连接"),
        "CRG604": Text(f"{where} does not complete a TLS handshake", f"{where} 无法完成 TLS 握手"),
        "CRG601": Text(
            f"the certificate of {where} was issued by {seen.issuer or 'somebody'}, who is not trusted",
            f"{where} 的证书由不受信任的 {seen.issuer or '签发者'} 签发",
        ),
        "CRG602": Text(f"the certificate of {where} is for {names}", f"{where} 的证书只包含 {names}"),
        "CRG603": Text(
            f"the certificate of {where} is not valid now (until {seen.not_after})",
            f"{where} 的证书不在有效期内（有效期至 {seen.not_after}）",
        ),
    }[code]
    consequence = Text("clients end the connection before they ask anything", "客户端在发出请求之前就会断开")
    return finding(code, Verdict.FAULT, _OPERATOR, said, _link(seen, said, consequence))


def _link(seen: HandshakeFacts, rule: Text, consequence: Text) -> Link:
    return Link(seen.evidence, rule, consequence)

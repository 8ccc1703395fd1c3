"""Section Token Service 配置错误: why does tengine not use the token service that its files name?"""

from __future__ import annotations

from cargo_runbook.facts.installation import HostInstallation, InstallationFacts
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.token_service import Issuer
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.texts import Text

NOT_RECREATED, UPSTREAM_NAME, SAMPLE_KEY, PORT = "CRG307", "CRG308", "CRG309", "CRG310"

SAMPLE = "73IN:4HR6:ZBEX:6NXN:23FH:2ZKD:GPDS:KTOK:Y5VO:7IHS:PRVK:HGGG"
"""Key id of the key pair in Harbor 1.4's public sources (make/common/config: root.crt, private_key.pem)."""


def judge_token_setting(path: PathFacts, facts: InstallationFacts) -> tuple[Finding, ...]:
    """CRG307 to CRG310."""
    return (
        _worst(NOT_RECREATED, [_recreated(path, host) for host in facts.hosts]),
        _worst(UPSTREAM_NAME, [_upstream(host) for host in facts.hosts]),
        _worst(PORT, [_port(path, facts, host) for host in facts.hosts]),
        _judge_key(path),
    )


def _worst(code: str, found: list[Finding]) -> Finding:
    if not found:
        return _skipped(code, Text("no Cargo host could be looked at", "没有可以查看的 Cargo 主机"))
    return next((f for f in found if f.status is Verdict.FAULT), found[0])


def _skipped(code: str, summary: Text) -> Finding:
    return finding(code, Verdict.SKIPPED, "operator", summary)


def _ok(code: str, summary: Text, *links: Link) -> Finding:
    return finding(code, Verdict.OK, "operator", summary, *links)


def _recreated(path: PathFacts, host: HostInstallation) -> Finding:
    """CRG307: the compose file names a token service that is alive, and tengine still has another one."""
    seen = path.token_service
    entries = [entry for name, entry in (seen.entries if seen else ()) if name == host.host]
    used = {entry.address for entry in entries}
    other = [place for place in host.compose if place.value not in used]
    if seen is None or not used or not host.compose:
        return _skipped(
            NOT_RECREATED, Text("compose file and container were not compared", "未比较 compose 文件与容器")
        )
    if not other:
        return _ok(NOT_RECREATED, Text("tengine was made from the compose file", "tengine 与 compose 文件一致"))
    place = other[0]
    said = Text(
        f"line {place.line} of {place.file} says {place.value}, tengine has {', '.join(sorted(used))}",
        f"{place.file} 第 {place.line} 行是 {place.value}，而 tengine 使用 {', '.join(sorted(used))}",
    )
    status, evidence = host.offered.get(place.value, (0, ""))
    if status != 200 or not _useless(path, host.host, used):
        return _ok(NOT_RECREATED, Text(f"{said.en}; it would take effect at the next restart.sh",
                                       f"{said.zh}；下次 restart.sh 时生效"))  # fmt: skip
    summary = Text(
        f"the compose file was edited and tengine was not made anew: {said.en}",
        f"修改了 compose 文件但没有重新创建 tengine：{said.zh}",
    )
    evidences = dict(zip((name for name, _ in seen.entries), seen.entries_evidence, strict=False))
    return finding(
        NOT_RECREATED,
        Verdict.FAULT,
        f"cargo host {host.host}",
        summary,
        Link(
            host.files_evidence,
            Text(
                f"{place.file}, line {place.line}: `{place.name}:{place.value}`",
                f"{place.file} 第 {place.line} 行：`{place.name}:{place.value}`",
            ),
            Text("this is what was meant", "这是想要的配置"),
        ),
        Link(
            evidence,
            Text(
                f"the token service at {place.value} knows this domain (200)",
                f"{place.value} 的 token service 认识该域名（200）",
            ),
            Text("the edit is right", "修改本身是正确的"),
        ),
        Link(
            evidences.get(host.host, seen.evidence),
            Text(
                f"tengine's /etc/hosts still has {', '.join(sorted(used))}",
                f"tengine 的 /etc/hosts 仍是 {', '.join(sorted(used))}",
            ),
            Text(
                "extra_hosts is written when a container is made; a mere restart keeps it",
                "extra_hosts 在创建容器时写入，仅重启不会更新",
            ),
        ),
    )


def _useless(path: PathFacts, host: str, used: set[str]) -> bool:
    """Whether no address that tengine has leads to this cluster's token service."""
    seen = path.token_service
    if seen is None:
        return False
    statuses = {address: status for (name, address), (status, _) in seen.answers.items() if name == host}
    if any(statuses.get(address) == 200 for address in used):
        return False
    strange = any(400 <= status < 500 for status in statuses.values())
    return strange or seen.issuer in (Issuer.BUILT_IN, Issuer.BROKEN)


def _upstream(host: HostInstallation) -> Finding:
    """CRG308: nginx.conf names a host that tengine can't resolve, so that it does not start at all."""
    named = {upstream.host: upstream for upstream in host.upstreams}
    if host.not_found not in named:
        return _ok(
            UPSTREAM_NAME, Text("tengine resolves the names of nginx.conf", "tengine 能解析 nginx.conf 中的主机名")
        )
    upstream = named[host.not_found]
    offers = ", ".join(sorted({place.name for place in host.compose})) or "-"
    said = f'host not found in upstream "{upstream.host}"'
    summary = Text(
        f"nginx.conf on {host.host} asks for the host {upstream.host} (line {upstream.line}), which tengine can't "
        f"resolve; the compose file has {offers}",
        f"{host.host} 的 nginx.conf 第 {upstream.line} 行使用主机名 {upstream.host}，tengine 无法解析；"
        f"compose 文件中是 {offers}",
    )
    return finding(
        UPSTREAM_NAME,
        Verdict.FAULT,
        f"cargo host {host.host}",
        summary,
        Link(
            host.log_evidence,
            Text(f"tengine's log: {said}", f"tengine 日志：{said}"),
            Text("it ends as soon as it starts", "它一启动就退出"),
        ),
        Link(
            host.nginx_evidence,
            Text(
                f"line {upstream.line} of nginx.conf names {upstream.host}",
                f"nginx.conf 第 {upstream.line} 行是 {upstream.host}",
            ),
            Text("nginx resolves it once, at its start", "nginx 只在启动时解析一次"),
        ),
        Link(
            host.files_evidence,
            Text(f"extra_hosts in the compose file: {offers}", f"compose 文件的 extra_hosts：{offers}"),
            Text("both must have the same name, the old one or the new one", "两处必须使用同一个名称（新名或旧名）"),
        ),
    )


def _port(path: PathFacts, facts: InstallationFacts, host: HostInstallation) -> Finding:
    """CRG310: tengine asks at another port than the one at which the token service answers."""
    seen = path.token_service
    main = [upstream for upstream in host.upstreams if not upstream.backup]
    wanted = path.token_port
    if seen is None or not main or not wanted:
        return _skipped(PORT, Text("the ports were not compared", "未比较端口"))
    strange = [upstream for upstream in main if upstream.port != wanted]
    alive = [e for (name, _), (status, e) in seen.answers.items() if name == host.host and status == 200]
    if not strange or not alive or seen.issuer is not Issuer.BUILT_IN:
        return _ok(PORT, Text(f"tengine asks at port {main[0].port}", f"tengine 使用端口 {main[0].port}"))
    upstream = strange[0]
    service = f" (NodePort of the Service cargo-token: {facts.node_port})" if facts.node_port else ""
    summary = Text(
        f"nginx.conf on {host.host} asks for tokens at port {upstream.port} (line {upstream.line}); the token service "
        f"answers at {wanted}{service}",
        f"{host.host} 的 nginx.conf 第 {upstream.line} 行使用端口 {upstream.port}，而 token service 在 {wanted} 端口应答",
    )
    links = [
        Link(
            host.nginx_evidence,
            Text(
                f"line {upstream.line}: {upstream.host}:{upstream.port}",
                f"第 {upstream.line} 行：{upstream.host}:{upstream.port}",
            ),
            Text("nothing answers there, so tengine uses the built-in one", "那里没有应答，tengine 改用内置服务"),
        ),
        Link(
            alive[0],
            Text(f"the same address answers 200 at port {wanted}", f"同一地址的 {wanted} 端口返回 200"),
            Text("address and service are right, the port is not", "地址和服务都正确，只有端口错误"),
        ),
    ]
    if facts.node_port:
        links.append(
            Link(
                facts.node_port_evidence,
                Text(
                    f"the Service cargo-token has NodePort {facts.node_port}",
                    f"Service cargo-token 的 NodePort 是 {facts.node_port}",
                ),
                Text("this is the port to use", "应使用该端口"),
            )
        )
    return finding(PORT, Verdict.FAULT, f"cargo host {host.host}", summary, *links)


def _judge_key(path: PathFacts) -> Finding:
    """CRG309: is it the key that everybody can download?"""
    tokens = [token for token in (path.token, *(login.token for login in path.logins)) if token is not None]
    if not tokens:
        return _skipped(SAMPLE_KEY, Text("no token was received", "没有收到 token"))
    sample = next((token for token in tokens if token.key_id == SAMPLE), None)
    if sample is None:
        return _ok(SAMPLE_KEY, Text("the signing key is not the public sample", "签名密钥不是公开的示例密钥"))
    summary = Text(
        "tokens are signed with the sample key of Harbor's sources: anybody can make a token for this registry",
        "token 使用 Harbor 源码中公开的示例密钥签发：任何人都能伪造该仓库的 token",
    )
    link = Link(
        sample.evidence,
        Text(f"kid {SAMPLE}", f"kid 为 {SAMPLE}"),
        Text("its private half is published with Harbor 1.4", "其私钥随 Harbor 1.4 公开"),
    )
    return finding(SAMPLE_KEY, Verdict.FAULT, "operator", summary, link)

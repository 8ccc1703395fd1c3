"""The steps of 域名无法解析: 本地场景 and 流水线场景."""

from __future__ import annotations

from collections.abc import Mapping

from cargo_runbook.facts.cluster_dns import Implementation
from cargo_runbook.facts.docker_proxy import ProxyFacts
from cargo_runbook.facts.matrix import CLUSTER_DNS, OPERATOR, PLACES, POD, Column, Matrix, Origin, Place, Role
from cargo_runbook.facts.matrix import Cell as Seen
from cargo_runbook.facts.names import Lookup
from cargo_runbook.findings import Verdict
from cargo_runbook.steps.step import Gathered, Step
from cargo_runbook.tables import Cell, Table
from cargo_runbook.texts import Text

MARKS: Mapping[Origin, str] = {
    Origin.HOSTS_FILE: "ᴴ",
    Origin.DNS: "ᴰ",
    Origin.EXTRA_HOSTS: "ᴱ",
    Origin.MYHOSTS: "ᴹ",
    Origin.DOCKER: "ᴺ",
    Origin.PROXY: "ᴾ",
}
LEGEND = Text(
    "ᴴ hosts file  ᴰ DNS server  ᴱ extra_hosts  ᴹ myhosts  ᴺ Docker's own network  ᴾ by the HTTP proxy  - not asked",
    "ᴴ hosts 文件  ᴰ DNS 服务器  ᴱ extra_hosts  ᴹ myhosts  ᴺ Docker 网络内  ᴾ 由 HTTP 代理解析  - 未查询",
)
_KINDS: Mapping[Lookup, Text] = {
    Lookup.NO_SUCH_NAME: Text("NXDOMAIN", "NXDOMAIN"),
    Lookup.NO_ADDRESS: Text("no address", "无地址"),
    Lookup.SERVER_FAILURE: Text("SERVFAIL", "SERVFAIL"),
    Lookup.REFUSED: Text("REFUSED", "REFUSED"),
    Lookup.SILENT: Text("no answer", "无应答"),
    Lookup.UNTOLD: Text("could not be asked", "无法查询"),
}
_ROLES: Mapping[Role, Text] = {
    Role.DOMAIN: Text("the registry's domain", "仓库域名"),
    Role.REALM: Text("where clients fetch tokens", "客户端获取 token 的地址"),
    Role.PEER: Text("a replication's destination", "镜像同步的目的仓库"),
    Role.TOKEN_SERVICE: Text("where tengine looks for cargo-token", "tengine 访问 cargo-token 的地址"),
}


def matrix_table(gathered: Gathered) -> tuple[Table, ...]:
    """Names by places: ux.md's vantage matrix."""
    facts: Matrix | None = gathered.concerns.get("matrix")
    if facts is None:
        return ()
    right = {*gathered.path.addresses}
    rows = tuple(
        (Cell(row.name, hint=_ROLES[row.role]), *(_cell(facts, row.name, row.role, c, right) for c in facts.columns))
        for row in facts.rows
    )
    columns = (Text("name", "域名"), *(_heading(column, facts) for column in facts.columns))
    return (Table(Text("Who resolves what, and from where", "各位置的解析结果及来源"), columns, rows, LEGEND),)


def _heading(column: Column, facts: Matrix) -> Text:
    name = PLACES[column.place]
    alone = sum(other.place is column.place for other in facts.columns) == 1
    return name if alone else column.said


def _cell(facts: Matrix, name: str, role: Role, column: Column, right: set[str]) -> Cell:
    seen = facts.cell(name, column)
    if seen is None:
        return Cell("-")
    if seen.origin is Origin.PROXY:
        verdict = Verdict.OK if seen.resolved else Verdict.FAULT
        return Cell(f"{seen.detail} ᴾ", verdict, evidence=seen.evidence)
    if not seen.resolved:
        verdict = Verdict.UNKNOWN if seen.lookup is Lookup.UNTOLD else Verdict.FAULT
        return Cell(_KINDS[seen.lookup], verdict, seen.detail, seen.evidence)
    mark = f" {MARKS[seen.origin]}" if seen.origin else ""
    hint = f"{seen.origin or ''} {seen.detail}".strip()
    return Cell(f"{', '.join(seen.addresses)}{mark}", _verdict(facts, role, seen, right), hint, seen.evidence)


def _verdict(facts: Matrix, role: Role, seen: Seen, right: set[str]) -> Verdict:
    """An address is judged for the domain alone: those of other names are known to nobody here."""
    if role is not Role.DOMAIN or not right:
        return Verdict.OK
    return Verdict.OK if set(seen.addresses) & (right | facts.front) else Verdict.FAULT


def proxy_table(gathered: Gathered) -> tuple[Table, ...]:
    """How Docker gets to the registry."""
    facts: ProxyFacts | None = gathered.concerns.get("proxy")
    if facts is None or not facts.docker.told:
        return ()
    docker = facts.docker
    way = Text(f"through {facts.place}", f"经过 {facts.place}") if facts.proxy else Text("directly", "直接访问")
    verdict = None if not facts.proxy else Verdict.OK if 200 <= facts.status < 300 else Verdict.FAULT
    answer = str(facts.status or facts.reason) if facts.proxy else "-"
    row = (
        Cell(docker.name or "-", evidence=docker.evidence),
        Cell(docker.https_proxy or "-"),
        Cell(docker.no_proxy or "-"),
        Cell(way),
        Cell(answer, verdict, facts.said, facts.evidence),
    )
    columns = (
        Text("Docker on", "Docker 所在机器"),
        Text("HTTPS proxy", "HTTPS 代理"),
        Text("except for", "不走代理"),
        Text("way to the registry", "访问仓库的方式"),
        Text("answer to CONNECT", "CONNECT 的应答"),
    )
    return (Table(Text("How Docker gets to the registry", "Docker 如何访问仓库"), columns, (row,)),)


def cluster_dns_table(gathered: Gathered) -> tuple[Table, ...]:
    """Who serves cluster DNS, and who reads what the guide's edit would write."""
    facts: Matrix | None = gathered.concerns.get("matrix")
    dns = facts.cluster if facts else None
    if facts is None or dns is None:
        return ()
    if dns.reason:
        row = (Cell(Text("settings of cluster DNS", "集群 DNS 的配置")), Cell(dns.reason, Verdict.UNKNOWN))
        return (_settings((row,)),)
    domain = gathered.path.domain
    entries = ", ".join(dns.entries(domain))
    kube = dns.implementation is Implementation.KUBE_DNS
    read = Text(dns.reader, dns.reader) if dns.reader else Text("nobody", "没有")
    frozen = Text("mounted by subPath: an edit arrives only in a new pod", "以 subPath 挂载：Pod 重建后才会更新")
    yes, no = Text("yes", "是"), Text("no", "否")
    return (
        _settings(
            (
                (
                    Cell(Text("served by", "实现")),
                    Cell(dns.implementation, hint=", ".join(dns.images), evidence=dns.workload_evidence),
                ),
                (Cell(Text("its address (ClusterIP)", "地址（ClusterIP）")), Cell(dns.address or "-")),
                (
                    Cell(Text("lines in the ConfigMap kube-dns, myhosts", "ConfigMap kube-dns 的 myhosts 条目数")),
                    Cell(str(len(dns.myhosts)) if dns.has_myhosts else "-", evidence=dns.config_evidence),
                ),
                (
                    Cell(Text(f"myhosts for {domain}", f"myhosts 中的 {domain}")),
                    Cell(entries or "-", None if entries or not kube else Verdict.FAULT, evidence=dns.config_evidence),
                ),
                (
                    Cell(Text("read by (container)", "读取 myhosts 的容器")),
                    Cell(
                        read,
                        Verdict.OK if dns.reader else Verdict.FAULT if kube else None,
                        frozen if dns.frozen else "",
                    ),
                ),
                (
                    Cell(Text("asks another server for what it does not know", "未知域名会转发到上游 DNS")),
                    Cell(yes if dns.forwards else no),
                ),
            )
        ),
    )


def _settings(rows: tuple[tuple[Cell, ...], ...]) -> Table:
    columns = (Text("setting", "项目"), Text("here", "当前值"))
    note = Text(
        "A line in myhosts counts only where a container mounts the ConfigMap and is told to read it. kube-dns does not know the key.",
        "只有容器挂载了 ConfigMap 并被配置为读取该文件时，myhosts 中的条目才会生效；kube-dns 本身不认识这个键。",
    )
    return Table(Text("Cluster DNS", "集群 DNS"), columns, rows, note)


def cures_table(gathered: Gathered) -> tuple[Table, ...]:
    """Which entry helps which client: each edit is right for exactly one place."""
    facts: Matrix | None = gathered.concerns.get("matrix")
    if facts is None:
        return ()
    domain = gathered.path.domain
    lines = [
        (
            Text("docker on this machine", "本机的 docker"),
            OPERATOR,
            Text("this machine's /etc/hosts, or its DNS server", "本机的 /etc/hosts 或其 DNS 服务器"),
            Text("cluster DNS", "集群 DNS"),
        )
    ]
    lines += [
        (
            Text(
                f"image pull of a pod (ImagePullBackOff) on {column.host}",
                f"{column.host} 拉取 Pod 镜像（ImagePullBackOff）",
            ),
            column,
            Text("the node's /etc/hosts or DNS server, on every node", "每个节点的 /etc/hosts 或 DNS 服务器"),
            Text("kube-dns, CoreDNS", "kube-dns、CoreDNS"),
        )
        for column in facts.columns
        if column.place is Place.NODE
    ]
    if facts.cluster is not None:
        dns = facts.cluster
        myhosts = Text("a line in kube-dns' myhosts (about 60 s)", "kube-dns 的 myhosts（约 60 秒生效）")
        corefile = Text("a hosts block of the Corefile, with fallthrough", "Corefile 的 hosts 段（带 fallthrough）")
        stub = Text(
            "stubDomains, or the name server: nothing reads myhosts",
            "stubDomains 或 DNS 服务器（没有容器读取 myhosts）",
        )
        core = dns.implementation is Implementation.COREDNS
        cure = corefile if core else myhosts if dns.reader else stub
        column = POD if facts.cell(domain, POD) else CLUSTER_DNS
        nodes_file = Text("the node's /etc/hosts", "节点的 /etc/hosts")
        lines.append(
            (Text("push or pull by a pipeline, in a pod", "流水线在 Pod 中推送或拉取"), column, cure, nodes_file)
        )
    right = {*gathered.path.addresses}
    rows = tuple(
        (Cell(who), _cell(facts, domain, Role.DOMAIN, column, right), Cell(cure), Cell(vain))
        for who, column, cure, vain in lines
    )
    columns = (
        Text("client", "客户端"),
        Text("resolves the domain to", "解析结果"),
        Text("what helps where it does not resolve", "无法解析时的办法"),
        Text("what does not help", "无效的办法"),
    )
    return (Table(Text(f"Who needs which entry for {domain}", f"谁需要哪里的 {domain} 条目"), columns, rows, LEGEND),)


LOCAL = (
    Step(
        "domain",
        Text("Does this machine resolve the domain?", "本机能否解析该域名？"),
        ("dns",),
        ("CRG101", "CRG102", "CRG103"),
    ),
    Step(
        "places",
        Text("What do the other places resolve it to?", "其他位置解析到什么？"),
        ("dns", "matrix"),
        ("CRG104", "CRG105", "CRG106"),
        matrix_table,
    ),
    Step(
        "docker",
        Text("Does Docker go to the registry itself, or through a proxy?", "Docker 直接访问仓库，还是经过代理？"),
        ("proxy",),
        ("CRG610", "CRG611", "CRG612"),
        proxy_table,
    ),
)

PIPELINE = (
    Step(
        "pods",
        Text("What do pods resolve the domain to?", "Pod 把域名解析到什么？"),
        ("dns", "matrix"),
        ("CRG801", "CRG804", "CRG805", "CRG807", "CRG809"),
        matrix_table,
    ),
    Step(
        "cluster-dns",
        Text("Who serves cluster DNS, and does anything read myhosts?", "谁提供集群 DNS？myhosts 是否被读取？"),
        ("dns", "matrix"),
        ("CRG801", "CRG802", "CRG803", "CRG809"),
        cluster_dns_table,
    ),
    Step(
        "clients",
        Text("Which client needs which entry?", "哪个客户端需要哪里的条目？"),
        ("dns", "matrix"),
        ("CRG806",),
        cures_table,
    ),
)

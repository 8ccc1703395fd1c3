"""Section 域名无法解析 / 流水线场景: what pods resolve the domain to, and which entry could help whom.

An entry in cluster DNS helps clients inside pods. It can't help the pull of a pod's own image: that is the node's.
"""

from __future__ import annotations

from cargo_runbook.facts.cluster_dns import ClusterDns, Implementation
from cargo_runbook.facts.matrix import CLUSTER_DNS, OPERATOR, POD, Cell, Column, Matrix, Place
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.rules.names import MEANING
from cargo_runbook.texts import Text

_POD_CODES = ("CRG801", "CRG804", "CRG805")


def judge_cluster_dns(path: PathFacts, facts: Matrix) -> tuple[Finding, ...]:
    """CRG801 to CRG809; nothing where the environment names no cluster."""
    if facts.cluster is None:
        return ()
    return (*_pods(path, facts, facts.cluster), *_nodes(path, facts))


def _pods(path: PathFacts, facts: Matrix, dns: ClusterDns) -> tuple[Finding, ...]:
    column, cell = _asked_in_cluster(path.domain, facts)
    vantage = f"{facts.pipeline or column} ({facts.context})"
    if cell is None or not cell.told:
        return _untold(dns, vantage, facts, cell)
    seen = _link(path.domain, facts, column, cell)
    if cell.resolved:
        return _resolved(path, facts, dns, cell, vantage, seen)
    if not cell.says_no:
        meaning = MEANING[cell.lookup]
        summary = Text(
            f"asked for {path.domain} in {vantage}, cluster DNS {meaning.en}",
            f"在 {vantage} 中查询 {path.domain}：集群 DNS {meaning.zh}",
        )
        return (finding("CRG805", Verdict.FAULT, vantage, summary, seen),)
    code, why = _why_not(path, facts, dns)
    summary = Text(f"pods do not resolve {path.domain}: {why.en}", f"Pod 无法解析 {path.domain}：{why.zh}")
    config = Link(dns.config_evidence, *_config_says(path.domain, dns))
    end = Link(cell.evidence, *_client_says(path.domain, dns))
    answers = Text("cluster DNS answers", "集群 DNS 有应答")
    return (
        finding(code, Verdict.FAULT, vantage, summary, seen, config, end),
        finding("CRG805", Verdict.OK, vantage, answers),
    )


def _asked_in_cluster(domain: str, facts: Matrix) -> tuple[Column, Cell | None]:
    """What a pod gets; where no pod could be asked, what cluster DNS says itself."""
    pod, direct = facts.cell(domain, POD), facts.cell(domain, CLUSTER_DNS)
    if pod is not None and pod.told:
        # A pod's own look-up tells that there is no address; the name server's answer tells why.
        failing = direct is not None and not direct.resolved and direct.told
        return POD, direct if failing and not pod.resolved else pod
    return CLUSTER_DNS, direct


def _untold(dns: ClusterDns, vantage: str, facts: Matrix, cell: Cell | None) -> tuple[Finding, ...]:
    if not facts.pipeline:
        summary = Text(
            "the inventory names no pod to ask in (kubernetes.pipeline)",
            "清单中没有可供查询的 Pod（kubernetes.pipeline）",
        )
        return tuple(finding(code, Verdict.SKIPPED, vantage, summary) for code in _POD_CODES)
    reason = dns.reason or "the pod could not be asked"
    verdict = Verdict.SKIPPED if dns.reason == "not_recorded" else Verdict.UNKNOWN
    summary = Text(f"the cluster could not be asked: {reason}", f"无法查询集群：{reason}")
    asked = dns.config_evidence if dns.reason or cell is None else cell.evidence
    link = Link(asked, summary, Text("what pods resolve can't be told", "无法判断 Pod 的解析结果"))
    return (finding("CRG801", verdict, vantage, summary, link),)


def _resolved(
    path: PathFacts, facts: Matrix, dns: ClusterDns, cell: Cell, vantage: str, seen: Link
) -> tuple[Finding, ...]:
    operator = facts.cell(path.domain, OPERATOR)
    right = {*path.addresses, *(operator.addresses if operator else ())}
    got = ", ".join(cell.addresses)
    known = Text(f"pods resolve {path.domain} to {got}{cell.by.en}", f"Pod 把 {path.domain} 解析为 {got}{cell.by.zh}")
    found = [finding("CRG801", Verdict.OK, vantage, known, seen), finding("CRG805", Verdict.OK, vantage, known)]
    if right and not right & set(cell.addresses):
        wanted = ", ".join(sorted(right))
        summary = Text(
            f"pods resolve {path.domain} to {got} instead of {wanted}",
            f"Pod 把 {path.domain} 解析为 {got}，而不是 {wanted}",
        )
        config = Link(dns.config_evidence, *_config_says(path.domain, dns))
        found.append(finding("CRG804", Verdict.FAULT, vantage, summary, seen, config))
    else:
        found.append(finding("CRG804", Verdict.OK, vantage, known))
    return (*found, *_hint(dns, vantage))


def _hint(dns: ClusterDns, vantage: str) -> tuple[Finding, ...]:
    """Said although nothing is wrong: an edit of myhosts would have no effect here."""
    if dns.reason:
        return ()
    link = Link(dns.workload_evidence, *_serves(dns))
    if dns.implementation is Implementation.COREDNS:
        summary = Text(
            "CoreDNS serves the cluster: a line in kube-dns' myhosts would have no effect",
            "集群使用 CoreDNS：在 kube-dns 的 myhosts 中添加域名不会生效",
        )
        return (finding("CRG803", Verdict.OK, vantage, summary, link),)
    if dns.implementation is Implementation.KUBE_DNS and not dns.reader:
        summary = Text(
            "no container reads kube-dns' myhosts: a line there would have no effect",
            "没有容器读取 kube-dns 的 myhosts：在其中添加域名不会生效",
        )
        return (finding("CRG802", Verdict.OK, vantage, summary, link),)
    return ()


def _why_not(path: PathFacts, facts: Matrix, dns: ClusterDns) -> tuple[str, Text]:
    """Which code says why pods do not resolve the domain."""
    operator = facts.cell(path.domain, OPERATOR)
    if dns.reason:
        return "CRG807", Text(f"its settings could not be read ({dns.reason})", f"无法读取其配置（{dns.reason}）")
    if dns.forwards and operator is not None and not operator.resolved:
        return "CRG807", Text("the name server that it asks does not know it", "它所查询的上游 DNS 不认识该域名")
    if dns.implementation is Implementation.COREDNS:
        return "CRG803", Text(
            "CoreDNS has no entry for it, and myhosts is not read", "CoreDNS 中没有该域名，而 myhosts 不会被读取"
        )
    if dns.implementation is Implementation.UNTOLD:
        return "CRG807", Text("what serves cluster DNS could not be told", "无法判断集群 DNS 的实现")
    if not dns.reader:
        return "CRG802", Text("no container reads myhosts", "没有容器读取 myhosts")
    if dns.entries(path.domain):
        late = Text("its line in myhosts has no effect yet", "myhosts 中已有该域名，但尚未生效")
        never = Text("myhosts is mounted by subPath and never changes", "myhosts 以 subPath 挂载，不会更新")
        return "CRG809", never if dns.frozen else late
    return "CRG801", Text("myhosts has no line for it", "myhosts 中没有该域名")


def _config_says(domain: str, dns: ClusterDns) -> tuple[Text, Text]:
    entries = ", ".join(dns.entries(domain))
    if dns.reason:
        return Text(f"kubectl: {dns.reason}", f"kubectl：{dns.reason}"), Text("settings not read", "未读到配置")
    if entries:
        rule = Text(
            f"the ConfigMap kube-dns has {entries} for {domain} in myhosts",
            f"ConfigMap kube-dns 的 myhosts 中 {domain} 为 {entries}",
        )
    else:
        rule = Text(
            f"the ConfigMap kube-dns has no line for {domain} in myhosts ({len(dns.myhosts)} others)",
            f"ConfigMap kube-dns 的 myhosts 中没有 {domain}（其他 {len(dns.myhosts)} 条）",
        )
    return rule, _serves(dns)[0]


def _serves(dns: ClusterDns) -> tuple[Text, Text]:
    images = ", ".join(image.rpartition("/")[2] for image in dns.images)
    if dns.reader:
        reads = Text(f"the container {dns.reader} reads myhosts", f"容器 {dns.reader} 读取 myhosts")
    else:
        reads = Text("no container reads myhosts", "没有容器读取 myhosts")
    return Text(
        f"{dns.implementation} serves cluster DNS ({images}); {reads.en}",
        f"集群 DNS 为 {dns.implementation}（{images}）；{reads.zh}",
    ), reads


def _client_says(domain: str, dns: ClusterDns) -> tuple[Text, Text]:
    where = f" on {dns.address}:53" if dns.address else ""
    return (
        Text("a pod asks cluster DNS, not the node's hosts file", "Pod 查询的是集群 DNS，而不是节点的 hosts 文件"),
        Text(
            f"pipelines stop with `dial tcp: lookup {domain}{where}: no such host`",
            f"流水线以 `dial tcp: lookup {domain}{where}: no such host` 失败",
        ),
    )


def _link(domain: str, facts: Matrix, column: Column, cell: Cell) -> Link:
    place = Text(facts.pipeline, facts.pipeline) if column == POD else column.said
    if cell.resolved:
        got = ", ".join(cell.addresses)
        rule = Text(f"{place.en} resolves {domain} to {got}", f"{place.zh} 把 {domain} 解析为 {got}")
        return Link(cell.evidence, rule, Text("the name is known in pods", "Pod 认识该域名"))
    meaning = MEANING[cell.lookup]
    rule = Text(
        f"asked for {domain} in {place.en}, the resolver {meaning.en}", f"在 {place.zh} 中查询 {domain}：{meaning.zh}"
    )
    return Link(cell.evidence, rule, Text("no address in pods", "Pod 中得不到地址"))


def _nodes(path: PathFacts, facts: Matrix) -> tuple[Finding, ...]:
    """CRG806: nodes pull the images of pods by their own resolver."""
    nodes = [seen for seen in facts.column(path.domain, Place.NODE) if seen[1].told]
    if not nodes:
        summary = Text("no node could be asked (kubernetes.nodes)", "无法在节点上查询（kubernetes.nodes）")
        return (finding("CRG806", Verdict.SKIPPED, "node", summary),)
    vantage = ", ".join(str(column) for column, _ in nodes)
    blind = [seen for seen in nodes if not seen[1].resolved]
    if not blind:
        summary = Text(
            f"image pulls of pods: {vantage} resolves {path.domain} by itself; cluster DNS has no part in that",
            f"Pod 的镜像由节点拉取：{vantage} 可以解析 {path.domain}，与集群 DNS 无关",
        )
        return (finding("CRG806", Verdict.OK, vantage, summary),)
    names = ", ".join(str(column) for column, _ in blind)
    summary = Text(
        f"{names} does not resolve {path.domain}: pods end in ImagePullBackOff, and an entry in cluster DNS can't help",
        f"{names} 无法解析 {path.domain}：Pod 会停在 ImagePullBackOff，在集群 DNS 中添加条目无效",
    )
    links = [_link(path.domain, facts, column, cell) for column, cell in blind]
    return (finding("CRG806", Verdict.FAULT, names, summary, *links),)

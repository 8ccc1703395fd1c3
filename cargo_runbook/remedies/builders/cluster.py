"""域名无法解析 / 流水线场景: the line in kube-dns' `myhosts`."""

from __future__ import annotations

from cargo_runbook.connections.config_maps import read_key
from cargo_runbook.errors import ConnectionFailed
from cargo_runbook.facts.cluster_dns import MYHOSTS, ClusterDns, Implementation
from cargo_runbook.facts.matrix import Matrix
from cargo_runbook.remedies.actions import KeyEdit
from cargo_runbook.remedies.builders.names import address_of
from cargo_runbook.remedies.edits.corefile import NoBlock, hosts_file, server_block, set_hosts_entry
from cargo_runbook.remedies.edits.hosts import set_address
from cargo_runbook.remedies.workbench import Draft, NoRemedy, Workbench
from cargo_runbook.texts import Text, tell

SECTION = "域名无法解析 / 流水线场景"


def kube_dns_myhosts(bench: Workbench) -> Draft:
    """The domain at the address of the inventory, in key myhosts of configmap/kube-dns; all other lines stay.

    Raises:
        NoRemedy: nothing in the cluster reads that key.
    """
    cluster = bench.environment.kubernetes
    if cluster is None:
        raise NoRemedy(
            tell(
                f"{bench.environment.name} names no cluster in the inventory (key kubernetes)",
                f"环境清单没有写明 {bench.environment.name} 的集群（kubernetes 字段）",
            )
        )
    _refuse_where_nobody_reads(bench)
    state, draft = read_key(cluster.context, "kube-system", "kube-dns", MYHOSTS), Draft()
    after = set_address(state.value or "", bench.environment.domain, address_of(bench))
    if after != state.value:
        draft.actions.append(KeyEdit(before=state, after=after))
        draft.notes.append(
            Text(
                "It takes about a minute until pods see it (the kubelet refreshes the mounted ConfigMap).",
                "约 60 秒后 Pod 才能看到（kubelet 定期刷新挂载的 ConfigMap）。",
            )
        )
    return draft


def _refuse_where_nobody_reads(bench: Workbench) -> None:
    matrix = bench.gathered.concerns.get("matrix")
    dns = matrix.cluster if isinstance(matrix, Matrix) else None
    if not isinstance(dns, ClusterDns) or dns.reason:
        raise NoRemedy(
            tell(
                "what serves the cluster's DNS could not be read, so nothing is changed there",
                "无法读取集群 DNS 的实现，因此不做修改",
            ),
            section=SECTION,
        )
    if dns.implementation is Implementation.COREDNS:
        raise NoRemedy(
            tell("CoreDNS serves this cluster and does not read myhosts", "该集群使用 CoreDNS，它不读取 myhosts"),
            next_step=tell("Use the remedy coredns-hosts.", "请使用修复方法 coredns-hosts。"),
            section=SECTION,
        )
    if not dns.reader:
        raise NoRemedy(
            tell(
                "no container of kube-dns reads myhosts, so a line there would have no effect",
                "kube-dns 的容器都不读取 myhosts，在其中添加条目不会生效",
            ),
            next_step=tell(
                "Mount configmap/kube-dns into the dnsmasq container and give it --addn-hosts, or use stubDomains.",
                "请把 configmap/kube-dns 挂载到 dnsmasq 容器并加上 --addn-hosts，或使用 stubDomains。",
            ),
            section=SECTION,
        )
    if dns.frozen:
        raise NoRemedy(
            tell(
                "myhosts is mounted by subPath: an edit reaches no pod of kube-dns until it is made anew",
                "myhosts 以 subPath 挂载：在 kube-dns 的 Pod 重建之前修改不会生效",
            ),
            next_step=tell(
                "Edit it, then: kubectl -n kube-system rollout restart deploy/kube-dns",
                "请修改后执行：kubectl -n kube-system rollout restart deploy/kube-dns",
            ),
            section=SECTION,
        )


def coredns_hosts(bench: Workbench) -> Draft:
    """The domain at the address of the inventory where CoreDNS reads it: in configmap/coredns-custom where the Corefile
    imports that (k3s and managed clusters rewrite the other one), else in the file of its hosts block where that is a
    key of the same ConfigMap (`NodeHosts`), else in the block itself.

    Raises:
        NoRemedy: CoreDNS does not serve this cluster, or its Corefile has a form that is not edited.
    """
    cluster, domain = bench.environment.kubernetes, bench.environment.domain
    matrix = bench.gathered.concerns.get("matrix")
    dns = matrix.cluster if isinstance(matrix, Matrix) else None
    if cluster is None or not isinstance(dns, ClusterDns) or dns.implementation is not Implementation.COREDNS:
        raise NoRemedy(
            tell("CoreDNS does not serve this cluster, or that could not be read", "该集群不使用 CoreDNS，或无法确认"),
            section=SECTION,
        )
    state, draft, address = read_key(cluster.context, "kube-system", "coredns", "Corefile"), Draft(), address_of(bench)
    corefile = state.value or ""
    if "import /etc/coredns/custom/*.server" in corefile:
        _refuse_without_reload(corefile, cluster.context)
        try:
            own = read_key(cluster.context, "kube-system", "coredns-custom", f"{domain}.server")
        except ConnectionFailed as error:
            raise NoRemedy(
                tell(
                    "the Corefile imports coredns-custom, and that ConfigMap can't be read",
                    "Corefile 引用了 coredns-custom，但无法读取该 ConfigMap",
                ),
                vantage=f"cluster {cluster.context}",
                next_step=tell(
                    "kubectl -n kube-system create configmap coredns-custom, then make the plan again.",
                    "请执行 kubectl -n kube-system create configmap coredns-custom，然后重新生成方案。",
                ),
                section=SECTION,
            ) from error
        if own.value != server_block(domain, address):
            draft.actions.append(KeyEdit(before=own, after=server_block(domain, address)))
            draft.notes.append(_IMPORTED)
        return draft
    try:
        file = hosts_file(corefile, domain)
        nodes = read_key(cluster.context, "kube-system", "coredns", file.rpartition("/")[2]) if file else state
        in_file = bool(file) and nodes.value is not None
        after = "" if in_file else set_hosts_entry(corefile, domain, address)
    except NoBlock as why:
        raise NoRemedy(
            tell(f"the Corefile can't be edited from here: {why}", f"无法在这里修改 Corefile：{why}"),
            vantage=f"cluster {cluster.context}",
            next_step=tell(
                f"Give the hosts plugin the entry yourself: {address} {domain}",
                f"请自行在 hosts 插件中添加条目：{address} {domain}",
            ),
            section=SECTION,
        ) from why
    if in_file:
        listed = set_address(nodes.value or "", domain, address)
        if listed != nodes.value:
            draft.actions.append(KeyEdit(before=nodes, after=listed))
            draft.notes.append(
                Text(
                    "The plugin hosts reads that file again by itself, within about two minutes.",
                    "hosts 插件会自动重新读取该文件，约两分钟内生效。",
                )
            )
    elif after != corefile:
        _refuse_without_reload(corefile, cluster.context)
        draft.actions.append(KeyEdit(before=state, after=after))
        draft.notes.append(_RELOADED)
    return draft


_RELOADED = Text(
    "CoreDNS reads it again by itself (plugin reload), within about two minutes.",
    "CoreDNS 会自动重新加载（reload 插件），约两分钟内生效。",
)
# coredns/coredns#2633, mended by #3068 (2019).
_IMPORTED = Text(
    f"{_RELOADED.en} One before 1.6 does not notice a changed import by itself.",
    f"{_RELOADED.zh}1.6 之前的版本不会自动发现 import 文件的变化。",
)


def _refuse_without_reload(corefile: str, context: str) -> None:
    if any(line.split("#")[0].split()[:1] == ["reload"] for line in corefile.splitlines()):
        return
    raise NoRemedy(
        tell(
            "the Corefile has no plugin reload: an edit reaches no pod of CoreDNS until it is made anew",
            "Corefile 没有 reload 插件：在 CoreDNS 的 Pod 重建之前修改不会生效",
        ),
        vantage=f"cluster {context}",
        next_step=tell(
            "Edit it, then: kubectl -n kube-system rollout restart deploy/coredns",
            "请修改后执行：kubectl -n kube-system rollout restart deploy/coredns",
        ),
        section=SECTION,
    )

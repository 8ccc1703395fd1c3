"""域名无法解析 / 流水线场景: the line in kube-dns' `myhosts`."""

from __future__ import annotations

from cargo_runbook.connections.config_maps import read_key
from cargo_runbook.facts.cluster_dns import MYHOSTS, ClusterDns, Implementation
from cargo_runbook.facts.matrix import Matrix
from cargo_runbook.remedies.builders.names import address_of
from cargo_runbook.remedies.edits.hosts import set_address
from cargo_runbook.remedies.plan import KeyEdit
from cargo_runbook.remedies.workbench import Draft, NoRemedy, Workbench
from cargo_runbook.texts import Text

SECTION = "域名无法解析 / 流水线场景"


def kube_dns_myhosts(bench: Workbench) -> Draft:
    """The domain at the address of the inventory, in key myhosts of configmap/kube-dns; all other lines stay.

    Raises:
        NoRemedy: nothing in the cluster reads that key.
    """
    cluster = bench.environment.kubernetes
    if cluster is None:
        raise NoRemedy(f"{bench.environment.name} names no cluster in the inventory (key kubernetes)")
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
        raise NoRemedy("what serves the cluster's DNS could not be read, so nothing is changed there", section=SECTION)
    if dns.implementation is Implementation.COREDNS:
        raise NoRemedy(
            "CoreDNS serves this cluster and does not read myhosts",
            next_step="Put the name into the hosts block of configmap/coredns (with fallthrough), or on k3s into "
            "configmap/coredns-custom.",
            section=SECTION,
        )
    if not dns.reader:
        raise NoRemedy(
            "no container of kube-dns reads myhosts, so a line there would have no effect",
            next_step="Mount configmap/kube-dns into the dnsmasq container and give it --addn-hosts, or use stubDomains.",
            section=SECTION,
        )
    if dns.frozen:
        raise NoRemedy(
            "myhosts is mounted by subPath: an edit reaches no pod of kube-dns until it is made anew",
            next_step="Edit it, then: kubectl -n kube-system rollout restart deploy/kube-dns",
            section=SECTION,
        )

"""Cluster DNS: which program serves it, what its ConfigMap says, and whether anything reads that.

The ConfigMap key `myhosts` (the guide, 流水线场景) is no key of kube-dns itself: it has an effect only where a
container mounts the ConfigMap and is told to read that file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cargo_runbook.facts.hosts_file import HostsEntry, addresses_of, read_hosts
from cargo_runbook.observations import Observation

MYHOSTS = "myhosts"


class Implementation(StrEnum):
    """The program behind the service kube-dns; the service's name does not tell it."""

    KUBE_DNS = "kube-dns"
    COREDNS = "CoreDNS"
    UNTOLD = "could not be told"


@dataclass(frozen=True)
class ClusterDns:
    """What could be read of cluster DNS.

    Args:
        address: ClusterIP of its service.
        images: of the containers that serve it.
        has_myhosts: the ConfigMap kube-dns has the key; `myhosts` are its lines.
        reader: name of the container that reads `myhosts`; empty when none does.
        frozen: the reader mounts it by subPath, so that an edit reaches it only when the pod is made anew.
        forwards: names that it does not know are asked of another server.
        static: the entries of the Corefile's hosts block and of k3s' NodeHosts.
        reason: why nothing could be read; empty when it could.
    """

    implementation: Implementation = Implementation.UNTOLD
    address: str = ""
    images: tuple[str, ...] = ()
    has_myhosts: bool = False
    myhosts: tuple[HostsEntry, ...] = ()
    reader: str = ""
    frozen: bool = False
    forwards: bool = False
    static: tuple[HostsEntry, ...] = ()
    reason: str = ""
    config_evidence: str = ""
    workload_evidence: str = ""

    def entries(self, name: str) -> tuple[str, ...]:
        """The addresses that `myhosts` has for `name`."""
        return addresses_of(self.myhosts, name)


def read_cluster_dns(config: Observation, workloads: Observation) -> ClusterDns:
    """The facts in two answers of kubectl.

    Args:
        config: `get configmap/kube-dns configmap/coredns service/kube-dns -n kube-system -o json`.
        workloads: `get deployments,daemonsets -n kube-system -l k8s-app=kube-dns -o json`.
    """
    reason = _reason(config) or _reason(workloads)
    if reason:
        return ClusterDns(reason=reason, config_evidence=config.id, workload_evidence=workloads.id)
    objects = {(item["kind"], item["metadata"]["name"]): item for item in _items(config.output)}
    serving = [item for item in _items(workloads.output) if item["spec"].get("replicas", 1)]
    pods = [item["spec"]["template"]["spec"] for item in serving]
    containers = [(pod, container) for pod in pods for container in pod["containers"]]
    images = tuple(dict.fromkeys(str(container["image"]) for _, container in containers))
    data = objects.get(("ConfigMap", "kube-dns"), {}).get("data") or {}
    corefile = objects.get(("ConfigMap", "coredns"), {}).get("data") or {}
    implementation = _implementation(images)
    core = implementation is Implementation.COREDNS
    readers = [(c["name"], frozen) for pod, c in containers if (frozen := _reads_myhosts(pod, c)) is not None]
    service = objects.get(("Service", "kube-dns"), {}).get("spec", {})
    return ClusterDns(
        implementation=implementation,
        address=str(service.get("clusterIP", "")),
        images=images,
        has_myhosts=MYHOSTS in data,
        myhosts=read_hosts(str(data.get(MYHOSTS, ""))),
        reader=readers[0][0] if readers else "",
        frozen=bool(readers) and all(frozen for _, frozen in readers),
        forwards=_core_forwards(corefile) if core else _kube_forwards(data, [c for _, c in containers]),
        static=_static(corefile) if core else (),
        config_evidence=config.id,
        workload_evidence=workloads.id,
    )


def _reason(observation: Observation) -> str:
    if observation.answered and observation.exit_code == 0:
        return ""
    return str(observation.data.get("reason", "")) or observation.error.strip() or str(observation.status)


def _items(text: str) -> list[Any]:
    try:
        body = json.loads(text) if text.strip() else {}
    except ValueError:
        return []
    if not isinstance(body, Mapping):
        return []
    return list(body.get("items", [])) if "items" in body else [body] if "kind" in body else []


def _implementation(images: tuple[str, ...]) -> Implementation:
    names = [image.rpartition("/")[2] for image in images]
    if any("coredns" in name for name in names):
        return Implementation.COREDNS
    if any(word in name for name in names for word in ("kube-dns", "kubedns", "dnsmasq", "k8s-dns")):
        return Implementation.KUBE_DNS
    return Implementation.UNTOLD


def _reads_myhosts(pod: Mapping[str, Any], container: Mapping[str, Any]) -> bool | None:
    """Whether the container reads the key, and then whether by a mount that never changes (subPath); else None."""
    volumes = {
        volume["name"]: volume["configMap"]
        for volume in pod.get("volumes", [])
        if volume.get("configMap", {}).get("name") == "kube-dns"
    }
    words = [str(word) for word in (*container.get("command", []), *container.get("args", []))]
    for mount in container.get("volumeMounts", []):
        source = volumes.get(mount["name"])
        if source is None:
            continue
        for file, frozen in _files_of(mount, source):
            folder = file.rpartition("/")[0]
            if any(
                file in word or re.search(rf"(?:addn-hosts|hostsdir)[= ]{re.escape(folder)}/?$", word) for word in words
            ):
                return frozen
    return None


def _files_of(mount: Mapping[str, Any], source: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Where the key is seen inside the container, and whether that file never changes."""
    place = str(mount["mountPath"]).rstrip("/")
    items = source.get("items")
    path = MYHOSTS if items is None else next((str(i["path"]) for i in items if i["key"] == MYHOSTS), "")
    if not path:
        return
    below = str(mount.get("subPath", ""))
    if not below:
        yield f"{place}/{path}", False
    elif below == path:
        yield place, True


def _kube_forwards(data: Mapping[str, Any], containers: list[Any]) -> bool:
    """dnsmasq asks the servers of resolv.conf (the node's) unless it is told not to and has no server of its own."""
    words = [str(word) for c in containers for word in (*c.get("command", []), *c.get("args", []))]
    if str(data.get("upstreamNameservers", "")).strip() not in ("", "[]"):
        return True
    own = any(re.fullmatch(r"--server=[^/]\S*", word) for word in words)
    return own or not any(word in ("--no-resolv", "-R") for word in words)


def _core_forwards(data: Mapping[str, Any]) -> bool:
    return re.search(r"^\s*(?:forward|proxy)\s+\.", str(data.get("Corefile", "")), re.MULTILINE) is not None


def _static(data: Mapping[str, Any]) -> tuple[HostsEntry, ...]:
    blocks = re.findall(r"^\s*hosts\b[^{\n]*\{([^}]*)\}", str(data.get("Corefile", "")), re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines() if re.match(r"\s*[0-9a-fA-F]*[.:]", line)]
    return read_hosts("\n".join([*lines, str(data.get("NodeHosts", ""))]))

"""Cluster DNS as kubectl shows it: who serves it, and who reads the ConfigMap's `myhosts`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cargo_runbook.facts.cluster_dns import ClusterDns, Implementation, read_cluster_dns
from cargo_runbook.observations import KubeCommand, Observation, Status

NAME = "cargo.example"
ARGS = ["--", "--no-resolv", "--addn-hosts=/etc/k8s/dns/dnsmasq-nanny/myhosts", "--local=/example/"]
MOUNT = {"name": "config", "mountPath": "/etc/k8s/dns/dnsmasq-nanny"}
COREFILE = """.:53 {
    hosts {
        203.0.113.14 cargo.example
        ttl 60
        fallthrough
    }
    kubernetes cluster.local
    forward . /etc/resolv.conf
    cache 30
}
"""


def answer(*items: dict[str, Any], code: int = 0, error: str = "", **more: Any) -> Observation:
    return Observation(
        question=KubeCommand(args=("get", "x")),
        status=more.pop("status", Status.ANSWERED),
        exit_code=code,
        output=json.dumps({"kind": "List", "items": items}) if not code else "",
        error=error,
        data=more,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        duration=0.01,
        id="E9",
    )


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}


SERVICE = {"kind": "Service", "metadata": {"name": "kube-dns"}, "spec": {"clusterIP": "10.254.0.100"}}
MYHOSTS = config_map("kube-dns", myhosts="203.0.113.14 cargo.example\n203.0.113.17 devops.example\n")


def deployment(
    image: str = "example/k8s-dns-dnsmasq-nanny-amd64:1.14.8",
    args: list[str] | None = None,
    mount: dict[str, Any] | None = None,
    items: list[dict[str, str]] | None = None,
    replicas: int = 1,
) -> dict[str, Any]:
    source: dict[str, Any] = {"name": "kube-dns", "optional": True}
    if items is not None:
        source["items"] = items
    container = {"name": "dnsmasq", "image": image, "args": ARGS if args is None else args}
    container["volumeMounts"] = [MOUNT if mount is None else mount]
    pod = {"volumes": [{"name": "config", "configMap": source}], "containers": [container]}
    return {"kind": "Deployment", "metadata": {"name": "x"}, "spec": {"replicas": replicas, "template": {"spec": pod}}}


def dns(config: list[dict[str, Any]], workload: dict[str, Any]) -> ClusterDns:
    return read_cluster_dns(answer(*config), answer(workload))


def test_the_guides_cluster_is_read():
    read = dns([MYHOSTS, SERVICE], deployment())
    assert (read.implementation, read.address, read.reader) == (Implementation.KUBE_DNS, "10.254.0.100", "dnsmasq")
    assert (read.has_myhosts, read.entries(NAME), read.entries("nope.example")) == (True, ("203.0.113.14",), ())
    assert (read.forwards, read.frozen, read.reason) == (False, False, "")


@pytest.mark.parametrize(
    ("workload", "reader", "frozen"),
    [
        (deployment(args=["--addn-hosts", "/etc/k8s/dns/dnsmasq-nanny/myhosts"]), "dnsmasq", False),
        (deployment(args=["--hostsdir=/etc/k8s/dns/dnsmasq-nanny"]), "dnsmasq", False),
        (deployment(args=["--no-resolv"]), "", False),
        (deployment(args=["--addn-hosts=/etc/elsewhere/myhosts"]), "", False),
        (deployment(mount={"name": "config", "mountPath": "/etc/elsewhere"}), "", False),
        (deployment(mount={"name": "other", "mountPath": "/etc/k8s/dns/dnsmasq-nanny"}), "", False),
        (deployment(items=[{"key": "stubDomains", "path": "stubDomains"}]), "", False),
        (deployment(items=[{"key": "myhosts", "path": "myhosts"}]), "dnsmasq", False),
        (
            deployment(
                args=["--addn-hosts=/etc/more-hosts"],
                mount={"name": "config", "mountPath": "/etc/more-hosts", "subPath": "myhosts"},
            ),
            "dnsmasq",
            True,
        ),
    ],
)
def test_myhosts_counts_only_where_a_container_mounts_it_and_is_told_to_read_it(workload, reader: str, frozen: bool):
    read = dns([MYHOSTS, SERVICE], workload)
    assert (read.reader, read.frozen) == (reader, frozen)


@pytest.mark.parametrize(
    ("config", "args", "forwards"),
    [
        (MYHOSTS, ["--no-resolv"], False),
        (MYHOSTS, ["-k"], True),
        (MYHOSTS, ["--no-resolv", "--server=/cluster.local/127.0.0.1#10053"], False),
        (MYHOSTS, ["--no-resolv", "--server=10.0.0.2"], True),
        (config_map("kube-dns", upstreamNameservers='["10.0.0.2"]'), ["--no-resolv"], True),
        (config_map("kube-dns", upstreamNameservers="[]"), ["--no-resolv"], False),
    ],
)
def test_whether_unknown_names_are_asked_of_another_server(config, args: list[str], forwards: bool):
    assert dns([config], deployment(args=args)).forwards is forwards


def test_coredns_behind_the_service_kube_dns_is_told_by_its_image():
    read = dns(
        [MYHOSTS, SERVICE, config_map("coredns", Corefile=COREFILE)], deployment("example/coredns:1.6.7", args=[])
    )
    assert (read.implementation, read.reader, read.forwards) == (Implementation.COREDNS, "", True)
    assert [(e.address, e.names) for e in read.static] == [("203.0.113.14", (NAME,))]


def test_a_workload_without_pods_does_not_count():
    read = read_cluster_dns(
        answer(MYHOSTS, SERVICE), answer(deployment(replicas=0), deployment("example/coredns:1.6.7", args=[]))
    )
    assert read.implementation is Implementation.COREDNS


def test_no_kube_dns_at_all_is_not_told_from_nothing():
    read = read_cluster_dns(answer(), answer())
    assert (read.implementation, read.address, read.has_myhosts, read.reason) == (Implementation.UNTOLD, "", False, "")


@pytest.mark.parametrize(
    ("observation", "reason"),
    [
        (answer(code=1, error='configmaps "kube-dns" is forbidden\n'), 'configmaps "kube-dns" is forbidden'),
        (answer(code=1, status=Status.UNREACHABLE, reason="refused"), "refused"),
        (answer(code=1, status=Status.ERROR, reason="no_context"), "no_context"),
    ],
)
def test_what_could_not_be_read_has_a_reason(observation: Observation, reason: str):
    assert read_cluster_dns(observation, answer(deployment())).reason == reason
    assert read_cluster_dns(answer(MYHOSTS), observation).reason == reason

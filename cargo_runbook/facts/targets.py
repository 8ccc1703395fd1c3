"""Who was looked at: the identities and clocks of hosts, cluster and registry, as far as the evidence tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from cargo_runbook.facts.replication import read_date, read_generation, read_seconds
from cargo_runbook.observations import Command, HttpRequest, KubeCommand, Observation, Place

CLUSTER_ID = ("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")
"""kubectl's words for what stands for a cluster: it is made with it and can't be set (Kubernetes has no id of its own)."""

CLUSTER_SERVER = ("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
"""kubectl's words for the URL of the API server that a context leads to; asks nobody but the kubeconfig."""

_OF_CLUSTER: Mapping[tuple[str, ...], str] = {CLUSTER_ID: "uid", CLUSTER_SERVER: "server"}


def read_targets(observations: Iterable[Observation]) -> dict[str, Any]:
    """Identities by which a later reader knows which machines were meant; what the evidence does not tell is left out.

    Returns:
        `hosts`: name -> SHA256 fingerprint of the host key; `clocks`: place -> seconds that its clock is ahead of the
        operator's (whole seconds are what is told); `clusters`: kubectl context -> `server` (URL of its API server) and
        `uid` (of the namespace kube-system); `registries`: origin of the URL -> Harbor's version, empty where it was
        not told; `certificates`: name:port -> fingerprint.
    """
    hosts: dict[str, str] = {}
    clocks: dict[str, float] = {}
    registries: dict[str, str] = {}
    certificates: dict[str, str] = {}
    clusters: dict[str, dict[str, str]] = {}
    for seen in observations:
        asked = seen.question
        at = f"{asked.environment}/" if asked.environment else ""
        if key := seen.data.get("host_key"):
            hosts[f"{at}{asked.vantage.host}"] = str(key)
        if isinstance(asked, HttpRequest):
            origin, path = "://".join(urlsplit(asked.url)[:2]), urlsplit(asked.url).path
            if (clock := read_date(seen, origin)) is not None:
                clocks.setdefault(origin, round(clock.ahead, 1) + 0.0)
            if path == "/v2/" and seen.data.get("status"):
                registries.setdefault(origin, "")
            if path.endswith("/systeminfo") and (version := read_generation(seen).version):
                registries[origin] = version
        elif isinstance(asked, Command) and asked.argv[:1] == ("date",):
            if (clock := read_seconds(seen, str(asked.vantage))) is not None:
                clocks[f"{at}{clock.place}"] = round(clock.ahead, 1) + 0.0
        elif isinstance(asked, KubeCommand) and asked.vantage.place is Place.CLUSTER and seen.answered:
            cluster = clusters.setdefault(f"{at}{asked.vantage.host}", {})
            told = _OF_CLUSTER.get(asked.args, "")
            if told and seen.exit_code == 0 and seen.output.strip():
                cluster[told] = seen.output.strip()
        elif seen.question.kind == "tls" and isinstance(print_ := seen.data.get("fingerprint"), str):
            certificates[str(asked).removeprefix("TLS ")] = print_
    told_all = {"hosts": hosts, "clocks": clocks, "registries": registries, "certificates": certificates}
    return {name: value for name, value in {**told_all, "clusters": clusters}.items() if value}

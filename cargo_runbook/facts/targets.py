"""Who was looked at: the identities and clocks of hosts, cluster and registry, as far as the evidence tells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from cargo_runbook.facts.replication import read_date, read_generation, read_seconds
from cargo_runbook.observations import Command, HttpRequest, KubeCommand, Observation, Place


def read_targets(observations: Iterable[Observation]) -> dict[str, Any]:
    """Identities by which a later reader knows which machines were meant; what the evidence does not tell is left out.

    Returns:
        `hosts`: name -> SHA256 fingerprint of the host key; `clocks`: place -> seconds that its clock is ahead of the
        operator's (whole seconds are what is told); `clusters`: kubectl contexts that answered;
        `registries`: origin of the URL -> Harbor's version; `certificates`: name:port -> fingerprint.
    """
    hosts: dict[str, str] = {}
    clocks: dict[str, float] = {}
    registries: dict[str, str] = {}
    certificates: dict[str, str] = {}
    contexts: set[str] = set()
    for seen in observations:
        asked = seen.question
        at = f"{asked.environment}/" if asked.environment else ""
        if key := seen.data.get("host_key"):
            hosts[f"{at}{asked.vantage.host}"] = str(key)
        if isinstance(asked, HttpRequest):
            origin = "://".join(urlsplit(asked.url)[:2])
            if (clock := read_date(seen, origin)) is not None:
                clocks.setdefault(origin, round(clock.ahead, 1) + 0.0)
            if urlsplit(asked.url).path.endswith("/systeminfo") and (version := read_generation(seen).version):
                registries[origin] = version
        elif isinstance(asked, Command) and asked.argv[:1] == ("date",):
            if (clock := read_seconds(seen, str(asked.vantage))) is not None:
                clocks[f"{at}{clock.place}"] = round(clock.ahead, 1) + 0.0
        elif isinstance(asked, KubeCommand) and asked.vantage.place is Place.CLUSTER and seen.answered:
            contexts.add(asked.vantage.host)
        elif seen.question.kind == "tls" and isinstance(print_ := seen.data.get("fingerprint"), str):
            certificates[str(asked).removeprefix("TLS ")] = print_
    told = {"hosts": hosts, "clocks": clocks, "registries": registries, "certificates": certificates}
    return {name: value for name, value in {**told, "clusters": sorted(contexts)}.items() if value}

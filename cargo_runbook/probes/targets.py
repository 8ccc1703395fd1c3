"""Who is looked at: questions whose answers tell machines and clusters apart, and how their clocks go."""

from __future__ import annotations

from typing import Any

from cargo_runbook.facts.targets import CLUSTER_ID, CLUSTER_SERVER, read_targets
from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import Command, KubeCommand, Place, Question, Vantage
from cargo_runbook.probes.asking import DEADLINE, together
from cargo_runbook.probes.scene import Scene

CLOCK = ("date", "-u", "+%s")


def ask_targets(scene: Scene) -> dict[str, Any]:
    """The clock of each host and node, and which cluster the kubectl context leads to; see `read_targets`.

    Host keys, certificates and Harbor's version come with questions of the path and of other concerns.
    """
    closed = {host.name for host in scene.hosts().hosts if host.reason}
    return read_targets(together(scene.ask, _questions(scene.environment, closed)))


def _questions(environment: Environment, closed: set[str]) -> list[Question]:
    machines = [Vantage(Place.CARGO_HOST, host.name) for host in environment.hosts if host.name not in closed]
    cluster = environment.kubernetes
    asked: list[Question] = []
    if cluster is not None:
        machines += [Vantage(Place.NODE, node.name) for node in cluster.nodes]
        context = Vantage(Place.CLUSTER, cluster.context)
        asked = [KubeCommand(vantage=context, args=args, deadline=DEADLINE) for args in (CLUSTER_ID, CLUSTER_SERVER)]
    return [*asked, *(Command(vantage=machine, argv=CLOCK, deadline=DEADLINE) for machine in machines)]

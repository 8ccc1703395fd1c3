"""The logs of cargo-token and cargo-admin, where the inventory names the cluster in which they run."""

from __future__ import annotations

from cargo_runbook.facts.service_logs import SERVICES, ServicesFacts, read_service_log
from cargo_runbook.observations import KubeCommand, Place, Vantage
from cargo_runbook.probes.asking import DEADLINE, together
from cargo_runbook.probes.scene import Scene

LINES = 2000
"""tengine's health check alone writes a line a second for each host."""


def ask_services(scene: Scene) -> ServicesFacts:
    """The concern `services` (the guide: 查看 cargo-token 的 log; for pushes and builds cargo-admin's too)."""
    cluster = scene.environment.kubernetes
    if cluster is None:
        return ServicesFacts()
    questions = [
        KubeCommand(
            vantage=Vantage(Place.CLUSTER, cluster.context),
            args=("logs", f"deploy/{service}", "-n", cluster.namespace, f"--tail={LINES}", "--timestamps"),
            deadline=DEADLINE,
        )
        for service in SERVICES
    ]
    answers = together(scene.ask, questions)
    logs = tuple(read_service_log(service, answer) for service, answer in zip(SERVICES, answers, strict=True))
    return ServicesFacts(logs, cluster.namespace)

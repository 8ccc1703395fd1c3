"""The concerns beside the path of a pull: what each one asks, and how it is judged.

A concern is asked at the same time as the path. It asks nothing deep as long as nothing is wrong, and where the path
breaks before it, its findings are `skipped`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cargo_runbook.facts.path import PathFacts
from cargo_runbook.findings import Finding
from cargo_runbook.probes.access import ask_access
from cargo_runbook.probes.docker_proxy import ask_proxy
from cargo_runbook.probes.installation import ask_installation
from cargo_runbook.probes.matrix import ask_matrix
from cargo_runbook.probes.nodes import look_at_nodes
from cargo_runbook.probes.replication import ask_replication
from cargo_runbook.probes.scene import Scene
from cargo_runbook.probes.service_logs import ask_services
from cargo_runbook.probes.storage import ask_storage
from cargo_runbook.probes.targets import ask_targets
from cargo_runbook.rules.access import judge_access
from cargo_runbook.rules.docker_proxy import judge_proxy
from cargo_runbook.rules.installation import judge_installation
from cargo_runbook.rules.matrix import judge_matrix
from cargo_runbook.rules.nodes import judge_nodes
from cargo_runbook.rules.replication.environment import judge_environment
from cargo_runbook.rules.service_logs import judge_services
from cargo_runbook.rules.storage import judge_storage


@dataclass(frozen=True)
class Concern:
    """`ask` gives the facts (a frozen dataclass of `facts/`); `judge` is pure."""

    ask: Callable[[Scene], Any]
    judge: Callable[[PathFacts, Any], tuple[Finding, ...]]


def _only_kept(_path: PathFacts, _facts: Any) -> tuple[Finding, ...]:
    """For what is asked so that the record holds it; whoever the machines are is no fault."""
    return ()


CONCERNS: Mapping[str, Concern] = {
    "access": Concern(ask_access, judge_access),
    "installation": Concern(ask_installation, judge_installation),
    "replication": Concern(ask_replication, judge_environment),
    "nodes": Concern(look_at_nodes, judge_nodes),
    "storage": Concern(ask_storage, judge_storage),
    "matrix": Concern(ask_matrix, judge_matrix),
    "proxy": Concern(ask_proxy, judge_proxy),
    "services": Concern(ask_services, judge_services),
    "targets": Concern(ask_targets, _only_kept),
}

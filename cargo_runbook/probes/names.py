"""Does a name resolve? Asked of the operator's own resolver and of each name server of the inventory."""

from __future__ import annotations

from cargo_runbook.facts.names import NameFacts, read_names
from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import DnsQuery
from cargo_runbook.probes.asking import DEADLINE, Ask, together


def look_up(ask: Ask, environment: Environment, name: str) -> NameFacts:
    """What `name` resolves to (the guide: 仓库域名是否正确解析)."""
    servers = ["", *environment.name_servers]
    answers = together(ask, [DnsQuery(name=name, server=server, deadline=DEADLINE) for server in servers])
    return read_names(name, answers[0], answers[1:])

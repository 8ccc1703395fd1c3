"""The only place that touches a host, a cluster, a registry or a name server; all that comes out is observations.

Start reading at `live`: it shows which question goes which way.
"""

import cargo_runbook.connections.seldom  # noqa: F401 - before paramiko
from cargo_runbook.connections.base import Connections
from cargo_runbook.connections.evidence import FILE, Evidence, EvidenceError, read_evidence, write_evidence
from cargo_runbook.connections.live import LiveConnections, open_connections
from cargo_runbook.connections.readonly import ReadOnly
from cargo_runbook.connections.replay import ReplayConnections

__all__ = [
    "FILE",
    "Connections",
    "Evidence",
    "EvidenceError",
    "LiveConnections",
    "ReadOnly",
    "ReplayConnections",
    "open_connections",
    "read_evidence",
    "write_evidence",
]

"""The steps of the section notebooks: which facts each one needs, which findings and tables it shows."""

from __future__ import annotations

from collections.abc import Mapping

from cargo_runbook.steps import names, permission, replication, token_service, triage, wrong_domain
from cargo_runbook.steps.step import Gathered, Step

SECTIONS: Mapping[str, tuple[Step, ...]] = {
    "00_triage": triage.STEPS,
    "11_domain_unresolved_local": names.LOCAL,
    "12_domain_unresolved_pipeline": names.PIPELINE,
    "20_wrong_domain": wrong_domain.STEPS,
    "30_token_service": token_service.STEPS,
    "40_replication_stuck": replication.STUCK,
    "50_replication_failed": replication.FAILED,
    "60_permission": permission.STEPS,
}
"""Name of the runbook -> its steps, in the order of the notebook."""

__all__ = ["SECTIONS", "Gathered", "Step"]

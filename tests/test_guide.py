"""The guide's sections: each code and each fault belongs to one."""

from __future__ import annotations

from cargo_runbook.guide import NOTEBOOKS
from cargo_runbook.rules.catalog import catalog
from cargo_sandbox.faults.catalog import faults


def test_every_finding_code_belongs_to_a_section_of_the_guide() -> None:
    assert {entry.section for entry in catalog().values()} <= set(NOTEBOOKS)


def test_every_fault_belongs_to_a_section_of_the_guide() -> None:
    assert {fault.section for fault in faults()} <= set(NOTEBOOKS)

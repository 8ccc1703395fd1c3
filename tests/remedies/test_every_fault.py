"""Each fault of the practice installation that has a remedy is fixed on it by a test, or refused with a reason."""

from __future__ import annotations

from cargo_runbook.remedies.table import REMEDIES
from cargo_runbook.rules.catalog import catalog
from cargo_sandbox.faults.catalog import faults
from tests.sandbox.test_fixes import CASES
from tests.sandbox.test_fixes_refused import REFUSED

TRIED = {(case.fault, case.code) for case in CASES} | {(name, code) for name, (code, _) in REFUSED.items()}
# Fixed by tests of their own: on a cluster with CoreDNS, and where the destination was mended.
ELSEWHERE = {"coredns-hosts", "replicate-again"}


def able(code: str) -> list[str]:
    """The remedies of a finding that can be done from here."""
    return [name for name in catalog()[code].remedies if name in REMEDIES and REMEDIES[name].build is not None]


def test_each_fault_with_a_remedy_is_fixed_or_refused_on_the_practice_installation() -> None:
    wanted = {(each.name, code) for each in faults() for code in each.expected_root_causes if able(code)}
    assert wanted - TRIED == set()
    assert len(wanted) > 30


def test_each_remedy_that_can_be_done_from_here_is_done_there() -> None:
    done = {case.remedy for case in CASES} | ELSEWHERE
    assert {name for name, remedy in REMEDIES.items() if remedy.build is not None} == done


def test_what_is_fixed_is_tried_on_one_host_and_on_several() -> None:
    """Each remedy that edits or restarts on Cargo hosts by what it finds on each of them."""
    where = {name: {each.environment for each in faults() if each.name == name} for name in {c.fault for c in CASES}}
    hosts = {remedy: {e for c in CASES if c.remedy == remedy for e in where[c.fault]} for remedy in ON_HOSTS}
    assert {remedy: sorted(found) for remedy, found in hosts.items() if found != {"cargo", "ha"}} == {}


ON_HOSTS = ("change-domain", "set-token-service", "start-containers")

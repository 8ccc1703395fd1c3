"""One domain, several answers: which disagreement is a finding, and which is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cargo_runbook.facts.cluster_dns import ClusterDns, Implementation
from cargo_runbook.facts.hosts_file import HostsEntry
from cargo_runbook.facts.matrix import (
    CLUSTER_DNS,
    OPERATOR,
    ORIGINS,
    PLACES,
    POD,
    Cell,
    Column,
    Matrix,
    Origin,
    Place,
    Role,
    Row,
)
from cargo_runbook.facts.names import Lookup
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.findings import Finding, Verdict
from cargo_runbook.rules.matrix import judge_matrix, there
from cargo_runbook.rules.names import judge_names
from cargo_runbook.rules.triage import conclude, explain, judge
from tests.rules.path_facts import DOMAIN, HEALTHY, but, names

HERE = "192.0.2.14"
FRONT = "198.18.0.5"
HOST = Column(Place.HOST, "cargo-1")
TENGINE = Column(Place.TENGINE, "cargo-1")
JOBSERVICE = Column(Place.JOBSERVICE, "cargo-1")
NODE = Column(Place.NODE, "node-1")


def at(*addresses: str, origin: Origin = Origin.DNS) -> Cell:
    return Cell(Lookup.RESOLVED, addresses, origin, "", "E20")


NO = Cell(Lookup.NO_SUCH_NAME, evidence="E21")
SILENT = Cell(Lookup.SILENT, evidence="E22")
SERVFAIL = Cell(Lookup.SERVER_FAILURE, evidence="E23")
UNTOLD = Cell(Lookup.UNTOLD, evidence="E24")
GOOD = {
    OPERATOR: at(HERE),
    HOST: at(HERE, origin=Origin.HOSTS_FILE),
    TENGINE: at(FRONT, origin=Origin.DOCKER),
    JOBSERVICE: at(FRONT, origin=Origin.DOCKER),
}
KUBE_DNS = ClusterDns(
    Implementation.KUBE_DNS,
    "10.254.0.100",
    ("kube-dns:1.14.8",),
    has_myhosts=True,
    myhosts=(HostsEntry(HERE, (DOMAIN,), 1),),
    reader="dnsmasq",
    config_evidence="E30",
    workload_evidence="E31",
)
WITHOUT_ENTRY = replace(KUBE_DNS, myhosts=())
IN_CLUSTER = {
    **GOOD,
    NODE: at(HERE),
    POD: at(HERE, origin=Origin.MYHOSTS),
    CLUSTER_DNS: at(HERE, origin=Origin.MYHOSTS),
}


def matrix(cells: dict[Column, Cell], cluster: ClusterDns | None = None, pipeline: str = "deploy/pipeline") -> Matrix:
    return Matrix(
        (Row(DOMAIN, Role.DOMAIN),),
        tuple(cells),
        {(DOMAIN, column): cell for column, cell in cells.items()},
        frozenset({FRONT}),
        cluster,
        "prod" if cluster else "",
        pipeline if cluster else "",
    )


def found(path: PathFacts, facts: Matrix) -> dict[str, Finding]:
    return {finding.code: finding for finding in judge_matrix(path, facts)}


def verdicts(path: PathFacts, facts: Matrix) -> dict[str, str]:
    return {code: str(finding.status) for code, finding in found(path, facts).items()}


def roots(path: PathFacts, facts: Matrix) -> tuple[str, ...]:
    findings = explain((*judge(path), *judge_matrix(path, facts)))
    return conclude("cargo", path.domain, findings, started="", seconds=0).root_causes


UNRESOLVED = but(names=names(Lookup.NO_SUCH_NAME, Lookup.NO_SUCH_NAME))


def test_where_all_places_agree_nothing_is_wrong():
    assert verdicts(HEALTHY, matrix(GOOD)) == {"CRG104": "ok", "CRG105": "ok", "CRG106": "ok"}
    assert set(verdicts(HEALTHY, matrix(IN_CLUSTER, KUBE_DNS)).values()) == {"ok"}
    assert roots(HEALTHY, matrix(IN_CLUSTER, KUBE_DNS)) == ()


def test_a_domain_that_only_the_operator_does_not_know_is_the_local_case():
    facts = matrix({**GOOD, OPERATOR: NO})
    assert roots(UNRESOLVED, facts) == ("CRG104",)
    finding = found(UNRESOLVED, facts)["CRG104"]
    assert finding.summary.en == f"{DOMAIN} resolves at Cargo host cargo-1, but not at the operator"
    assert [link.observation for link in finding.chain] == ["E21", "E20"]


def test_a_name_server_that_knows_the_domain_makes_it_the_local_case_too():
    path = but(names=names(Lookup.NO_SUCH_NAME, Lookup.RESOLVED))
    assert roots(path, matrix({**GOOD, OPERATOR: NO, HOST: UNTOLD})) == ("CRG104",)


def test_a_name_server_that_was_silent_once_does_not_undo_what_the_operators_resolver_was_told():
    path = but(names=names(Lookup.NO_SUCH_NAME, Lookup.SILENT))
    facts = matrix({**GOOD, OPERATOR: NO})
    assert roots(path, facts) == ("CRG104",)
    told = {finding.code: finding.summary.en for finding in judge_names(path)}
    assert told["CRG102"] == (
        "the operator's own resolver answers; the name servers of the inventory give no usable answer"
    )


def test_a_domain_that_nobody_knows_is_no_local_case():
    facts = matrix({**GOOD, OPERATOR: NO, HOST: NO})
    assert roots(UNRESOLVED, facts) == ("CRG101",)
    assert found(UNRESOLVED, facts)["CRG104"].summary.en == f"nobody else knows {DOMAIN} either"


def test_what_pods_know_does_not_make_it_a_local_case():
    facts = matrix({**IN_CLUSTER, OPERATOR: NO, HOST: NO, NODE: NO}, KUBE_DNS)
    assert roots(UNRESOLVED, facts) == ("CRG101",)


def test_with_silent_name_servers_nothing_is_said_about_who_knows_the_domain():
    path = but(names=names(Lookup.SILENT, Lookup.SILENT))
    facts = matrix({**GOOD, OPERATOR: SILENT, HOST: SILENT})
    assert verdicts(path, facts)["CRG104"] == "skipped"
    assert roots(path, facts) == ("CRG102",)


def test_a_cargo_host_that_does_not_resolve_its_own_domain_is_named():
    facts = matrix({**GOOD, HOST: NO})
    assert roots(HEALTHY, facts) == ("CRG105",)
    assert found(HEALTHY, facts)["CRG105"].vantage == "Cargo host cargo-1"


@pytest.mark.parametrize("column", [HOST, TENGINE, JOBSERVICE])
def test_another_address_at_another_place_is_named(column: Column):
    facts = matrix({**GOOD, column: at("192.0.2.99")})
    assert roots(HEALTHY, facts) == ("CRG106",)
    assert found(HEALTHY, facts)["CRG106"].summary.en == f"{column} resolves {DOMAIN} to 192.0.2.99 instead of {HERE}"


def test_the_front_inside_dockers_network_is_right_for_containers_only():
    assert verdicts(HEALTHY, matrix(GOOD))["CRG106"] == "ok"
    assert verdicts(HEALTHY, matrix({**GOOD, HOST: at(FRONT)}))["CRG106"] == "fault"


def test_a_container_is_not_accused_while_the_fronts_own_addresses_are_not_known():
    unread = replace(matrix({**GOOD, TENGINE: at(FRONT)}), front=frozenset())
    assert verdicts(HEALTHY, unread)["CRG106"] == "ok"
    assert verdicts(HEALTHY, replace(matrix({**GOOD, HOST: at(FRONT)}), front=frozenset()))["CRG106"] == "fault"


def test_another_address_of_the_same_cargo_is_no_disagreement():
    path = but(addresses=(HERE, "192.0.2.15"))
    assert verdicts(path, matrix({**GOOD, HOST: at("192.0.2.15")}))["CRG106"] == "ok"


def test_hosts_that_follow_the_operator_to_a_wrong_address_are_no_second_cause():
    wrong = at("192.0.2.20")
    assert verdicts(HEALTHY, matrix({**GOOD, OPERATOR: wrong, HOST: wrong}))["CRG106"] == "ok"


def test_places_that_could_not_be_asked_are_skipped_and_never_ok():
    cells = {OPERATOR: at(HERE), HOST: UNTOLD, TENGINE: UNTOLD, JOBSERVICE: UNTOLD}
    assert verdicts(HEALTHY, matrix(cells)) == {"CRG104": "ok", "CRG105": "skipped", "CRG106": "skipped"}


def in_pod(cell: Cell, dns: ClusterDns, *, direct: Cell | None = None) -> Matrix:
    return matrix({**IN_CLUSTER, POD: cell, CLUSTER_DNS: direct or cell}, dns)


@pytest.mark.parametrize(
    ("dns", "code", "why"),
    [
        (WITHOUT_ENTRY, "CRG801", "myhosts has no line for it"),
        (replace(WITHOUT_ENTRY, has_myhosts=False), "CRG801", "myhosts has no line for it"),
        (replace(KUBE_DNS, reader=""), "CRG802", "no container reads myhosts"),
        (replace(WITHOUT_ENTRY, reader=""), "CRG802", "no container reads myhosts"),
        (
            replace(KUBE_DNS, implementation=Implementation.COREDNS, reader=""),
            "CRG803",
            "CoreDNS has no entry for it, and myhosts is not read",
        ),
        (KUBE_DNS, "CRG809", "its line in myhosts has no effect yet"),
        (replace(KUBE_DNS, frozen=True), "CRG809", "myhosts is mounted by subPath and never changes"),
        (replace(WITHOUT_ENTRY, forwards=True), "CRG801", "myhosts has no line for it"),
        (
            replace(KUBE_DNS, implementation=Implementation.UNTOLD),
            "CRG807",
            "what serves cluster DNS could not be told",
        ),
        (ClusterDns(reason="forbidden", config_evidence="E30"), "CRG807", "its settings could not be read (forbidden)"),
    ],
)
def test_why_pods_do_not_resolve_the_domain(dns: ClusterDns, code: str, why: str):
    facts = in_pod(NO, dns)
    assert roots(HEALTHY, facts) == (code,)
    assert found(HEALTHY, facts)[code].summary.en == f"pods do not resolve {DOMAIN}: {why}"
    assert {link.observation for link in found(HEALTHY, facts)[code].chain} == {"E21", "E30"}


def test_pods_that_ask_the_same_name_server_as_the_operator_are_a_consequence():
    facts = in_pod(NO, replace(WITHOUT_ENTRY, forwards=True))
    cells = {**facts.cells, (DOMAIN, OPERATOR): NO, (DOMAIN, HOST): NO, (DOMAIN, NODE): NO}
    assert roots(UNRESOLVED, replace(facts, cells=cells)) == ("CRG101",)


def test_pods_with_a_dns_of_their_own_are_a_cause_of_their_own_beside_the_operators():
    facts = in_pod(NO, WITHOUT_ENTRY)
    cells = {**facts.cells, (DOMAIN, OPERATOR): NO, (DOMAIN, HOST): NO, (DOMAIN, NODE): NO}
    assert roots(UNRESOLVED, replace(facts, cells=cells)) == ("CRG101", "CRG801")


@pytest.mark.parametrize("cell", [SILENT, SERVFAIL])
def test_cluster_dns_without_a_usable_answer_says_nothing_about_the_name(cell: Cell):
    facts = in_pod(NO, KUBE_DNS, direct=cell)
    assert verdicts(HEALTHY, facts)["CRG805"] == "fault"
    assert roots(HEALTHY, facts) == ("CRG805",)


def test_pods_that_are_sent_to_another_machine_are_named_with_the_line_in_myhosts():
    facts = in_pod(
        at("192.0.2.99", origin=Origin.MYHOSTS), replace(KUBE_DNS, myhosts=(HostsEntry("192.0.2.99", (DOMAIN,), 1),))
    )
    assert roots(HEALTHY, facts) == ("CRG804",)
    assert found(HEALTHY, facts)["CRG804"].chain[1].rule.en == (
        f"the ConfigMap kube-dns has 192.0.2.99 for {DOMAIN} in myhosts"
    )


def test_a_node_that_does_not_resolve_the_domain_can_not_be_helped_by_cluster_dns():
    facts = matrix({**IN_CLUSTER, NODE: NO}, KUBE_DNS)
    assert roots(HEALTHY, facts) == ("CRG806",)
    assert "an entry in cluster DNS can't help" in found(HEALTHY, facts)["CRG806"].summary.en


def test_it_is_said_although_nothing_is_wrong_that_myhosts_is_read_by_nobody():
    facts = matrix(IN_CLUSTER, replace(KUBE_DNS, reader=""))
    finding = found(HEALTHY, facts)["CRG802"]
    assert (finding.status, finding.summary.en) == (
        Verdict.OK,
        "no container reads kube-dns' myhosts: a line there would have no effect",
    )


def test_it_is_said_although_nothing_is_wrong_that_coredns_runs_instead():
    dns = replace(KUBE_DNS, implementation=Implementation.COREDNS, reader="", images=("coredns:1.6.7",))
    finding = found(HEALTHY, matrix(IN_CLUSTER, dns))["CRG803"]
    assert (finding.status, finding.summary.en) == (
        Verdict.OK,
        "CoreDNS serves the cluster: a line in kube-dns' myhosts would have no effect",
    )
    assert finding.chain[0].rule.en == "CoreDNS serves cluster DNS (coredns:1.6.7); no container reads myhosts"


def test_a_cluster_out_of_reach_is_unknown_and_no_fault():
    dns = ClusterDns(reason="refused", config_evidence="E30")
    facts = matrix({**GOOD, NODE: at(HERE), POD: UNTOLD}, dns)
    assert verdicts(HEALTHY, facts)["CRG801"] == "unknown"
    assert roots(HEALTHY, facts) == ()


def test_without_a_pod_in_the_inventory_cluster_dns_is_asked_itself_or_skipped():
    cells = {**GOOD, NODE: at(HERE)}
    asked = matrix({**cells, CLUSTER_DNS: NO}, WITHOUT_ENTRY, pipeline="")
    assert roots(HEALTHY, asked) == ("CRG801",)
    assert verdicts(HEALTHY, matrix(cells, KUBE_DNS, pipeline=""))["CRG801"] == "skipped"
    assert verdicts(HEALTHY, matrix(cells, ClusterDns(reason="refused"), pipeline=""))["CRG801"] == "skipped"


def test_a_pod_that_could_not_be_asked_is_unknown_with_its_own_evidence():
    facts = matrix({**GOOD, NODE: at(HERE), POD: UNTOLD, CLUSTER_DNS: UNTOLD}, KUBE_DNS)
    finding = found(HEALTHY, facts)["CRG801"]
    assert (finding.status, finding.chain[0].observation) == (Verdict.UNKNOWN, UNTOLD.evidence)


def test_an_environment_without_a_cluster_has_no_findings_about_one():
    assert not [code for code in verdicts(HEALTHY, matrix(GOOD)) if code.startswith("CRG8")]


def test_a_place_and_where_it_has_an_address_from_are_told_in_both_languages() -> None:
    cell = Cell(Lookup.RESOLVED, ("192.0.2.7",), Origin.DNS)
    link = there("x.example", Column(Place.HOST, "cargo-1"), cell)
    assert link.rule.en == "Cargo host cargo-1 resolves x.example to 192.0.2.7 (DNS server)"
    assert link.rule.zh == "Cargo 主机 cargo-1 把 x.example 解析为 192.0.2.7（DNS 服务器）"
    assert (set(PLACES), set(ORIGINS)) == (set(Place), set(Origin))

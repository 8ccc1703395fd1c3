"""What the notebooks of 域名无法解析 show, out of facts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.facts.cluster_dns import ClusterDns, Implementation
from cargo_runbook.facts.docker_proxy import Docker, ProxyFacts
from cargo_runbook.facts.matrix import CLUSTER_DNS, OPERATOR, POD, Cell, Matrix, Origin, Role, Row
from cargo_runbook.facts.names import Lookup
from cargo_runbook.findings import Verdict
from cargo_runbook.inventory.loader import load_environment
from cargo_runbook.steps import SECTIONS, Gathered
from cargo_runbook.steps.names import cluster_dns_table, cures_table, matrix_table, proxy_table
from cargo_runbook.tables import Table
from tests.rules.path_facts import DOMAIN, HEALTHY
from tests.rules.test_matrix import HERE, HOST, IN_CLUSTER, JOBSERVICE, KUBE_DNS, NO, TENGINE, UNTOLD, at, matrix


@pytest.fixture
def gathered(tmp_path: Path):
    text = f"domain: {DOMAIN}\nhosts: [{{name: cargo-1, address: {HERE}}}]\n"
    (tmp_path / "cargo.yml").write_text(text, encoding="utf-8")
    environment = load_environment("cargo", tmp_path)

    def made(**concerns: Any) -> Gathered:
        return Gathered(environment, HEALTHY, concerns)

    return made


def texts(table: Table) -> list[list[str]]:
    return [[cell.said.en for cell in row] for row in table.rows]


def test_the_vantage_matrix_marks_where_each_address_comes_from(gathered):
    facts = matrix(IN_CLUSTER, KUBE_DNS)
    service = Row("cargo-admin", Role.TOKEN_SERVICE)
    cells = {**facts.cells, ("cargo-admin", TENGINE): at("192.0.2.20", origin=Origin.EXTRA_HOSTS)}
    [table] = matrix_table(gathered(matrix=replace(facts, rows=(*facts.rows, service), cells=cells)))
    assert [column.en for column in table.columns] == [
        *("name", "operator", "Cargo host", "tengine", "harbor-jobservice", "node", "pod", "cluster DNS")
    ]
    assert texts(table) == [
        [DOMAIN, f"{HERE} ᴰ", f"{HERE} ᴴ", "198.18.0.5 ᴺ", "198.18.0.5 ᴺ", f"{HERE} ᴰ", f"{HERE} ᴹ", f"{HERE} ᴹ"],
        ["cargo-admin", "-", "-", "192.0.2.20 ᴱ", "-", "-", "-", "-"],
    ]
    assert {cell.verdict for cell in table.rows[0][1:]} == {Verdict.OK}


def test_no_address_has_a_kind_and_not_asked_is_no_answer(gathered):
    facts = matrix(
        {**IN_CLUSTER, HOST: UNTOLD, POD: NO, CLUSTER_DNS: Cell(Lookup.SERVER_FAILURE, evidence="E9")}, KUBE_DNS
    )
    [table] = matrix_table(gathered(matrix=facts))
    row = dict(zip([column.en for column in table.columns], table.rows[0], strict=True))
    assert (row["Cargo host"].said.en, row["Cargo host"].verdict) == ("could not be asked", Verdict.UNKNOWN)
    assert (row["pod"].said.en, row["pod"].verdict) == ("NXDOMAIN", Verdict.FAULT)
    assert (row["cluster DNS"].said.en, row["cluster DNS"].evidence) == ("SERVFAIL", "E9")


def test_an_address_of_another_machine_is_marked_as_wrong(gathered):
    [table] = matrix_table(gathered(matrix=matrix({**IN_CLUSTER, JOBSERVICE: at("192.0.2.99")}, KUBE_DNS)))
    assert [cell.said.en for cell in table.rows[0] if cell.verdict is Verdict.FAULT] == ["192.0.2.99 ᴰ"]


def test_without_a_cluster_the_matrix_has_no_columns_of_one(gathered):
    [table] = matrix_table(gathered(matrix=matrix({OPERATOR: at(HERE), HOST: at(HERE)})))
    assert [column.en for column in table.columns] == ["name", "operator", "Cargo host"]
    assert cluster_dns_table(gathered(matrix=matrix({OPERATOR: at(HERE)}))) == ()


def test_the_table_of_cluster_dns_says_that_nobody_reads_myhosts(gathered):
    [table] = cluster_dns_table(gathered(matrix=matrix(IN_CLUSTER, replace(KUBE_DNS, reader=""))))
    rows = {row[0].said.en: row[1] for row in table.rows}
    assert (rows["read by (container)"].said.en, rows["read by (container)"].verdict) == ("nobody", Verdict.FAULT)
    assert rows[f"myhosts for {DOMAIN}"].said.en == HERE


def test_settings_that_could_not_be_read_are_shown_with_the_reason(gathered):
    [table] = cluster_dns_table(gathered(matrix=matrix(IN_CLUSTER, ClusterDns(reason="forbidden"))))
    assert texts(table) == [["settings of cluster DNS", "forbidden"]]


@pytest.mark.parametrize(
    ("dns", "cure"),
    [
        (KUBE_DNS, "a line in kube-dns' myhosts (about 60 s)"),
        (replace(KUBE_DNS, reader=""), "stubDomains, or the name server: nothing reads myhosts"),
        (
            replace(KUBE_DNS, implementation=Implementation.COREDNS),
            "a hosts block of the Corefile, with fallthrough",
        ),
    ],
)
def test_what_helps_a_pipeline_depends_on_who_serves_cluster_dns_and_never_helps_a_node(gathered, dns, cure: str):
    [table] = cures_table(gathered(matrix=matrix(IN_CLUSTER, dns)))
    rows = {row[0].said.en: [cell.said.en for cell in row[2:]] for row in table.rows}
    assert rows["push or pull by a pipeline, in a pod"] == [cure, "the node's /etc/hosts"]
    assert rows["image pull of a pod (ImagePullBackOff) on node-1"] == [
        *("the node's /etc/hosts or DNS server, on every node", "kube-dns, CoreDNS")
    ]


def test_the_proxys_table_shows_its_answer(gathered):
    docker = Docker(True, "operator", "http://192.0.2.9:3128", "a.example", "E1")
    [table] = proxy_table(gathered(proxy=ProxyFacts(docker, "http://192.0.2.9:3128", 503, "", "", "E2")))
    assert texts(table) == [["operator", "http://192.0.2.9:3128", "a.example", "through 192.0.2.9:3128", "503"]]
    assert table.rows[0][-1].verdict is Verdict.FAULT
    [direct] = proxy_table(gathered(proxy=ProxyFacts(Docker(True, "operator"))))
    assert texts(direct) == [["operator", "-", "-", "directly", "-"]]


@pytest.mark.parametrize("section", ["11_domain_unresolved_local", "12_domain_unresolved_pipeline"])
def test_evidence_without_these_concerns_gives_no_tables(gathered, section: str):
    assert [step.tables(gathered()) for step in SECTIONS[section]] == [()] * 3


def test_a_daemon_behind_a_proxy_has_a_cell_with_the_proxys_answer(gathered):
    cell = Cell(Lookup.UNTOLD, (), Origin.PROXY, "192.0.2.9:3128 503", "E2")
    [table] = matrix_table(
        gathered(matrix=Matrix((Row(DOMAIN, Role.DOMAIN),), (OPERATOR,), {(DOMAIN, OPERATOR): cell}))
    )
    assert (table.rows[0][1].said.en, table.rows[0][1].verdict) == ("192.0.2.9:3128 503 ᴾ", Verdict.FAULT)

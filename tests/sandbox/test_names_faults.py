"""The faults of name resolution and of the proxy: really there, found alone, the other environments left alone, gone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cargo_sandbox.faults.catalog import fault
from tests.practice import PracticeSandbox, show

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

CARGO = "cargo.caicloudprivatetest.com"
CLUSTER = pytest.mark.cluster


def client(sandbox: PracticeSandbox, name: str) -> str:
    done = sandbox.run(*fault(name).client.command)
    return done.stdout + done.stderr


def diagnose(sandbox: PracticeSandbox, environment: str) -> dict[str, Any]:
    done = sandbox.run("cargo-runbook", "diagnose", "--env", environment, "--json")
    assert "Traceback" not in done.stderr
    body: dict[str, Any] = json.loads(done.stdout)
    show(body)
    return body


def finding(body: dict[str, Any], code: str) -> dict[str, Any]:
    [found] = [each for each in body["findings"] if each["code"] == code]
    return dict(found)


def broken_and_healed(sandbox: PracticeSandbox, name: str) -> dict[str, Any]:
    """The diagnosis while `name` is broken; before and after it the environment is healthy."""
    each = fault(name)
    assert each.client.text not in client(sandbox, name)
    sandbox.break_(name)
    try:
        assert each.client.text in client(sandbox, name)
        body = diagnose(sandbox, each.environment)
        assert body["root_causes"] == list(each.expected_root_causes)
        assert diagnose(sandbox, "devops")["status"] == "healthy"
    finally:
        sandbox.heal(name)
    assert diagnose(sandbox, each.environment)["status"] == "healthy"
    assert each.client.text not in client(sandbox, name)
    return body


def test_a_domain_that_only_the_operator_does_not_know_is_told_from_one_that_nobody_knows(sandbox: PracticeSandbox):
    body = broken_and_healed(sandbox, "domain-unresolved-local")
    assert finding(body, "CRG101")["consequence_of"] == ["CRG104"]
    assert finding(body, "CRG104")["summary"] == f"{CARGO} resolves at Cargo host cargo, but not at the operator"


def test_the_guides_service_unavailable_is_traced_to_the_proxy_of_dockers_daemon(sandbox: PracticeSandbox):
    body = broken_and_healed(sandbox, "http-proxy-503")
    [settings, answer] = finding(body, "CRG610")["chain"]
    assert settings["rule"] == "docker info names the proxy 203.0.113.20:3128"
    assert answer["rule"] == f"CONNECT {CARGO} at 203.0.113.20:3128 is answered with 503"
    assert answer["consequence"] == f'docker stops with `Get "https://{CARGO}/v2/": Service Unavailable`'


def test_the_proxy_lets_through_to_the_names_that_it_knows(sandbox: PracticeSandbox):
    sandbox.break_("http-proxy-503")
    try:
        pulled = sandbox.run("docker", "pull", "-q", "devops.caicloudprivatetest.com/library/tiny:1")
        assert pulled.returncode == 0, pulled.stderr
    finally:
        sandbox.heal("http-proxy-503")
    assert sandbox.run("docker", "info", "--format", "{{.HTTPSProxy}}").stdout == "\n"


def test_a_stale_line_in_a_cargo_hosts_own_hosts_file_is_found_as_a_disagreement(sandbox: PracticeSandbox):
    sandbox.on("cargo", "bash", "-c", f"cp /etc/hosts /etc/hosts.kept; echo '203.0.113.99 {CARGO}' >> /etc/hosts")
    try:
        body = diagnose(sandbox, "cargo")
        assert body["root_causes"] == ["CRG106"]
        assert (
            finding(body, "CRG106")["summary"]
            == f"Cargo host cargo resolves {CARGO} to 203.0.113.99 instead of 203.0.113.14"
        )
    finally:
        sandbox.on("cargo", "bash", "-c", "cat /etc/hosts.kept > /etc/hosts; rm /etc/hosts.kept")
    assert diagnose(sandbox, "cargo")["status"] == "healthy"


def test_a_fault_of_the_cluster_is_one_sentence_in_a_sandbox_without(sandbox: PracticeSandbox):
    done = sandbox.cli("break", "domain-unresolved-pipeline")
    assert done.returncode == 2
    assert f"needs a cluster, and the sandbox '{sandbox.name}' runs without one" in done.stderr
    assert "sandbox up --cluster" in done.stderr
    assert "Traceback" not in done.stderr
    listed = json.loads(sandbox.cli("faults", "--json").stdout)
    assert {each["name"] for each in listed if each["needs"] == "cluster"} >= {"domain-unresolved-pipeline"}
    assert "domain-unresolved-pipeline  cargo    CRG801  (needs --cluster)" in sandbox.cli("faults").stdout


@CLUSTER
def test_a_missing_line_in_myhosts_fails_the_push_of_a_pipeline_and_is_found(cluster_sandbox: PracticeSandbox):
    body = broken_and_healed(cluster_sandbox, "domain-unresolved-pipeline")
    found = finding(body, "CRG801")
    assert found["vantage"] == "deploy/pipeline (practice)"
    assert found["chain"][1]["rule"] == f"the ConfigMap kube-dns has no line for {CARGO} in myhosts (2 others)"
    assert finding(body, "CRG806")["status"] == "ok", "the node pulls by its own resolver"


@CLUSTER
def test_healthy_environments_of_a_cluster_have_no_finding_but_ok(cluster_sandbox: PracticeSandbox):
    for environment in ("cargo", "devops"):
        body = diagnose(cluster_sandbox, environment)
        assert body["status"] == "healthy"
        assert {f["status"] for f in body["findings"] if f["code"].startswith(("CRG1", "CRG8"))} == {"ok"}


@CLUSTER
def test_the_local_case_stays_apart_from_pods_which_have_a_dns_of_their_own(cluster_sandbox: PracticeSandbox):
    broken_and_healed(cluster_sandbox, "domain-unresolved-local")


@CLUSTER
def test_an_unknown_domain_stays_the_operators_although_pods_know_it(cluster_sandbox: PracticeSandbox):
    cluster_sandbox.break_("domain-unresolved")
    try:
        body = diagnose(cluster_sandbox, "cargo")
        assert body["root_causes"] == ["CRG101"]
        assert finding(body, "CRG806")["consequence_of"] == ["CRG101"]
        assert finding(body, "CRG801")["status"] == "ok"
    finally:
        cluster_sandbox.heal("domain-unresolved")


@CLUSTER
def test_the_operators_and_the_pipelines_fault_are_both_found(cluster_sandbox: PracticeSandbox):
    cluster_sandbox.break_("domain-unresolved")
    cluster_sandbox.break_("domain-unresolved-pipeline")
    try:
        assert diagnose(cluster_sandbox, "cargo")["root_causes"] == ["CRG101", "CRG801"]
    finally:
        cluster_sandbox.heal("domain-unresolved-pipeline")
        cluster_sandbox.heal("domain-unresolved")


@CLUSTER
def test_what_cargo_token_writes_about_a_wrong_password_is_read_with_its_meaning(cluster_sandbox: PracticeSandbox):
    login = cluster_sandbox.run("docker", "login", CARGO, "-u", "alice", "--password-stdin", input="wrong")
    assert login.returncode == 1
    body = diagnose(cluster_sandbox, "cargo")
    assert body["root_causes"] == []
    links = finding(body, "CRG810")["chain"]
    [said] = [link for link in links if link["rule"].endswith("password incorrect, username: alice")]
    assert said["consequence"] == "The password was wrong (speaks for CRG501, CRG506)"
    assert finding(body, "CRG811")["status"] == "ok"

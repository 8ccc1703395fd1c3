"""The sandbox with its Kubernetes cluster, as the engineer on operator meets it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from cargo_sandbox.lab import wait_for_front
from cargo_sandbox.paths import state_folder
from cargo_sandbox.topology import SITES
from tests.practice import Done, PracticeSandbox
from tests.waiting import until

pytestmark = [pytest.mark.sandbox, pytest.mark.cluster, pytest.mark.slow]

CARGO = "cargo.caicloudprivatetest.com"
PRIVATE = f"{CARGO}/devops_test-cargo/node:8.9-alpine"

# Runs on operator. Prints one JSON observation a line.
SCRIPT = """
import json, sys
from functools import partial
from cargo_runbook.connections import LiveConnections
from cargo_runbook.inventory.credentials import login_of
from cargo_runbook.inventory.loader import find_inventory, load_environment
from cargo_runbook.observations import KubeCommand, Place, Vantage, observation_to_json
from cargo_runbook.secret import Redactor
environment = load_environment("cargo", find_inventory())
live = LiveConnections(environment, partial(login_of, environment), Redactor())
for context, *args in json.loads(sys.argv[1]):
    vantage = Vantage(Place.OPERATOR, context or environment.kubernetes.context)
    print(json.dumps(observation_to_json(live.ask(KubeCommand(vantage=vantage, args=tuple(args), deadline=20)))))
live.close()
"""


def kubectl(sandbox: PracticeSandbox, *args: str, context: str = "practice", input: str | None = None) -> Done:
    return sandbox.run("kubectl", f"--context={context}", *args, input=input)


def in_pipeline(sandbox: PracticeSandbox, *argv: str) -> Done:
    return kubectl(sandbox, "exec", "deploy/pipeline", "--", *argv)


def set_myhosts(sandbox: PracticeSandbox, text: str) -> None:
    patch = json.dumps({"data": {"myhosts": text}})
    done = kubectl(sandbox, "-n", "kube-system", "patch", "cm", "kube-dns", "--type=merge", "-p", patch)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def myhosts(cluster_sandbox: PracticeSandbox) -> Iterator[str]:
    """What cluster DNS knows; put back, with its effect, after the test."""
    path = "jsonpath={.data.myhosts}"
    text = kubectl(cluster_sandbox, "-n", "kube-system", "get", "cm", "kube-dns", "-o", path).stdout
    yield text
    set_myhosts(cluster_sandbox, text)
    until(lambda: in_pipeline(cluster_sandbox, "getent", "hosts", CARGO).stdout.startswith("203.0.113.14 "))


def test_status_and_inventory_say_that_there_is_a_cluster(cluster_sandbox: PracticeSandbox):
    assert json.loads(cluster_sandbox.cli("status", "--json").stdout)["cluster"] is True
    assert "cluster: kubectl contexts practice, other\n" in cluster_sandbox.cli("status").stdout
    shown = json.loads(cluster_sandbox.run("cargo-runbook", "env", "show", "cargo", "--json").stdout)
    assert shown["kubernetes"]["context"] == "practice"
    assert shown["kubernetes"]["namespace"] == "default"


def test_up_with_a_cluster_refuses_a_sandbox_that_has_none(sandbox: PracticeSandbox):
    done = sandbox.cli("up", "--cluster")
    assert done.returncode == 2
    assert f"the sandbox '{sandbox.name}' runs without a cluster" in done.stderr
    assert json.loads(sandbox.cli("status", "--json").stdout)["up"] is True


def test_a_record_names_the_cluster_by_its_uid_and_its_api_server(cluster_sandbox: PracticeSandbox):
    reports = "/home/engineer/reports-of-cluster"
    done = cluster_sandbox.run("cargo-runbook", "run", "00_triage", "--env", "cargo", "--json", "--reports", reports)
    record = json.loads(done.stdout)["record"]
    shown = cluster_sandbox.run("cargo-runbook", "records", "show", record, "--json", "--reports", reports)
    targets = json.loads(shown.stdout)["targets"]
    uid = kubectl(cluster_sandbox, "get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}").stdout
    assert targets["clusters"] == {"practice": {"uid": uid, "server": "https://203.0.113.20:6443"}}
    assert targets["registries"][f"https://{CARGO}"].startswith("v1.4")
    assert {"cargo host cargo", "node master"} <= set(targets["clocks"])
    assert max(map(abs, targets["clocks"].values())) < 2
    assert {"cargo", "master"} <= set(targets["hosts"])


def test_the_only_node_is_master_and_it_is_ready(cluster_sandbox: PracticeSandbox):
    lines = kubectl(cluster_sandbox, "get", "nodes", "--no-headers").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["master", "Ready"]]


def test_the_services_look_as_in_the_guide(cluster_sandbox: PracticeSandbox):
    line = kubectl(cluster_sandbox, "get", "svc", "cargo-token", "--no-headers").stdout
    assert re.fullmatch(r"cargo-token +NodePort +198\.51\.100\.\d+ +<none> +8081:30099/TCP +\S+\n", line)
    dns = kubectl(cluster_sandbox, "-n", "kube-system", "get", "svc", "kube-dns", "-o", "jsonpath={.spec.clusterIP}")
    assert dns.stdout == "198.51.100.100"


def test_the_node_port_answers_tengines_health_check(cluster_sandbox: PracticeSandbox):
    url = "http://203.0.113.20:30099/registryproxy/v2"
    good = cluster_sandbox.run("curl", "-sS", "-H", f"X-Cargo: {CARGO}", "-w", " %{http_code}", url)
    assert good.stdout.endswith(" 200")
    other = cluster_sandbox.run("curl", "-sS", "-H", "X-Cargo: nope.example", "-w", " %{http_code}", url)
    assert other.stdout.endswith(" 400")


def test_cargo_admin_answers_where_it_does_without_a_cluster(cluster_sandbox: PracticeSandbox):
    done = cluster_sandbox.run(
        "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "http://203.0.113.20:8080/healthcheck"
    )
    assert done.stdout == "200"


def test_a_platform_user_logs_in_and_pulls_with_the_token_service_in_the_pod(cluster_sandbox: PracticeSandbox):
    words = ["docker", "login", CARGO, "-u", "alice", "--password-stdin"]
    login = cluster_sandbox.run(*words, input=cluster_sandbox.password("alice"))
    assert login.stdout == "Login Succeeded\n", login.stderr
    pulled = cluster_sandbox.run("docker", "pull", PRIVATE)
    assert pulled.stdout.splitlines()[-1] == PRIVATE
    log = kubectl(cluster_sandbox, "logs", "deploy/cargo-token").stdout
    assert "grant 'user' to project 'devops_test-cargo'" in log
    # Without the pod nobody of the platform gets in: it is this one that answers.
    assert kubectl(cluster_sandbox, "scale", "deploy/cargo-token", "--replicas=0").returncode == 0
    try:
        until(lambda: cluster_sandbox.run(*words, input=cluster_sandbox.password("alice")).returncode == 1)
    finally:
        kubectl(cluster_sandbox, "scale", "deploy/cargo-token", "--replicas=1")
        done = kubectl(cluster_sandbox, "rollout", "status", "deploy/cargo-token", "--timeout=100s")
    assert done.returncode == 0, done.stderr
    # Each tengine finds the service again by itself: those of the other Cargos some seconds after this one's.
    for each in SITES:
        wait_for_front(state_folder(cluster_sandbox.name), each, seconds=60)
    assert cluster_sandbox.run(*words, input=cluster_sandbox.password("alice")).returncode == 0


def test_a_pipeline_pod_resolves_by_cluster_dns_and_reaches_the_registry(cluster_sandbox: PracticeSandbox):
    assert "nameserver 198.51.100.100\n" in in_pipeline(cluster_sandbox, "cat", "/etc/resolv.conf").stdout
    known = in_pipeline(cluster_sandbox, "getent", "hosts", CARGO)
    assert known.stdout.split() == ["203.0.113.14", CARGO]
    answer = in_pipeline(
        cluster_sandbox, "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", f"https://{CARGO}/v2/"
    )
    assert answer.stdout == "401", answer.stderr


def test_a_name_that_myhosts_does_not_know_is_nxdomain_in_the_pod(cluster_sandbox: PracticeSandbox):
    name = "old-cargo.caicloudprivatetest.com"
    done = in_pipeline(cluster_sandbox, "nslookup", name)
    assert done.returncode == 1
    assert f"** server can't find {name}: NXDOMAIN" in done.stdout
    assert "198.51.100.100" in done.stdout


def test_an_edit_of_myhosts_reaches_the_pod_and_leaves_the_machines_alone(
    cluster_sandbox: PracticeSandbox, myhosts: str
):
    name = "new-cargo.caicloudprivatetest.com"
    assert in_pipeline(cluster_sandbox, "getent", "hosts", name).returncode == 2
    set_myhosts(cluster_sandbox, f"{myhosts}203.0.113.14 {name}\n")
    until(lambda: in_pipeline(cluster_sandbox, "getent", "hosts", name).stdout.split() == ["203.0.113.14", name])
    assert cluster_sandbox.on("master", "getent", "hosts", name).returncode == 2
    set_myhosts(cluster_sandbox, "")
    until(lambda: in_pipeline(cluster_sandbox, "getent", "hosts", CARGO).returncode == 2)
    assert cluster_sandbox.on("master", "getent", "hosts", CARGO).stdout.startswith("203.0.113.14 ")


def test_the_other_context_is_another_cluster_without_cargo_token(cluster_sandbox: PracticeSandbox):
    services = kubectl(cluster_sandbox, "get", "svc", "-A", "-o", "name", context="other").stdout.split()
    assert services == ["service/kubernetes"]
    done = kubectl(cluster_sandbox, "get", "svc", "cargo-token", context="other")
    assert done.stderr == 'Error from server (NotFound): services "cargo-token" not found\n'
    uid = ("get", "ns", "kube-system", "-o", "jsonpath={.metadata.uid}")
    assert kubectl(cluster_sandbox, *uid).stdout != kubectl(cluster_sandbox, *uid, context="other").stdout


def test_rights_are_checked(cluster_sandbox: PracticeSandbox):
    config_map = ("-n", "kube-system", "get", "cm", "kube-dns")
    done = kubectl(cluster_sandbox, *config_map, "--as=viewer")
    assert done.returncode == 1
    assert 'User "viewer" cannot get resource "configmaps"' in done.stderr
    address = "https://203.0.113.20:6443/api/v1/namespaces/default/secrets"
    assert '"code": 403' in cluster_sandbox.run("curl", "-sk", address).stdout


def test_a_stale_copy_of_the_config_map_is_refused(cluster_sandbox: PracticeSandbox, myhosts: str):
    read = kubectl(cluster_sandbox, "-n", "kube-system", "get", "cm", "kube-dns", "-o", "json").stdout
    set_myhosts(cluster_sandbox, f"{myhosts}203.0.113.14 meanwhile.{CARGO}\n")
    done = kubectl(cluster_sandbox, "replace", "-f", "-", input=read)
    assert done.returncode == 1
    assert "the object has been modified; please apply your changes to the latest version and try again" in done.stderr


def test_the_connection_asks_the_context_that_is_named_and_leaves_the_current_one(cluster_sandbox: PracticeSandbox):
    current = ("kubectl", "config", "current-context")
    try:
        assert cluster_sandbox.run("kubectl", "config", "use-context", "other").returncode == 0
        get = ("get", "svc", "cargo-token", "-o", "json")
        done = cluster_sandbox.run("python", "-c", SCRIPT, json.dumps([["", *get], ["nope", *get]]))
        right, wrong = (json.loads(line) for line in done.stdout.splitlines())
        assert (right["status"], right["exit_code"]) == ("answered", 0)
        assert json.loads(right["output"])["spec"]["ports"][0]["nodePort"] == 30099
        assert (wrong["status"], wrong["data"]["reason"]) == ("error", "no_context")
        assert cluster_sandbox.run(*current).stdout == "other\n"
    finally:
        cluster_sandbox.run("kubectl", "config", "use-context", "practice")


def test_secrets_of_the_cluster_stay_out_of_argument_vectors_and_logs(cluster_sandbox: PracticeSandbox):
    password = cluster_sandbox.password("cargo-admin")
    seen = cluster_sandbox.on(
        "master", "sh", "-c", "cat /var/log/*.log /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"
    ).stdout
    assert "kube-apiserver" in seen
    assert password not in seen
    modes = cluster_sandbox.on(
        "master", "sh", "-c", "stat -c '%a %n' /etc/kubernetes/*.conf /etc/kubernetes*/pki/*.key"
    ).stdout
    assert {line.split()[0] for line in modes.splitlines()} == {"600"}
    assert cluster_sandbox.run("stat", "-c", "%a", "/home/engineer/.kube/config").stdout == "600\n"

"""Where CoreDNS serves the cluster: planned, done, the answer in the pod really changes, and it is taken back.

The API server, the kubelet that brings the ConfigMap into the pod, the service and the client in the pipeline's pod are
real; CoreDNS itself is the sandbox's stand-in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandbox.fixing import fix, fixed, healthy, roots
from tests.waiting import until

pytestmark = [pytest.mark.sandbox, pytest.mark.cluster, pytest.mark.slow]

CARGO = "cargo.caicloudprivatetest.com"
ENTRY = f"        203.0.113.14 {CARGO}\n"
K3S = "203.0.113.20 master\n"


@dataclass(frozen=True)
class Form:
    """How CoreDNS is set up, and which key gets the entry."""

    target: str
    change: Callable[[str], str] = lambda corefile: corefile
    nodes: str = ""
    custom: bool = False


FORMS = {
    "hosts block": Form("configmap/coredns Corefile"),
    "NodeHosts of k3s": Form(
        "configmap/coredns NodeHosts",
        change=lambda corefile: corefile.replace("hosts {", "hosts /etc/coredns/NodeHosts {\n        reload 2s"),
        nodes=K3S,
    ),
    "coredns-custom": Form(
        f"configmap/coredns-custom {CARGO}.server",
        change=lambda corefile: f"{corefile}import /etc/coredns/custom/*.server\n",
        custom=True,
    ),
}


def kubectl(sandbox: Any, *words: str) -> str:
    done = sandbox.run("kubectl", "-n", "kube-system", *words)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def data(sandbox: Any) -> str:
    """All that CoreDNS is set up by."""
    names = ("configmap/coredns", "configmap/coredns-custom")
    return kubectl(sandbox, "get", *names, "--ignore-not-found", "-o", "jsonpath={.items[*].data}")


def known(sandbox: Any) -> bool:
    return CARGO in sandbox.run("kubectl", "exec", "deploy/pipeline", "--", "getent", "hosts", CARGO).stdout


@pytest.fixture(scope="module")
def coredns(running_cluster: Any) -> Iterator[Any]:
    """The sandbox's cluster with CoreDNS in the place of kube-dns."""
    sandbox = running_cluster
    admin = ("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf")
    kubectl(sandbox, "scale", "deploy/kube-dns", "--replicas=0")
    try:
        sandbox.on("master", *admin, "apply", "-f", "/etc/kubernetes/coredns.yml")
        kubectl(sandbox, "rollout", "status", "deploy/coredns", "--timeout=100s")
        until(lambda: known(sandbox))
        yield sandbox
    finally:
        kubectl(sandbox, "delete", "deploy/coredns", "configmap/coredns", "--ignore-not-found")
        kubectl(sandbox, "scale", "deploy/kube-dns", "--replicas=1")
        kubectl(sandbox, "rollout", "status", "deploy/kube-dns", "--timeout=100s")
    assert healthy(sandbox, "cargo")


@pytest.fixture
def unknown(coredns: Any, request: pytest.FixtureRequest) -> Iterator[tuple[Any, Form]]:
    """CoreDNS set up in that form, without the entry of Cargo's domain."""
    form = FORMS[request.param]
    first = kubectl(coredns, "get", "configmap/coredns", "-o", "jsonpath={.data.Corefile}")
    corefile = form.change(first.replace(ENTRY, ""))
    assert ENTRY in first

    def put(values: dict[str, str | None]) -> None:
        kubectl(coredns, "patch", "configmap/coredns", "--type=merge", "-p", json.dumps({"data": values}))

    if form.custom:
        kubectl(coredns, "create", "configmap", "coredns-custom")
    put({"Corefile": corefile, **({"NodeHosts": form.nodes} if form.nodes else {})})
    try:
        until(lambda: not known(coredns))
        yield coredns, form
    finally:
        put({"Corefile": first, "NodeHosts": None})
        kubectl(coredns, "delete", "configmap/coredns-custom", "--ignore-not-found")
        until(lambda: known(coredns))


@pytest.mark.parametrize("unknown", FORMS, indirect=True)
def test_an_entry_in_coredns_is_proven_by_the_pods_own_look_up_and_taken_back(unknown: tuple[Any, Form]) -> None:
    sandbox, form = unknown
    before = data(sandbox)
    plan = fixed(sandbox, "CRG803", "--env", "cargo")
    assert plan["plan"] == "coredns-hosts"
    (action,) = plan["actions"]
    assert action["target"] == f"kube-system {form.target}"
    added = [line for line in action["diff"].splitlines()[2:] if line[0] in "+-"]
    assert any(line.split() == ["+", "203.0.113.14", CARGO] or CARGO in line for line in added)
    assert [line for line in added if line[0] == "-"] == []

    if form.target.endswith("Corefile"):
        kubectl(sandbox, "annotate", "configmap/coredns", "seen=yes", "--overwrite")
        refused = fix(sandbox, "CRG803", "--env", "cargo", "--confirm", plan["digest"])
        assert refused.returncode == 2, "bound to the object's version"
        plan = fixed(sandbox, "CRG803", "--env", "cargo")
    done = fixed(sandbox, "CRG803", "--env", "cargo", "--confirm", plan["digest"])
    assert (done["proof"], done["applied"]) == ("proven", True)
    assert "203.0.113.14" in done["after"]["calls"][0]["output"]
    assert fixed(sandbox, "CRG803", "--env", "cargo")["actions"] == []
    fixed(sandbox, "--env", "cargo", "--rollback", done["change"])
    assert data(sandbox) == before
    until(lambda: not known(sandbox))
    if form.target.endswith("Corefile"):
        assert roots(sandbox, "cargo") == (1, ["CRG803"]), "the fault is back"

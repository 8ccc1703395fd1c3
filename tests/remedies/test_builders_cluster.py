"""Where CoreDNS gets an entry, by how it is set up, and where none is offered."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cargo_runbook.connections.config_maps import KeyState
from cargo_runbook.errors import ConnectionFailed
from cargo_runbook.facts.cluster_dns import ClusterDns, Implementation
from cargo_runbook.facts.matrix import Matrix
from cargo_runbook.inventory.models import Environment
from cargo_runbook.remedies.actions import KeyEdit
from cargo_runbook.remedies.builders import cluster
from cargo_runbook.remedies.workbench import NoRemedy, Workbench

NAME, ADDRESS = "cargo.example", "192.0.2.14"
BLOCK = ".:53 {\n    hosts {\n        192.0.2.9 other\n        fallthrough\n    }\n    reload\n}\n"
K3S = BLOCK.replace("hosts {", "hosts /etc/coredns/NodeHosts {")
CUSTOM = f"{BLOCK}import /etc/coredns/custom/*.server\n"


def planned(monkeypatch: pytest.MonkeyPatch, keys: dict[str, str | None], served_by: Implementation) -> KeyEdit:
    """The only action of the plan; `keys`: `OBJECT KEY` -> value, None where the object has no such key."""

    def read_key(context: str, namespace: str, name: str, key: str) -> KeyState:
        if not any(each.startswith(f"{name} ") for each in keys):
            raise ConnectionFailed(f"configmap/{name} could not be read")
        return KeyState(context, namespace, name, key, keys.get(f"{name} {key}"), "7")

    monkeypatch.setattr(cluster, "read_key", read_key)
    body = {"name": "e", "domain": NAME, "hosts": [{"name": "h", "address": ADDRESS}], "kubernetes": {"context": "c"}}
    matrix = Matrix.__new__(Matrix)
    object.__setattr__(matrix, "cluster", ClusterDns(implementation=served_by))
    gathered: Any = SimpleNamespace(concerns={"matrix": matrix}, path=SimpleNamespace(addresses=(ADDRESS,)))
    nothing: Any = None
    bench = Workbench(Environment.model_validate(body), nothing, (), gathered, nothing, nothing)
    (action,) = cluster.coredns_hosts(bench).actions
    assert isinstance(action, KeyEdit)
    return action


@pytest.mark.parametrize(
    ("keys", "target"),
    [
        ({"coredns Corefile": BLOCK}, "coredns Corefile"),
        ({"coredns Corefile": K3S}, "coredns Corefile"),
        ({"coredns Corefile": K3S, "coredns NodeHosts": "192.0.2.1 node\n"}, "coredns NodeHosts"),
        (
            {"coredns Corefile": K3S.replace("        fallthrough\n", ""), "coredns NodeHosts": ""},
            "coredns NodeHosts",
        ),
        ({"coredns Corefile": K3S.replace("    reload\n", ""), "coredns NodeHosts": ""}, "coredns NodeHosts"),
        ({"coredns Corefile": CUSTOM, "coredns-custom other.server": "x"}, f"coredns-custom {NAME}.server"),
    ],
    ids=["hosts block", "no such file", "NodeHosts", "no fallthrough", "no reload", "coredns-custom"],
)
def test_the_entry_goes_where_coredns_reads_it(
    monkeypatch: pytest.MonkeyPatch, keys: dict[str, str | None], target: str
) -> None:
    action = planned(monkeypatch, keys, Implementation.COREDNS)
    assert f"{action.before.name} {action.before.key}" == target
    assert f"{ADDRESS} {NAME}" in (action.after or "")
    for line in (keys.get(target) or "").splitlines():
        assert line in (action.after or "").splitlines()


@pytest.mark.parametrize(
    ("keys", "served_by", "why"),
    [
        ({"coredns Corefile": BLOCK}, Implementation.KUBE_DNS, "does not serve this cluster"),
        ({"coredns Corefile": BLOCK.replace("    reload\n", "")}, Implementation.COREDNS, "no plugin reload"),
        (
            {"coredns Corefile": CUSTOM.replace("    reload\n", ""), "coredns-custom x": "x"},
            Implementation.COREDNS,
            "no plugin reload",
        ),
        ({"coredns Corefile": BLOCK.replace("        fallthrough\n", "")}, Implementation.COREDNS, "no fallthrough"),
        ({"coredns Corefile": CUSTOM}, Implementation.COREDNS, "that ConfigMap can't be read"),
    ],
)
def test_where_it_would_have_no_effect_or_do_harm_it_is_refused_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, keys: dict[str, str | None], served_by: Implementation, why: str
) -> None:
    with pytest.raises(NoRemedy, match=why):
        planned(monkeypatch, keys, served_by)

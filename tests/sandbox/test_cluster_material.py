"""Keys, kubeconfigs and objects of the sandbox's cluster, as they are before it starts."""

from __future__ import annotations

import base64
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from ruamel.yaml import YAML

from cargo_runbook.inventory.loader import load_all
from cargo_sandbox.cluster import material, node
from cargo_sandbox.material.image import IMAGES, REPOSITORY
from cargo_sandbox.material.prepare import prepare
from cargo_sandbox.paths import StateFolder
from cargo_sandbox.topology import MASTER, machines

PROGRAMS = Path("/var/cache/kubernetes-programs")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    state = StateFolder("unit", tmp_path_factory.mktemp("state") / "below")
    prepare(state, PROGRAMS)
    return state


def config(file: Path) -> dict[str, Any]:
    body: dict[str, Any] = YAML(typ="safe").load(file.read_text())
    return body


def certificate(encoded: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(base64.b64decode(encoded))


def test_the_environments_name_the_context_of_their_cluster(state: StateFolder):
    for environment in load_all(state.inventory):
        assert environment.kubernetes is not None
        assert (environment.kubernetes.context, environment.kubernetes.namespace) == ("practice", "default")


def test_operator_has_two_contexts_of_two_clusters(state: StateFolder):
    body = config(state.files("operator") / "home/engineer/.kube/config")
    assert body["current-context"] == "practice"
    servers = {each["name"]: each["cluster"] for each in body["clusters"]}
    assert {name: each["server"] for name, each in servers.items()} == {
        "practice": "https://203.0.113.20:6443",
        "other": "https://203.0.113.20:7443",
    }
    assert len({each["certificate-authority-data"] for each in servers.values()}) == 2
    for user in body["users"]:
        authority = certificate(servers[user["name"]]["certificate-authority-data"])
        certificate(user["user"]["client-certificate-data"]).verify_directly_issued_by(authority)


@pytest.mark.parametrize(
    ("file", "user", "groups"), [(name, user, groups) for name, (user, *groups) in material.CLIENTS.items()]
)
def test_each_program_is_the_user_that_rbac_knows(state: StateFolder, file: str, user: str, groups: list[str]):
    body = config(state.files("master") / f"etc/kubernetes/{file}.conf")
    subject = certificate(body["users"][0]["user"]["client-certificate-data"]).subject
    assert [each.value for each in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [user]
    assert [each.value for each in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == groups


def test_the_api_servers_certificate_holds_every_address_that_it_is_reached_by(state: StateFolder):
    for folder in ("kubernetes", "kubernetes-other"):
        pem = (state.files("master") / f"etc/{folder}/pki/apiserver.crt").read_bytes()
        names = (
            x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        )
        assert {str(each) for each in names.get_values_for_type(x509.IPAddress)} >= {MASTER.address, "127.0.0.1"}


def test_every_key_and_kubeconfig_is_readable_by_its_owner_only(state: StateFolder):
    secret = [path for path in state.path.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    secret += [path for path in state.path.rglob("*") if path.is_file() and b"client-key-data" in path.read_bytes()]
    assert {path.name for path in secret} >= {"config", "admin.conf", "apiserver.key", "service-accounts.key"}
    assert [path for path in secret if stat.S_IMODE(path.stat().st_mode) != 0o600] == []


def test_every_pod_runs_an_image_that_the_sandbox_makes(state: StateFolder):
    text = (state.files("master") / "etc/kubernetes/objects.yml").read_text()
    text += "---\n" + (state.files("master") / "etc/kubernetes/coredns.yml").read_text()
    objects = list(YAML(typ="safe").load_all(text))
    asked = set(re.findall(rf"{re.escape(REPOSITORY)}/(\S+)", text)) | set(
        re.findall(rf"{re.escape(REPOSITORY)}/(\S+)", " ".join(node.commands(PROGRAMS)["kubelet"]))
    )
    assert asked == {
        "cargo-token:v1.4.1",
        "cargo-admin:v1.4.1",
        "kube-dns-dnsmasq:1.14.8",
        "coredns:1.8.0",
        "pipeline-tools:1.0",
        "pause:3.2",
    }
    cargo = {"tengine:2.1.0", "registry:2.8.2", "harbor-ui:v1.4.1", "harbor-jobservice:v1.4.1"}
    assert asked | cargo == {image.tag for image in IMAGES}
    hosts = next(each for each in objects if each["kind"] == "ConfigMap" and each["metadata"]["name"] == "kube-dns")
    assert "203.0.113.14 cargo.caicloudprivatetest.com\n" in hosts["data"]["myhosts"]


def test_only_with_a_cluster_master_has_a_docker_daemon():
    assert {each.name for each in machines(cluster=True)} - {each.name for each in machines(cluster=False)} == set()
    assert [each.dockerd for each in machines(cluster=True) if each.name == "master"] == [True]
    assert [each.dockerd for each in machines(cluster=False) if each.name == "master"] == [False]

"""Keys, certificates, kubeconfigs and objects of the practice cluster, made at each start; and of the other cluster."""

from __future__ import annotations

import base64
import io
import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from string import Template

from ruamel.yaml import YAML

from cargo_sandbox import topology
from cargo_sandbox.material import pki
from cargo_sandbox.material.files import write, write_secret
from cargo_sandbox.material.image import REPOSITORY
from cargo_sandbox.topology import MASTER

FOLDER = "/etc/kubernetes"
OTHER_FOLDER = "/etc/kubernetes-other"
OBJECTS = f"{FOLDER}/objects.yml"
COREDNS = f"{FOLDER}/coredns.yml"
ADMIN = f"{FOLDER}/admin.conf"
# First address of the service network: the API server itself.
API_SERVICE = "198.51.100.1"
API_NAME = "kubernetes.default.svc"
ENGINEERS = "cargo-engineers"

# Who talks to the API server: file -> (user, groups). The names are those of kubeadm, to which RBAC's own roles are bound.
CLIENTS: Mapping[str, tuple[str, ...]] = {
    "admin": ("kubernetes-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager",),
    "scheduler": ("system:kube-scheduler",),
    "kubelet": (f"system:node:{MASTER.name}", "system:nodes"),
    "kube-proxy": ("system:kube-proxy",),
}

# root on this computer may lack CAP_SYS_RESOURCE, without which no process can be made less likely to be killed.
RUNC = "/usr/local/sbin/runc-keeps-oom-score"
_RUNC = """\
#!/bin/sh
previous=
for word in "$@"; do
    if [ "$previous" = --bundle ] && [ -e "$word/config.json" ]; then
        sed -i 's/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/' "$word/config.json"
    fi
    previous=$word
done
exec runc "$@"
"""


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def kubeconfig(contexts: Mapping[str, tuple[int, pki.Certified, pki.Certified]]) -> str:
    """A kubeconfig whose current context is the first.

    Args:
        contexts: name -> port of the API server on master, its CA, the client's certificate.
    """
    clusters: list[dict[str, object]] = []
    users: list[dict[str, object]] = []
    named: list[dict[str, object]] = []
    for name, (port, authority, client) in contexts.items():
        server = {"server": f"https://{MASTER.address}:{port}"}
        server["certificate-authority-data"] = _b64(authority.certificate_pem)
        user = {"client-certificate-data": _b64(client.certificate_pem), "client-key-data": _b64(client.key_pem)}
        clusters.append({"name": name, "cluster": server})
        users.append({"name": name, "user": user})
        named.append({"name": name, "context": {"cluster": name, "user": name}})
    body = {"apiVersion": "v1", "kind": "Config", "current-context": next(iter(contexts))}
    text = io.StringIO()
    YAML().dump(body | {"clusters": clusters, "users": users, "contexts": named}, text)
    return text.getvalue()


def _api_server(root: Path, folder: str, authority: pki.Certified) -> None:
    """What every API server needs: its certificate, the CA of its clients, the key of its service accounts."""
    here = root / folder.lstrip("/") / "pki"
    server = pki.server_certificate(authority, API_NAME, addresses=(MASTER.address, API_SERVICE, "127.0.0.1"))
    write(here / "ca.crt", authority.certificate_pem)
    write(here / "apiserver.crt", server.certificate_pem)
    write_secret(here / "apiserver.key", server.key_pem)
    # A certificate is one of the forms in which the API server takes a public key; nothing else of it counts.
    accounts = pki.client_certificate(authority, "service-accounts")
    write(here / "service-accounts.crt", accounts.certificate_pem)
    write_secret(here / "service-accounts.key", accounts.key_pem)
    kubelets = pki.client_certificate(authority, "kube-apiserver-kubelet-client", "system:masters")
    write(here / "kubelet-client.crt", kubelets.certificate_pem)
    write_secret(here / "kubelet-client.key", kubelets.key_pem)


def objects(ca: bytes) -> str:
    """The objects of the cluster, as YAML.

    Args:
        ca: the CA of the Cargos' domains, for pipelines.
    """
    hosts = [f"{site.address} {site.domain}" for site in topology.SITES]
    values = {
        "myhosts": textwrap.indent("\n".join(hosts), " " * 4),
        "repository": REPOSITORY,
        "zone": topology.ZONE,
        "cluster_dns": topology.CLUSTER_DNS,
        "master": MASTER.address,
        "token_port": str(topology.TOKEN_PORT),
        "admin_port": str(topology.ADMIN_PORT),
        "ca_files": json.dumps({"ca.crt": ca.decode()}),
    }
    return Template((Path(__file__).parent / "objects.yml").read_text()).substitute(values)


def coredns() -> str:
    """The objects of a CoreDNS that can take the place of kube-dns, as YAML; it knows the Cargos' domains."""
    lines = [f"{site.address} {site.domain}" for site in topology.SITES]
    values = {
        "hosts": textwrap.indent("\n".join(lines), " " * 12).removeprefix(" " * 4),
        "repository": REPOSITORY,
        "zone": topology.ZONE,
    }
    return Template((Path(__file__).parent / "coredns.yml").read_text()).substitute(values)


def prepare(master: Path, operator_home: Path, *, ca: bytes) -> None:
    """Write all files of both clusters, below the roots of master and of operator's home.

    Args:
        ca: the CA of the Cargos' domains.
    """
    authority = pki.certificate_authority("Practice cluster CA")
    other = pki.certificate_authority("Other cluster CA")
    _api_server(master, FOLDER, authority)
    _api_server(master, OTHER_FOLDER, other)
    for name, (user, *groups) in CLIENTS.items():
        client = pki.client_certificate(authority, user, *groups)
        text = kubeconfig({"practice": (topology.API_PORT, authority, client)})
        write_secret(master / f"{FOLDER}/{name}.conf".lstrip("/"), text)
    contexts = {
        topology.CONTEXT: (topology.API_PORT, authority, pki.client_certificate(authority, "engineer", ENGINEERS)),
        topology.OTHER_CONTEXT: (
            topology.OTHER_API_PORT,
            other,
            pki.client_certificate(other, "engineer", "system:masters"),
        ),
    }
    write_secret(operator_home / ".kube/config", kubeconfig(contexts))
    (operator_home / ".kube").chmod(0o700)
    write(master / OBJECTS.lstrip("/"), objects(ca))
    write(master / COREDNS.lstrip("/"), coredns())
    write(master / RUNC.lstrip("/"), _RUNC, mode=0o755)

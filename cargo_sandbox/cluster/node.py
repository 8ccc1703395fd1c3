"""What master runs when the sandbox has a cluster: the argument vectors of Kubernetes' programs, and what they need."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cargo_sandbox import topology
from cargo_sandbox.cluster.material import FOLDER, OTHER_FOLDER, RUNC
from cargo_sandbox.material.image import REPOSITORY
from cargo_sandbox.topology import MASTER

DOCKERD = ("--add-runtime", f"patched={RUNC}", "--default-runtime", "patched")

# kubelet sets these for the whole computer, which is not ours to change; it leaves alone what has its value already.
KERNEL = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
# Started again when it ends, as on a real machine.
_KEEP = 'while :; do "$@"; echo "$1 ended with exit code $?"; sleep 1; done'
_WAIT_FOR_API = f'until curl -fs -o /dev/null --cacert "$1" "$2"; do sleep 0.1; done; shift 2; {_KEEP}'


def prepare_machine() -> None:
    """Before anything starts, on master: the values that kubelet wants to see, and the way to services."""
    for name, value in KERNEL.items():
        shown = Path("/run/kernel") / name
        shown.parent.mkdir(parents=True, exist_ok=True)
        shown.write_text(f"{value}\n")
        subprocess.run(("mount", "--bind", str(shown), f"/proc/sys/{name}"), check=True)
    # Without a route (there is no default one) a packet to a service would be refused before it is redirected.
    subprocess.run(("ip", "route", "add", topology.SERVICE_NETWORK, "dev", "eth0"), check=True)


def _etcd(name: str, port: int) -> list[str]:
    client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
    return [
        *("etcd", "--name", name, "--data-dir", f"/var/lib/{name}", "--log-level", "warn"),
        *("--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer),
        *("--initial-advertise-peer-urls", peer, "--initial-cluster", f"{name}={peer}"),
    ]


def _api_server(programs: Path, folder: str, port: int, etcd: int) -> list[str]:
    keys = f"{folder}/pki"
    return [
        *("sh", "-c", _KEEP, "sh"),
        str(programs / "kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        f"--advertise-address={MASTER.address}",
        f"--secure-port={port}",
        f"--tls-cert-file={keys}/apiserver.crt",
        f"--tls-private-key-file={keys}/apiserver.key",
        f"--client-ca-file={keys}/ca.crt",
        f"--kubelet-client-certificate={keys}/kubelet-client.crt",
        f"--kubelet-client-key={keys}/kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--service-cluster-ip-range={topology.SERVICE_NETWORK}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={keys}/service-accounts.crt",
        f"--service-account-signing-key-file={keys}/service-accounts.key",
    ]


def _after_api(*argv: str) -> list[str]:
    """A program that starts as soon as the API server is ready."""
    ready = f"https://127.0.0.1:{topology.API_PORT}/readyz"
    return ["sh", "-c", _WAIT_FOR_API, "sh", f"{FOLDER}/pki/ca.crt", ready, *argv]


def commands(programs: Path) -> dict[str, list[str]]:
    """The programs of the cluster's only node, and the other cluster's API server: name -> argument vector.

    Args:
        programs: the folder that `cargo_sandbox.cluster.build` has made.
    """
    return {
        "etcd": _etcd("etcd", 2379),
        "kube-apiserver": _api_server(programs, FOLDER, topology.API_PORT, 2379),
        "kube-controller-manager": _after_api(
            str(programs / "kube-controller-manager"),
            f"--kubeconfig={FOLDER}/controller-manager.conf",
            f"--service-account-private-key-file={FOLDER}/pki/service-accounts.key",
            f"--root-ca-file={FOLDER}/pki/ca.crt",
            "--use-service-account-credentials=true",
            "--controllers=*,-nodeipam,-route,-cloud-node-lifecycle,-csrsigning,-csrapproving,-csrcleaner",
            *("--leader-elect=false", "--node-monitor-period=1s", "--port=0"),
            *("--kube-api-qps=200", "--kube-api-burst=400"),
        ),
        "kube-scheduler": _after_api(
            str(programs / "kube-scheduler"),
            f"--kubeconfig={FOLDER}/scheduler.conf",
            *("--leader-elect=false", "--port=0"),
        ),
        "kubelet": _after_api(
            str(programs / "kubelet"),
            f"--kubeconfig={FOLDER}/kubelet.conf",
            *(f"--hostname-override={MASTER.name}", f"--node-ip={MASTER.address}"),
            *("--container-runtime=docker", "--docker-endpoint=unix:///run/docker.sock", "--cgroup-driver=cgroupfs"),
            f"--pod-infra-container-image={REPOSITORY}/pause:3.2",
            *("--cgroups-per-qos=false", "--enforce-node-allocatable=", "--oom-score-adj=0", "--fail-swap-on=false"),
            # A full disk of this computer is no reason to throw away images that nobody can pull again.
            *("--eviction-hard=", "--image-gc-high-threshold=100"),
            *(f"--cluster-dns={topology.CLUSTER_DNS}", "--cluster-domain=cluster.local"),
            *("--anonymous-auth=false", f"--client-ca-file={FOLDER}/pki/ca.crt"),
            *("--authorization-mode=AlwaysAllow", "--read-only-port=0"),
            # Real ones take a minute to notice a changed ConfigMap: too long for practice.
            *("--sync-frequency=5s", "--node-status-update-frequency=1s"),
        ),
        "kube-proxy": _after_api(
            str(programs / "kube-proxy"),
            f"--kubeconfig={FOLDER}/kube-proxy.conf",
            *(f"--hostname-override={MASTER.name}", "--proxy-mode=iptables", "--oom-score-adj=0"),
            # Limits of the whole computer are not ours to change.
            *("--conntrack-max-per-core=0", "--conntrack-min=0"),
            *("--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0"),
        ),
        # Nobody waits for these: they take what the others leave.
        "other-etcd": ["nice", "-n", "15", *_etcd("other-etcd", 12379)],
        "other-kube-apiserver": [
            "nice",
            "-n",
            "15",
            *_api_server(programs, OTHER_FOLDER, topology.OTHER_API_PORT, 12379),
        ],
    }

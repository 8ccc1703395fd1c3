"""All that a sandbox is made of before it starts: keys, passwords, and the files of each machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from cargo_sandbox import topology
from cargo_sandbox.cluster import material as cluster
from cargo_sandbox.machines.rootfs import layout_for
from cargo_sandbox.material import balancer, pki
from cargo_sandbox.material.cargo_admin_data import cargo_admin_data
from cargo_sandbox.material.files import write, write_secret
from cargo_sandbox.material.installation import install
from cargo_sandbox.material.inventory import write_inventory
from cargo_sandbox.paths import StateFolder
from cargo_sandbox.topology import MACHINES, OPERATOR, PLATFORM_ROLES, SITES, CargoSite, Machine

DNS_RECORDS = "/etc/cargo-sandbox/records"
DNSMASQ = f"""\
no-resolv
no-hosts
listen-address={topology.NAME_SERVER}
bind-interfaces
addn-hosts={DNS_RECORDS}
local=/{topology.ZONE}/
log-queries
log-facility=/var/log/queries.log
pid-file=/run/dnsmasq.pid
"""
PROMPT = "PS1='[\\u@{name} \\W]\\$ '\n"


def prepare(state: StateFolder, programs: Path | None = None) -> None:
    """Fill the state folder. It must not exist yet; everything in it is readable by its owner only.

    Args:
        programs: the folder with Kubernetes' programs when the sandbox shall have a cluster.
    """
    state.path.mkdir(parents=True, mode=0o700)
    if programs:
        write(state.cluster_mark, f"{programs}\n")
    for folder in (state.private, state.log, state.mounts, state.inventory, state.faults):
        folder.mkdir(mode=0o700)
    for machine in topology.machines(cluster=programs is not None):
        state.files(machine.name).mkdir(parents=True)
        write(state.machine(machine.name) / "layout.json", layout_for(machine, state).to_json())
        if machine.dockerd:
            state.docker(machine.name).mkdir()
    ca = pki.certificate_authority(f"Practice Cargo CA ({state.name})")
    signer = pki.token_signer("harbor-token-issuer")
    write_secret(state.private / "ca.key", ca.key_pem)
    passwords = {f"{site.name}-admin": pki.password() for site in SITES}
    passwords |= {user: pki.password() for user in PLATFORM_ROLES}
    write_inventory(state.inventory, SITES, ca=ca.certificate_pem, passwords=passwords, cluster=programs is not None)
    _ssh(state)
    _basics(state, ca.certificate_pem)
    _dns(state.files("dns"))
    _master(state.files("master"), signer, passwords)
    cargo_admin_data(state.files("master"), ca=ca.certificate_pem, passwords=passwords)
    if programs:
        cluster.prepare(state.files("master"), _home(state, OPERATOR), ca=ca.certificate_pem)
    # For the fault in which a front shows a certificate of the right CA for another name.
    another = pki.server_certificate(ca, f"another.{topology.ZONE}")
    for site in SITES:
        for host in site.hosts:
            kept = state.files(host) / "etc/cargo-sandbox"
            write(kept / "another-name.crt", another.certificate_pem)
            write_secret(kept / "another-name.key", another.key_pem)
        install(
            state.files(site.hosts[0]),
            site,
            server=pki.server_certificate(ca, site.domain),
            signer=signer,
            ca=ca.certificate_pem,
            admin_password=passwords[f"{site.name}-admin"],
            peers={topology.site(peer).domain: passwords[f"{peer}-admin"] for peer in site.replicates_to},
        )
        if site.model == "ha":
            _on_all_hosts(state, site)
            write(state.files(site.front) / balancer.CONFIGURATION.lstrip("/"), balancer.configuration(site))


def _on_all_hosts(state: StateFolder, site: CargoSite) -> None:
    """The other hosts of a Cargo get what the first one has; its data is moved to where all of them see it."""
    first, *others = (state.files(host) / topology.INSTALLATION.lstrip("/") for host in site.hosts)
    shared = state.shared(site.name)
    shared.parent.mkdir(parents=True)
    (first / shared.name).rename(shared)
    for other in others:
        shutil.copytree(first, other)


def discard(state: StateFolder) -> None:
    """Remove the state folder, and the folder of all sandboxes when it was the last one."""
    if state.path.exists():
        shutil.rmtree(state.path)
    try:
        state.root.rmdir()
    except OSError:
        return


def _home(state: StateFolder, machine: Machine) -> Path:
    return state.files(machine.name) / machine.home.lstrip("/")


def _ssh(state: StateFolder) -> None:
    """A host key for each machine, the engineer's key, and what ssh on operator must know about them."""
    engineer = pki.ssh_key()
    known, aliases = [], []
    for machine in MACHINES:
        host = pki.ssh_key()
        folder = state.files(machine.name) / "etc/ssh"
        write_secret(folder / "ssh_host_ed25519_key", host.private)
        write(folder / "ssh_host_ed25519_key.pub", f"{host.public} {machine.name}\n")
        write_secret(_home(state, machine) / ".ssh/authorized_keys", f"{engineer.public} engineer\n")
        known.append(f"{machine.name},{machine.address} {host.public}\n")
        aliases.append(
            f"Host {machine.name}\n  HostName {machine.address}\n  User root\n"
            "  IdentityFile ~/.ssh/id_ed25519\n  StrictHostKeyChecking yes\n"
        )
    folder = _home(state, OPERATOR) / ".ssh"
    write_secret(folder / "id_ed25519", engineer.private)
    write(folder / "id_ed25519.pub", f"{engineer.public} engineer\n")
    write(folder / "known_hosts", "".join(known))
    write(folder / "config", "\n".join(aliases))
    for machine in MACHINES:
        (_home(state, machine) / ".ssh").chmod(0o700)


def _basics(state: StateFolder, ca: bytes) -> None:
    for machine in MACHINES:
        etc = state.files(machine.name) / "etc"
        write(etc / "hostname", f"{machine.name}\n")
        write(etc / "hosts", f"127.0.0.1\tlocalhost\n{machine.address}\t{machine.name}\n")
        write(etc / "resolv.conf", f"nameserver {topology.NAME_SERVER}\n")
        write(etc / "nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\n")
        write(_home(state, machine) / ".bashrc", PROMPT.format(name=machine.name))
        if machine.dockerd:
            for site in SITES:
                write(etc / "docker/certs.d" / site.domain / "ca.crt", ca)


def _dns(root: Path) -> None:
    records = [f"{site.address} {site.domain}\n" for site in SITES]
    write(root / DNS_RECORDS.lstrip("/"), "".join(records))
    write(root / "etc/cargo-sandbox/dnsmasq.conf", DNSMASQ)


def _master(root: Path, signer: pki.Certified, passwords: dict[str, str]) -> None:
    registries = {
        site.domain: {
            "name": site.name,
            "username": "admin",
            "password": passwords[f"{site.name}-admin"],
            "address": site.address,
        }
        for site in SITES
    }
    accounts = {user: {"password": passwords[user]} for user in PLATFORM_ROLES}
    token = root / "etc/cargo-token"
    write_secret(token / "private_key.pem", signer.key_pem)
    write_secret(token / "cluster.json", json.dumps({"registries": registries, "accounts": accounts}, indent=1))

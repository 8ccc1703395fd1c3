"""Hosts files (`hosts(5)`): of machines and, bind-mounted by Docker, of containers."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True)
class HostsEntry:
    """One line: an address, its names, and the line's number (from 1)."""

    address: str
    names: tuple[str, ...]
    line: int


def read_hosts(text: str) -> tuple[HostsEntry, ...]:
    """The entries of a hosts file, in its order. Comments, blank lines and lines without a name are passed over."""
    entries = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#", 1)[0].split()
        if len(words) > 1:
            entries.append(HostsEntry(words[0], tuple(w.lower().rstrip(".") for w in words[1:]), number))
    return tuple(entries)


def addresses_of(entries: tuple[HostsEntry, ...], name: str) -> tuple[str, ...]:
    """The addresses that the entries give for exactly `name`, in order."""
    wanted = name.lower().rstrip(".")
    return tuple(entry.address for entry in entries if wanted in entry.names)


def is_loopback(address: str) -> bool:
    """Whether an address of a hosts file leads back to the machine (or container) itself."""
    try:
        return ip_address(address.split("%")[0]).is_loopback
    except ValueError:
        return False


def token_service_entries(entries: tuple[HostsEntry, ...]) -> tuple[HostsEntry, ...]:
    """The lines that say where Cargo looks for its token service.

    The name is `cargo-admin`, in older Cargo for example `cargo-admin.caicloudprivatetest.com` (the guide,
    使用了其他集群里的 Token Service).
    """
    return tuple(e for e in entries if any(is_token_service(n) for n in e.names))


def is_token_service(name: str) -> bool:
    """Whether Cargo means its token service by that host name, the present one or an older one with a domain."""
    return name == "cargo-admin" or name.startswith("cargo-admin.")

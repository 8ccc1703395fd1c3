"""What stands before a Cargo of several hosts: one address that takes them in turn, connection by connection."""

from __future__ import annotations

from cargo_sandbox.topology import CargoSite, machine

CONFIGURATION = "/etc/haproxy/cargo.cfg"

# No `check` and no second try: whoever is sent to a host that fails sees it fail, as behind a plain virtual address.
TEMPLATE = """\
defaults
  mode tcp
  timeout connect 3s
  timeout client 1h
  timeout server 1h
  retries 0

listen cargo
  bind {address}:443
  balance roundrobin
"""


def configuration(site: CargoSite) -> str:
    """The haproxy.cfg of the site's front."""
    servers = [f"  server {name} {machine(name).address}:443\n" for name in site.hosts]
    return TEMPLATE.format(address=site.address) + "".join(servers)

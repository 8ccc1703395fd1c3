"""The inventory of a sandbox: an environment file for each of its Cargo installations.

Relative paths count from the inventory folder, so it reads the same outside and on operator.
"""

from __future__ import annotations

from pathlib import Path

from cargo_sandbox.material.files import write, write_secret
from cargo_sandbox.topology import ADMIN_PORT, CONTEXT, MASTER, NAME_SERVER, TOKEN_PORT, CargoSite, machine

TEMPLATE = """\
# Environment of the practice installation; made anew by each `cargo-runbook sandbox up`.
name: {name}
stage: sandbox
domain: {domain}
ca: ca.crt
image: library/tiny:1
accounts:
  - username: admin
    kind: admin
    password: file:passwords/{name}-admin
  - username: alice
    kind: platform
    password: file:passwords/alice
{more_accounts}uses:
{uses}{addresses}hosts:
{hosts}name_servers:
  - {name_server}
token_service:
  address: {token_service}
  port: {token_port}
cargo_admin:
  url: http://{token_service}:{admin_port}
  roles:
    grant: {{method: PUT, path: "/api/v2/tenants/{{tenant}}/members/{{user}}", body: '{{"role": "{{role}}"}}'}}
    revoke: {{method: DELETE, path: "/api/v2/tenants/{{tenant}}/members/{{user}}"}}
contact:
  name: Cargo on-call (practice)
  how: cargo-on-call@example.com
"""
HOST = """\
  - name: {name}
    ssh: {name}
    address: {address}
"""
ADDRESSES = """\
addresses:
  - {address}
"""
# The engineer's own docker is logged in to the Cargo that has private images.
ENGINEER = """\
  - kind: platform
    password: docker-config
"""
USES = (
    ("admin", "push", "base/tools:1"),
    ("alice", "push", "devops_test-cargo/node:8.9-alpine"),
    ("docker-config", "pull", "devops_test-cargo/node:8.9-alpine"),
    ("admin", "push", "library/tiny:1"),
    ("alice", "pull", "library/tiny:1"),
)
"""What must work where the Cargo has the image: account, action, image."""
KUBERNETES = f"""\
kubernetes:
  context: {CONTEXT}
  namespace: default
  pipeline: deploy/pipeline
  nodes:
    - name: {MASTER.name}
      ssh: {MASTER.name}
      address: {MASTER.address}
"""


def environment_file(site: CargoSite) -> str:
    """The environment file of one Cargo installation."""
    uses = [
        f"  - account: {account}\n    action: {action}\n    image: {image}\n"
        for account, action, image in USES
        if image in site.images
    ]
    return TEMPLATE.format(
        more_accounts=ENGINEER if site.private_images else "",
        uses="".join(uses),
        name=site.name,
        domain=site.domain,
        addresses=ADDRESSES.format(address=site.address) if site.front not in site.hosts else "",
        hosts="".join(HOST.format(name=host, address=machine(host).address) for host in site.hosts),
        name_server=NAME_SERVER,
        token_service=machine("master").address,
        token_port=TOKEN_PORT,
        admin_port=ADMIN_PORT,
    )


def write_inventory(
    folder: Path, sites: tuple[CargoSite, ...], *, ca: bytes, passwords: dict[str, str], cluster: bool = False
) -> None:
    """Write environment files, CA and passwords.

    Args:
        cluster: whether the environments name the kubectl context of their cluster.
        passwords: `alice`, and `SITE-admin` for each site.
    """
    write(folder / "ca.crt", ca)
    for name, password in passwords.items():
        write_secret(folder / "passwords" / name, password + "\n")
    (folder / "passwords").chmod(0o700)
    for site in sites:
        text = environment_file(site) + (KUBERNETES if cluster else "")
        write(folder / f"{site.name}.yml", text)

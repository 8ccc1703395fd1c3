"""The folder /compass/cargo-ansible/cargo of a Cargo host, from templates."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from string import Template

from cargo_sandbox.material.files import write, write_secret
from cargo_sandbox.material.harbor_data import harbor_data
from cargo_sandbox.material.pki import Certified
from cargo_sandbox.material.seed import Storage
from cargo_sandbox.topology import INSTALLATION, ISSUER, MASTER, SERVICE_NAME, CargoSite

TEMPLATE = Path(__file__).parent / "template"


def render(site: CargoSite, *, http_secret: str = "") -> dict[str, str]:
    """The text files of the installation, the same on each of its hosts: path below the installation -> content."""
    values = {
        "domain": site.domain,
        "token_service": MASTER.address,
        "issuer": ISSUER,
        "service": SERVICE_NAME,
        "root": INSTALLATION,
        "model": site.model,
        "http_secret": http_secret or secrets.token_hex(16),
    }
    files = {str(path.relative_to(TEMPLATE)): path for path in sorted(TEMPLATE.rglob("*")) if path.is_file()}
    texts = {name: Template(path.read_text()).substitute(values) for name, path in files.items()}
    settings = texts[f"env-{site.model}.yml"]
    common = {name: text for name, text in texts.items() if not name.startswith("env-")}
    compose = common.pop("config/docker-compose.yml")
    return common | {f"config/docker-compose-{site.model}.yml": compose, f"env-{site.model}.yml": settings}


def install(
    root: Path,
    site: CargoSite,
    *,
    server: Certified,
    signer: Certified,
    ca: bytes,
    admin_password: str,
    peers: Mapping[str, str] | None = None,
) -> None:
    """Write the whole installation below `root`, the root of a Cargo host's file system.

    Args:
        peers: domains of the Cargos that this one may replicate to -> the password of their admin.
    """
    folder = root / INSTALLATION.lstrip("/")
    for name, text in render(site).items():
        write(folder / name, text, mode=0o755 if name.endswith(".sh") else 0o644)
    config = folder / "config"
    write(config / "nginx/cert/server.crt", server.certificate_pem)
    write_secret(config / "nginx/cert/server.key", server.key_pem)
    write(config / "registry/root.crt", signer.certificate_pem)
    write_secret(config / "ui/private_key.pem", signer.key_pem)
    here = {"domain": site.domain}
    if site.model == "ha":
        # What one host has let in the others must know, since nobody chooses whom a request gets to.
        here["sessions"] = "/data/database/sessions"
        (folder / "data/database/sessions").mkdir(parents=True, mode=0o700)
    write(config / "ui/site.json", json.dumps(here, indent=1))
    harbor_data(folder, site, admin_password, peers or {})
    write(config / f"jobservice/certs.d/{site.domain}/ca.crt", ca)
    storage = Storage(folder / "data/registry")
    for image in site.images:
        storage.image(image, {"README": f"{image} of {site.domain}\n"})

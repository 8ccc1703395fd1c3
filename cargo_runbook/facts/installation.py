"""What stands in the files of a Cargo installation, on which line, and what the running containers were made from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cargo_runbook.facts.challenge import Realm
from cargo_runbook.facts.hosts_file import is_token_service
from cargo_runbook.facts.nginx_conf import Upstream
from cargo_runbook.facts.yaml_text import read_yaml

SCRIPTS = ("restart.sh", "change-token-servce.sh", "change-token-service.sh", "change-domain.sh")
"""Scripts below the installation; the guide spells the second one so, and announces the last one."""

TOKEN_KEYS = ("cargo_token_service", "cargo_cluster_master_vip")
"""Keys of the deployment's settings that name the token service, in the guide and in a later version."""

SETTINGS = (*TOKEN_KEYS, "cargo_domain")


@dataclass(frozen=True)
class Place:
    """A value and where it stands: file, line from 1, key or name."""

    file: str
    line: int
    name: str
    value: str


@dataclass(frozen=True)
class Made:
    """What docker knows of a container: start in seconds since 1970, and the hosts entries that it was made with."""

    name: str
    started: float
    extra_hosts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class HostInstallation:
    """The installation on one host.

    Args:
        compose: entries of `extra_hosts` that name the token service. `settings`: those of SETTINGS in env files.
        auth: `token` when the registry sends clients to a realm, `htpasswd` in Harbor 2.x, "" when not read.
        realm: its line in config.yml. `checks`: the lines of nginx.conf with the domains of the health check.
        upstreams: the servers of the token service in nginx.conf.
        scripts: those of SCRIPTS that are there. `modified`: file -> time of its last change.
        not_found: name that tengine's log says it can't resolve (`host not found in upstream`).
        offered: HTTP status of the health path at each address that the compose file alone names (0: no answer).
    """

    host: str
    root: str
    compose: tuple[Place, ...] = ()
    settings: tuple[Place, ...] = ()
    files_evidence: str = ""
    auth: str = ""
    realm: Place | None = None
    config_evidence: str = ""
    checks: tuple[Place, ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    nginx_evidence: str = ""
    scripts: tuple[str, ...] = ()
    modified: Mapping[str, float] = field(default_factory=dict)
    stat_evidence: str = ""
    containers: tuple[Made, ...] = ()
    containers_evidence: str = ""
    not_found: str = ""
    log_evidence: str = ""
    offered: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    def made(self, *names: str) -> Made | None:
        """The first of these containers that docker knows."""
        return next((c for name in names for c in self.containers if c.name == name), None)


@dataclass(frozen=True)
class InstallationFacts:
    """All hosts; Harbor's version ("" when not told); what the registry itself answers behind the front.

    `direct`: the realm that the registry gives to tengine's own question, None when not asked or not read.
    `node_port`: of the Service cargo-token in the environment's cluster, 0 when not asked.
    """

    hosts: tuple[HostInstallation, ...] = ()
    version: str = ""
    version_evidence: str = ""
    direct: Realm | None = None
    direct_evidence: str = ""
    node_port: int = 0
    node_port_evidence: str = ""

    @property
    def is_harbor_2(self) -> bool:
        """Whether Harbor core, not the registry, writes the challenge (harbor 2.0: registry config has htpasswd)."""
        if self.version:
            return not self.version.lstrip("v").startswith("1.")
        return any(host.auth == "htpasswd" for host in self.hosts)


def split_files(text: str) -> dict[str, str]:
    """What `head` prints for several files: `==> PATH <==` before each one."""
    parts = re.split(r"^==> (.+) <==\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=False))


def read_compose(file: str, text: str) -> tuple[Place, ...]:
    """The entries of any service's `extra_hosts` that name the token service (compose file reference)."""
    document = read_yaml(text)
    services = document.get("services", document) if isinstance(document, Mapping) else {}
    found = []
    for service in services.values() if isinstance(services, Mapping) else ():
        entries = service.get("extra_hosts") if isinstance(service, Mapping) else None
        pairs = entries.items() if isinstance(entries, Mapping) else [str(e).split(":", 1) for e in entries or ()]
        for pair in pairs:
            name, address = (str(part).strip() for part in (*pair, "")[:2])
            if is_token_service(name):
                found.append(Place(file, _line_with(text, name, address), name, address))
    return tuple(found)


def _line_with(text: str, *words: str) -> int:
    lines = enumerate(text.splitlines(), start=1)
    return next((n for n, line in lines if all(w in line for w in words) and not line.lstrip().startswith("#")), 0)


_SETTING = re.compile(r"""^({}):[ \t]*["']?([^\s"'#]*)""".format("|".join(SETTINGS)), re.MULTILINE)


def read_settings(file: str, text: str) -> tuple[Place, ...]:
    """The deployment's settings of SETTINGS, each at the start of a line."""
    return tuple(Place(file, _line_at(text, m.start()), m.group(1), m.group(2)) for m in _SETTING.finditer(text))


_REALM = re.compile(r"""^[ \t]*realm:[ \t]*["']?([^\s"'#]+)""", re.MULTILINE)


def read_auth(file: str, text: str) -> tuple[str, Place | None]:
    """(kind of `auth`, the line of its realm) in a registry's config.yml."""
    document = read_yaml(text)
    auth = document.get("auth") if isinstance(document, Mapping) else None
    kind = next((k for k in ("token", "htpasswd") if isinstance(auth, Mapping) and k in auth), "")
    match = _REALM.search(text)
    return kind, Place(file, _line_at(text, match.start()), "realm", match.group(1)) if match else None


def _line_at(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def read_modified(text: str) -> dict[str, float]:
    """`stat -c "%Y %n"`: path -> seconds since 1970; files that are not there stand on the other stream."""
    found = {}
    for line in text.splitlines():
        seconds, _, path = line.partition(" ")
        if seconds.isdigit() and path:
            found[path] = float(seconds)
    return found


INSPECT = "{{.Name}} {{.State.StartedAt}} {{json .HostConfig.ExtraHosts}}"


def read_made(text: str) -> tuple[Made, ...]:
    """What `docker inspect --format INSPECT` prints, a container a line."""
    found = []
    for line in text.splitlines():
        words = line.split(" ", 2)
        if len(words) == 3:
            found.append(Made(words[0].lstrip("/"), _seconds(words[1]), _extra_hosts(words[2])))
    return tuple(found)


def _seconds(text: str) -> float:
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _extra_hosts(text: str) -> tuple[tuple[str, str], ...]:
    try:
        entries = json.loads(text) or ()
    except ValueError:
        return ()
    pairs = (str(entry).partition(":") for entry in entries)
    return tuple((name, address) for name, _, address in pairs)


_NOT_FOUND = re.compile(r'host not found in upstream "([^":]+)')


def read_not_found(log: str) -> str:
    """The upstream name that made nginx end (`[emerg] host not found in upstream "NAME:PORT"`); "" for none."""
    # Only the last reason counts: an older one may have been cured since.
    reasons = [line for line in log.splitlines() if "[emerg]" in line]
    name = _NOT_FOUND.search(reasons[-1]) if reasons else None
    return name.group(1) if name else ""

"""The machines of the sandbox as data: names, addresses, domains, what each one runs.

Addresses are those of documentation (RFC 5737) and benchmarks (RFC 2544), so that nothing of the sandbox can be
mistaken for a real network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

ZONE = "caicloudprivatetest.com"
PREFIX = 24
NAME_SERVER = "203.0.113.53"
TOKEN_PORT = 30099
ADMIN_PORT = 8080
INSTALLATION = "/compass/cargo-ansible/cargo"

# Containers get these: --bip is docker0, the pool feeds the compose networks (a new /24 at each restart.sh).
DOCKER_BRIDGE = "198.18.0.1/24"
DOCKER_POOL = "base=198.19.0.0/16,size=24"

# The cluster's services, its DNS, and the port on which its API server answers on master.
SERVICE_NETWORK = "198.51.100.0/24"
CLUSTER_DNS = "198.51.100.100"
API_PORT = 6443
# Another cluster, which knows nothing of Cargo: an API server and no node.
OTHER_API_PORT = 7443
CONTEXT = "practice"
OTHER_CONTEXT = "other"

# Debian's docker client comes first: a newer one below /usr/local would otherwise hide it.
MACHINE_PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin"

SERVICE_NAME = "harbor-registry"
ISSUER = "harbor-token-issuer"


@dataclass(frozen=True)
class Machine:
    """One machine: `home` is root's home on it; `dockerd` says whether it runs a Docker daemon of its own."""

    name: str
    address: str
    dockerd: bool = False
    home: str = "/root"


@dataclass(frozen=True)
class CargoSite:
    """One Cargo installation: the environment, the machine of the same name, and the domain that clients use.

    `projects` maps a project to whether it is public; `images` are repository:tag, seeded at start.
    """

    name: str
    domain: str
    projects: dict[str, bool]
    images: tuple[str, ...]


MACHINES: tuple[Machine, ...] = (
    Machine("dns", NAME_SERVER),
    Machine("master", "203.0.113.20"),
    Machine("cargo", "203.0.113.14", dockerd=True),
    Machine("devops", "203.0.113.17", dockerd=True),
    Machine("operator", "203.0.113.101", dockerd=True, home="/home/engineer"),
)

SITES: tuple[CargoSite, ...] = (
    CargoSite(
        "cargo",
        f"cargo.{ZONE}",
        {"library": True, "release": True, "devops_test-cargo": False},
        ("library/tiny:1", "devops_test-cargo/node:8.9-alpine"),
    ),
    CargoSite("devops", f"devops.{ZONE}", {"library": True, "release": True}, ("library/tiny:1",)),
)

# Accounts of the platform, as cargo-token knows them: tenant -> role type (guest: pull, user: pull and push, owner: all).
PLATFORM_ROLES: dict[str, dict[str, str]] = {"alice": {"devops": "user"}, "bob": {"devops": "guest"}}


def machines(*, cluster: bool) -> tuple[Machine, ...]:
    """The machines of a sandbox; with a cluster, master is its node and so runs a Docker daemon."""
    return tuple(replace(each, dockerd=each.dockerd or (cluster and each == MASTER)) for each in MACHINES)


def machine(name: str) -> Machine:
    """The machine called `name`.

    Raises:
        KeyError: there is none.
    """
    for candidate in MACHINES:
        if candidate.name == name:
            return candidate
    raise KeyError(name)


def site(name: str) -> CargoSite:
    """The Cargo installation of the environment `name`.

    Raises:
        KeyError: there is none.
    """
    for candidate in SITES:
        if candidate.name == name:
            return candidate
    raise KeyError(name)


MASTER = machine("master")
OPERATOR = machine("operator")

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
    """One Cargo installation: the environment, its hosts, and the domain that clients use.

    `projects` maps a project to whether it is public; `images` are repository:tag, seeded at start. `front` is the
    machine to which the domain resolves: the only host, or what stands before several. `replicates_to` are sites.
    """

    name: str
    domain: str
    projects: dict[str, bool]
    images: tuple[str, ...]
    hosts: tuple[str, ...]
    front: str
    replicates_to: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """What the domain resolves to."""
        return machine(self.front).address

    @property
    def private_images(self) -> tuple[str, ...]:
        """Those of its images that only members may pull."""
        return tuple(image for image in self.images if not self.projects[image.partition("/")[0]])

    @property
    def model(self) -> str:
        """How it is installed (`install.sh single`): part of the names of its files."""
        return "single" if len(self.hosts) == 1 else "ha"

    @property
    def compose_file(self) -> str:
        return f"{INSTALLATION}/config/docker-compose-{self.model}.yml"


MACHINES: tuple[Machine, ...] = (
    Machine("dns", NAME_SERVER),
    Machine("master", "203.0.113.20"),
    Machine("cargo", "203.0.113.14", dockerd=True),
    Machine("devops", "203.0.113.17", dockerd=True),
    Machine("ha-1", "203.0.113.31", dockerd=True),
    Machine("ha-2", "203.0.113.32", dockerd=True),
    Machine("balancer", "203.0.113.30"),
    Machine("operator", "203.0.113.101", dockerd=True, home="/home/engineer"),
)

SITES: tuple[CargoSite, ...] = (
    CargoSite(
        "cargo",
        f"cargo.{ZONE}",
        {"library": True, "release": True, "base": True, "devops_test-cargo": False},
        ("library/tiny:1", "base/tools:1", "devops_test-cargo/node:8.9-alpine"),
        hosts=("cargo",),
        front="cargo",
        replicates_to=("devops", "ha"),
    ),
    CargoSite(
        "devops",
        f"devops.{ZONE}",
        {"library": True, "release": True, "devops_test-cargo": False},
        ("library/tiny:1",),
        hosts=("devops",),
        front="devops",
        replicates_to=("cargo",),
    ),
    CargoSite(
        "ha",
        f"ha.{ZONE}",
        {"library": True, "release": True},
        ("library/tiny:1",),
        hosts=("ha-1", "ha-2"),
        front="balancer",
    ),
)

# Accounts of the platform, as cargo-token knows them: tenant -> role type (guest: pull, user: pull and push, owner: all).
PLATFORM_ROLES: dict[str, dict[str, str]] = {"alice": {"devops": "user"}, "bob": {"devops": "guest"}, "dave": {}}

# As whom the engineer's own docker on operator is logged in.
ENGINEERS_LOGIN = "bob"


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


def site_on(host: str) -> CargoSite | None:
    """The Cargo installation that runs on a machine; None when none does."""
    return next((candidate for candidate in SITES if host in candidate.hosts), None)


MASTER = machine("master")
OPERATOR = machine("operator")

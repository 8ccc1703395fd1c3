"""Does the operator's Docker daemon go through an HTTP proxy, and does that proxy let it through to the registry?

A daemon behind a proxy resolves no name itself: the proxy does (the guide's `Service Unavailable`, 本地场景).
"""

from __future__ import annotations

from cargo_runbook.facts.docker_proxy import FORMAT, ProxyFacts, read_connect, read_docker, without_user
from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import Command
from cargo_runbook.probes.asking import DEADLINE, Ask
from cargo_runbook.probes.scene import Scene

PATIENCE = 6
"""Seconds for the proxy; real ones wait about five for a name or an address that does not answer."""


def ask_proxy(scene: Scene) -> ProxyFacts:
    """The concern `proxy`."""
    return through_proxy(scene.ask, scene.environment)


def through_proxy(ask: Ask, environment: Environment) -> ProxyFacts:
    """The daemon's settings; where they name a proxy for the registry, its answer to CONNECT.

    What comes through the proxy is thrown away, and nobody logs in: a certificate that curl does not trust is no matter.
    """
    docker = read_docker(ask(Command(argv=("docker", "info", "--format", FORMAT), deadline=DEADLINE)))
    proxy = docker.proxy_for(environment.domain)
    if not proxy:
        return ProxyFacts(docker)
    place = without_user(proxy)
    url = f"https://{environment.authority}/v2/"
    argv = ("curl", "-s", "-S", "-m", str(PATIENCE), "-x", place, "--noproxy", "", "-o", "/dev/null")
    asked = ask(Command(argv=(*argv, "-w", "%{http_connect}", url), deadline=DEADLINE))
    return read_connect(docker, place, asked)

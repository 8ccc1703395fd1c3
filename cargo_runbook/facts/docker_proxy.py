"""The HTTP proxy of a Docker daemon: which registries it reaches through one, and what the proxy answers for them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from cargo_runbook.observations import Observation

FORMAT = '{"name":{{json .Name}},"https":{{json .HTTPSProxy}},"no":{{json .NoProxy}}}'
"""For `docker info --format`. Docker masks the password in a proxy's URL itself."""


@dataclass(frozen=True)
class Docker:
    """A Docker daemon: the name of its machine, and its proxy settings. `told` is False when it could not be asked."""

    told: bool
    name: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    evidence: str = ""

    def proxy_for(self, host: str) -> str:
        """URL of the proxy through which it reaches `host` over https; empty when it goes there itself."""
        if not self.https_proxy or any(_passes_by(rule, host.lower()) for rule in self.no_proxy.split(",")):
            return ""
        return self.https_proxy if "://" in self.https_proxy else f"http://{self.https_proxy}"


@dataclass(frozen=True)
class ProxyFacts:
    """What stands between the operator's Docker daemon and the registry.

    Args:
        docker: the daemon.
        proxy: the proxy's URL without its user; empty when there is none for the registry.
        status: its answer to CONNECT; 0 when there was none.
        reason: why there was none, in one word; empty when there was.
        said: what curl says then.
    """

    docker: Docker
    proxy: str = ""
    status: int = 0
    reason: str = ""
    said: str = ""
    evidence: str = ""

    @property
    def place(self) -> str:
        """Host and port of the proxy."""
        return urlsplit(self.proxy).netloc


def read_docker(observation: Observation) -> Docker:
    """The daemon's settings in the answer to `docker info --format FORMAT`."""
    if not observation.answered or observation.exit_code:
        return Docker(False, evidence=observation.id)
    try:
        body = json.loads(observation.output)
    except ValueError:
        return Docker(False, evidence=observation.id)
    if not isinstance(body, dict):
        return Docker(False, evidence=observation.id)
    name, https, no = (str(body.get(key) or "") for key in ("name", "https", "no"))
    return Docker(True, name, https, no, observation.id)


def without_user(proxy: str) -> str:
    """A proxy's URL without user name and password, as it may be asked."""
    parts = urlsplit(proxy)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


# curl(1), EXIT CODES.
_REASONS = {5: "name_not_resolved", 7: "refused", 28: "timeout", 52: "reset", 56: "reset"}


def read_connect(docker: Docker, proxy: str, observation: Observation) -> ProxyFacts:
    """What the proxy answered to CONNECT, out of `curl -x PROXY -w %{http_connect}`."""
    said = observation.error.strip()
    words = observation.output.strip()
    status = int(words) if words.isdigit() else 0
    if status:
        return ProxyFacts(docker, proxy, status, "", said, observation.id)
    if not observation.answered:
        reason = str(observation.data.get("reason", "")) or str(observation.status)
    else:
        reason = _REASONS.get(observation.exit_code or 0, "error")
    return ProxyFacts(docker, proxy, 0, reason, said, observation.id)


def _passes_by(rule: str, host: str) -> bool:
    """Whether one word of NO_PROXY covers `host` (golang.org/x/net/http/httpproxy): a name covers its subdomains."""
    rule = rule.strip().lower()
    if not rule:
        return False
    if rule == "*":
        return True
    rule = rule.rpartition(":")[0] if rule.rpartition(":")[2].isdigit() and rule.count(":") == 1 else rule
    try:
        network = ip_network(rule, strict=False)
    except ValueError:
        name = rule.removeprefix("*").removeprefix(".")
        exact = host == name and not rule.startswith((".", "*."))
        return exact or host.endswith(f".{name}")
    try:
        return ip_address(host) in network
    except ValueError:
        return False

"""What stands on the Cargo hosts: the registry's configuration, its trusted keys, and tengine's hosts file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cargo_runbook.facts.containers import read_containers
from cargo_runbook.facts.installation import INSPECT
from cargo_runbook.facts.nginx_conf import read_checked_domains
from cargo_runbook.facts.path import HostSettings
from cargo_runbook.facts.registry_config import read_token_auth
from cargo_runbook.facts.signing_key import key_ids
from cargo_runbook.facts.transport import HostFacts, read_host
from cargo_runbook.inventory.models import Environment, Host
from cargo_runbook.observations import Command, Observation, Place, Vantage
from cargo_runbook.probes.asking import DEADLINE, Ask, together


@dataclass(frozen=True)
class HostProbe:
    """Facts of all hosts, and the observation of each tengine's hosts file by host name."""

    hosts: tuple[HostFacts, ...]
    settings: tuple[HostSettings, ...]
    tengines: Mapping[str, Observation]


def config_question(host: Host) -> Command:
    """The registry's configuration on a Cargo host; asked once, whoever asks for it."""
    machine = Vantage(Place.CARGO_HOST, host.name)
    return Command(vantage=machine, argv=("cat", f"{host.root}/config/registry/config.yml"), deadline=DEADLINE)


def nginx_question(host: Host) -> Command:
    """tengine's configuration on a Cargo host; asked once, whoever asks for it."""
    machine = Vantage(Place.CARGO_HOST, host.name)
    return Command(vantage=machine, argv=("cat", f"{host.root}/config/nginx/nginx.conf"), deadline=DEADLINE)


def _questions(host: Host) -> dict[str, Command]:
    machine = Vantage(Place.CARGO_HOST, host.name)
    tengine = Vantage(Place.CONTAINER, host.name, host.tengine)
    return {
        "config": config_question(host),
        "keys": Command(vantage=machine, argv=("cat", f"{host.root}/config/registry/root.crt"), deadline=DEADLINE),
        "nginx": nginx_question(host),
        "containers": Command(
            vantage=machine, argv=("docker", "ps", "-a", "--no-trunc", "--format", "{{json .}}"), deadline=DEADLINE
        ),
        "tengine": Command(vantage=tengine, argv=("cat", "/etc/hosts"), deadline=DEADLINE),
    }


JOBSERVICE = "harbor-jobservice"
_REGISTRIES = ("harbor-registry", "registry")


def registry_container(host: Host, probe: HostProbe) -> str:
    """The name of the registry's container: Cargo's, or Harbor's own."""
    there = {c.name for settings in probe.settings if settings.host == host.name for c in settings.containers}
    return next((name for name in _REGISTRIES if name in there), _REGISTRIES[0])


def made_question(host: Host) -> Command:
    """How the containers that matter were made (see `read_made`): one question a host, whoever asks it."""
    return inspection(host, _REGISTRIES[0], JOBSERVICE)


def inspection(host: Host, *containers: str) -> Command:
    """`docker inspect` of tengine and of these containers."""
    argv = ("docker", "inspect", "--format", INSPECT, host.tengine, *containers)
    return Command(vantage=Vantage(Place.CARGO_HOST, host.name), argv=argv, deadline=DEADLINE)


def look_at_hosts(ask: Ask, environment: Environment) -> HostProbe:
    """Reads each Cargo host over SSH, all at once.

    Source: the guide, 使用错误的域名访问 (方法三) and Token Service 配置错误.
    """
    questions = {host.name: _questions(host) for host in environment.hosts}
    flat = [(name, what, q) for name, asked in questions.items() for what, q in asked.items()]
    answers = together(ask, [q for _, _, q in flat])
    seen: dict[str, dict[str, Observation]] = {}
    for (name, what, _), answer in zip(flat, answers, strict=True):
        seen.setdefault(name, {})[what] = answer
    return HostProbe(
        hosts=tuple(read_host(name, observations) for name, observations in seen.items()),
        settings=tuple(_settings(name, observations) for name, observations in seen.items()),
        tengines={name: observations["tengine"] for name, observations in seen.items()},
    )


def _settings(name: str, seen: Mapping[str, Observation]) -> HostSettings:
    def text(what: str) -> str:
        observation = seen[what]
        return observation.output if observation.answered and observation.exit_code == 0 else ""

    return HostSettings(
        host=name,
        auth=read_token_auth(text("config")),
        evidence=seen["config"].id,
        key_ids=key_ids(text("keys")),
        keys_evidence=seen["keys"].id,
        containers=read_containers(text("containers")),
        containers_evidence=seen["containers"].id,
        checked_domains=read_checked_domains(text("nginx")),
        checked_evidence=seen["nginx"].id,
    )

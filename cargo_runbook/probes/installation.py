"""What the files of the installation say, and whether the running containers were made from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from cargo_runbook.facts.installation import (
    SCRIPTS,
    HostInstallation,
    InstallationFacts,
    read_auth,
    read_compose,
    read_made,
    read_modified,
    read_not_found,
    read_settings,
    split_files,
)
from cargo_runbook.facts.installation import Place as Written
from cargo_runbook.facts.nginx_conf import read_check_lines, read_token_upstreams
from cargo_runbook.facts.registry import read_challenge_text
from cargo_runbook.facts.token_service import read_answer, read_entries
from cargo_runbook.inventory.models import Environment, Host
from cargo_runbook.observations import Command, HttpRequest, KubeCommand, Observation, Place, Vantage
from cargo_runbook.probes.asking import DEADLINE, not_recorded, together
from cargo_runbook.probes.hosts import (
    HostProbe,
    config_question,
    inspection,
    made_question,
    nginx_question,
    registry_container,
)
from cargo_runbook.probes.token_service import health_from

if TYPE_CHECKING:
    from cargo_runbook.probes.scene import Scene

VERSIONS = ("/api/systeminfo", "/api/v2.0/systeminfo")
FILES = ("config/docker-compose-single.yml", "config/docker-compose-ha.yml", "env-single.yml", "env-ha.yml")


def ask_installation(scene: Scene) -> InstallationFacts:
    """Three questions a host and one for Harbor's version; more only where something does not fit."""
    probe = scene.hosts()
    closed = {host.name for host in probe.hosts if host.reason}
    hosts = [host for host in scene.environment.hosts if host.name not in closed]
    with ThreadPoolExecutor(max_workers=2 + len(hosts)) as pool:
        version = pool.submit(_version, scene)
        port = pool.submit(_node_port, scene)
        seen = tuple(pool.map(lambda host: _host(scene, host, probe), hosts))
        facts = InstallationFacts(seen)
        told, told_evidence = version.result()
        number, number_evidence = port.result()
    facts = replace(
        facts, version=told, version_evidence=told_evidence, node_port=number, node_port_evidence=number_evidence
    )
    return _asked_directly(scene, facts)


def _host(scene: Scene, host: Host, probe: HostProbe) -> HostInstallation:
    machine = Vantage(Place.CARGO_HOST, host.name)

    def command(*argv: str) -> Command:
        return Command(vantage=machine, argv=argv, deadline=DEADLINE)

    paths = [f"{host.root}/{name}" for name in FILES]
    dated = [f"{host.root}/config/registry/config.yml", f"{host.root}/config/nginx/nginx.conf", *paths]
    scripts = [f"{host.root}/{name}" for name in SCRIPTS]
    files, stats, made, config, nginx = together(
        scene.ask,
        [
            command("head", "-n", "400", *paths),
            command("stat", "-c", "%Y %n", *dated, *scripts),
            made_question(host),
            config_question(host),
            nginx_question(host),
        ],
    )
    registry = registry_container(host, probe)
    # Records have it for the registry alone, as it is asked for one of another name.
    if not_recorded(made) or registry not in made_question(host).argv:
        made = scene.ask(inspection(host, registry))
    texts = {path.removeprefix(f"{host.root}/"): text for path, text in split_files(files.output).items()}
    modified = {path.removeprefix(f"{host.root}/"): at for path, at in read_modified(stats.output).items()}
    auth, realm = read_auth("config/registry/config.yml", _text(config))
    seen = HostInstallation(
        host=host.name,
        root=host.root,
        compose=tuple(p for name, text in texts.items() if "compose" in name for p in read_compose(name, text)),
        settings=tuple(p for name, text in texts.items() if "env" in name for p in read_settings(name, text)),
        files_evidence=files.id,
        auth=auth,
        realm=realm,
        config_evidence=config.id,
        checks=tuple(Written("config/nginx/nginx.conf", n, "X-Cargo", d) for n, d in read_check_lines(_text(nginx))),
        upstreams=read_token_upstreams(_text(nginx)),
        nginx_evidence=nginx.id,
        scripts=tuple(name for name in SCRIPTS if name in modified),
        modified=modified,
        stat_evidence=stats.id,
        containers=read_made(made.output),
        containers_evidence=made.id,
    )
    return _closer(scene, seen, host, probe)


def _closer(scene: Scene, seen: HostInstallation, host: Host, probe: HostProbe) -> HostInstallation:
    """Why tengine does not run, and what an address answers that stands in the compose file and not in tengine."""
    running = {c.name for s in probe.settings if s.host == host.name for c in s.containers if c.running}
    stopped = {c.name for s in probe.settings if s.host == host.name for c in s.containers} - running
    # One that is started again and again may run at the moment of looking.
    if host.tengine in stopped or not scene.challenge().status:
        machine = Vantage(Place.CARGO_HOST, host.name)
        log = scene.ask(
            Command(vantage=machine, argv=("docker", "logs", "--tail", "20", host.tengine), deadline=DEADLINE)
        )
        seen = replace(seen, not_found=read_not_found(f"{log.output}\n{log.error}"), log_evidence=log.id)
    used = {entry.address for name, entry in read_entries(probe.tengines) if name == host.name}
    offered = sorted({place.value for place in seen.compose} - used - {"127.0.0.1", "::1", "localhost"})
    if not used or not offered:
        return seen
    answers = together(scene.ask, [health_from(scene.environment, host.name, address) for address in offered])
    return replace(seen, offered={a: (read_answer(o), o.id) for a, o in zip(offered, answers, strict=True)})


def _text(observation: Observation) -> str:
    return observation.output if observation.answered and observation.exit_code == 0 else ""


def _version(scene: Scene) -> tuple[str, str]:
    """Harbor's version, and the evidence. Without login 1.x tells it; 2.x answers on its own path without it."""
    if scene.challenge().reason == "tls" or not scene.challenge().status:
        return "", ""
    evidence = ""
    for number, path in enumerate(VERSIONS, start=1):
        answer = scene.ask(_api(scene.environment, scene.connect_to(), path))
        evidence = answer.id
        if not answer.answered or answer.data.get("status") != 200:
            continue
        try:
            body = json.loads(answer.output)
        except ValueError:
            continue
        # A portal may answer 200 with a page: only an object with the field that both have counts.
        if isinstance(body, Mapping) and "auth_mode" in body:
            return str(body.get("harbor_version") or f"{number}.x"), evidence
    return "", evidence


def _api(environment: Environment, connect_to: str, path: str) -> HttpRequest:
    url = f"https://{environment.authority}{path}"
    return HttpRequest(url=url, connect_to=connect_to, deadline=DEADLINE)


def _node_port(scene: Scene) -> tuple[int, str]:
    cluster = scene.environment.kubernetes
    if cluster is None:
        return 0, ""
    args = ("get", "service", "cargo-token", "-n", cluster.namespace, "-o", "json")
    vantage = Vantage(Place.CLUSTER, cluster.context)
    answer = scene.ask(KubeCommand(vantage=vantage, args=args, deadline=DEADLINE))
    try:
        ports = json.loads(_text(answer))["spec"]["ports"]
        return int(ports[0].get("nodePort", 0)), answer.id
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return 0, answer.id


def _asked_directly(scene: Scene, facts: InstallationFacts) -> InstallationFacts:
    """Where the realm is not the domain in use: what the registry itself answers to tengine, past the front."""
    realm = scene.challenge().realm
    domain = scene.environment.domain.lower()
    if realm is None or realm.host == domain or facts.is_harbor_2 or not facts.hosts:
        return facts
    host = scene.environment.hosts[0]
    vantage = Vantage(Place.CONTAINER, host.name, host.tengine)
    argv = ("curl", "-s", "-S", "-i", "-m", "4", "http://registry:5000/v2/")
    answer = scene.ask(Command(vantage=vantage, argv=argv, deadline=DEADLINE))
    return replace(facts, direct=read_challenge_text(_text(answer)), direct_evidence=answer.id)

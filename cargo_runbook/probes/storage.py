"""Is there room where the registry stores layers? One question a host while there is; the rest once it gets tight."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from cargo_runbook.facts.storage import (
    STAT,
    Disk,
    HostStorage,
    StorageFacts,
    is_tight,
    read_complaints,
    read_disk,
    read_source,
    read_stat,
    read_storage_folder,
    read_volumes,
)
from cargo_runbook.inventory.models import AccountKind, Environment, Host
from cargo_runbook.observations import Command, HttpRequest, Observation, Place, Vantage
from cargo_runbook.probes.asking import DEADLINE, Ask, not_recorded, together
from cargo_runbook.probes.hosts import HostProbe, config_question, registry_container

if TYPE_CHECKING:
    from cargo_runbook.probes.scene import Scene

VOLUMES = "/api/systeminfo/volumes"
LOG_FILE = "/var/log/harbor/registry.log"
"""Where Harbor's harbor-log container writes what the registry says (docker's syslog driver)."""


def ask_storage(scene: Scene) -> StorageFacts:
    """The storage of each Cargo host."""
    probe = scene.hosts()
    hosts = scene.environment.hosts
    with ThreadPoolExecutor(max_workers=max(1, len(hosts))) as pool:
        storages = tuple(pool.map(lambda host: _storage(scene.ask, host, probe), hosts))
    if not any(is_tight(storage.disk) for storage in storages):
        return StorageFacts(storages)
    return _with_harbors_word(scene.ask, scene.environment, scene.connect_to(), StorageFacts(storages))


def _storage(ask: Ask, host: Host, probe: HostProbe) -> HostStorage:
    if any(seen.name == host.name and seen.reason for seen in probe.hosts):
        return HostStorage(host.name, unasked=True)
    config = ask(config_question(host))
    folder, elsewhere = read_storage_folder(config.output if config.exit_code == 0 else "")
    if elsewhere:
        return HostStorage(host.name, elsewhere=elsewhere, evidence=config.id)
    container = registry_container(host, probe)
    inside = _inside(ask, Vantage(Place.CONTAINER, host.name, container), folder)
    seen = HostStorage(host.name, folder=folder, inside=inside, evidence=config.id)
    return seen if inside is not None and not is_tight(inside) else _closer(ask, seen, host, container)


def _inside(ask: Ask, container: Vantage, folder: str) -> Disk | None:
    """The disk by `stat -f`. Where it is tight, or the container has no such program, by `df`, which names it too."""
    asked = ask(Command(vantage=container, argv=("stat", "-f", "-c", STAT, folder), deadline=DEADLINE))
    disk = read_stat(asked)
    if (disk is None and _is_asked_again(asked)) or is_tight(disk):
        return read_disk(*together(ask, _df(container, folder)))
    return disk


def _is_asked_again(asked: Observation) -> bool:
    """Not where the container itself is the trouble: `df` would meet the same."""
    return not_recorded(asked) or (asked.answered and not asked.data.get("reason"))


def _closer(ask: Ask, seen: HostStorage, host: Host, container: str) -> HostStorage:
    """The host's own view of the disk, and what the registry's log says."""
    machine = Vantage(Place.CARGO_HOST, host.name)

    def command(*argv: str) -> Command:
        return Command(vantage=machine, argv=argv, deadline=DEADLINE)

    mounts, *logs = together(
        ask,
        [
            command("docker", "inspect", "--format", "{{json .Mounts}}", container),
            command("docker", "logs", "--since", "1h", "--tail", "400", container),
            command("tail", "-n", "400", LOG_FILE),
        ],
    )
    source = read_source(mounts.output, seen.folder) if mounts.answered and mounts.exit_code == 0 else ""
    outside = read_disk(*together(ask, _df(machine, source))) if source else None
    found = [(log, read_complaints(log)) for log in logs]
    log, complaints = next(((log, lines) for log, lines in found if lines), found[0])
    return replace(seen, source=source, outside=outside, complaints=complaints, complaints_evidence=log.id)


def _df(vantage: Vantage, folder: str) -> tuple[Command, Command]:
    return (
        Command(vantage=vantage, argv=("df", "-P", "-k", folder), deadline=DEADLINE),
        Command(vantage=vantage, argv=("df", "-P", "-i", folder), deadline=DEADLINE),
    )


def _with_harbors_word(ask: Ask, environment: Environment, connect_to: str, facts: StorageFacts) -> StorageFacts:
    admin = environment.account(AccountKind.ADMIN)
    if admin is None:
        return facts
    question = HttpRequest(
        url=f"https://{environment.authority}{VOLUMES}",
        connect_to=connect_to,
        account=admin.username,
        deadline=DEADLINE,
    )
    answer: Observation = ask(question)
    total, free = read_volumes(answer)
    return replace(facts, harbor_total=total, harbor_free=free, harbor_evidence=answer.id)

"""What a builder of a plan has at hand: the facts of the diagnosis, and files as they are now."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cargo_runbook.connections.changing import Changing, FileState
from cargo_runbook.errors import RunbookError
from cargo_runbook.facts.lookups import read_ahosts, waited_in_vain
from cargo_runbook.findings import Finding
from cargo_runbook.inventory.models import Environment, Host
from cargo_runbook.observations import Command, HttpRequest, KubeCommand, Observation, Place, Question, Vantage
from cargo_runbook.remedies.actions import LASTING, Action, Durability, Effect, FileEdit, MadeBy, RunCommand
from cargo_runbook.steps import Gathered
from cargo_runbook.texts import Text, tell

SECONDS = 10.0


class NoRemedy(RunbookError):
    """Nothing can be offered: the sentence says why, and what to do instead."""


@dataclass
class Draft:
    """A plan that is being made."""

    actions: list[Action] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)

    def edit(
        self, before: FileState, after: str, durability: Durability = LASTING, made_by: MadeBy | None = None
    ) -> bool:
        """Adds an edit if it changes anything; whether it does. `made_by`: the script whose result it is."""
        content = after.encode("utf-8", "surrogateescape")
        if content == before.content:
            return False
        self.actions.append(FileEdit(before=before, after=content, durability=durability, made_by=made_by))
        return True


@dataclass(frozen=True)
class Workbench:
    """Looks at what a plan is made from.

    Args:
        environment: what is to be fixed.
        finding: why.
        roots: codes of all root causes of the diagnosis.
        gathered: the facts that led to it.
        ask: asks one more question; it only looks.
        changing: reads files as they are.
    """

    environment: Environment
    finding: Finding
    roots: tuple[str, ...]
    gathered: Gathered
    ask: Callable[[Question], Observation]
    changing: Changing

    def file(self, vantage: Vantage, path: str) -> FileState:
        """The file as it is now."""
        return self.changing.read(vantage, path)

    def on(self, host: Host) -> Vantage:
        """The machine itself."""
        return Vantage(Place.CARGO_HOST, host.name)

    def containers(self, host: Host, *names: str) -> dict[str, str]:
        """Name -> id of those that are there."""
        form = "{{.Name}} {{.Id}}"
        seen = self._command(host, "docker", "inspect", "--type", "container", "--format", form, *names)
        pairs = (line.lstrip("/").split(" ") for line in seen.output.splitlines())
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}

    def registry(self, host: Host) -> str:
        """Name of the registry's container."""
        return next(iter(self.containers(host, "harbor-registry", "registry")), "harbor-registry")

    def hosts_path(self, host: Host, container: str) -> str:
        """The file on the machine that the container has mounted as its /etc/hosts; empty where there is no such
        container."""
        seen = self._command(host, "docker", "inspect", "--format", "{{.HostsPath}}", container)
        path = seen.output.strip()
        return path if seen.exit_code == 0 and path.startswith("/") else ""

    def labels(self, host: Host, container: str) -> dict[str, str]:
        """The container's labels; what compose made it from stands there."""
        seen = self._command(host, "docker", "inspect", "--format", "{{json .Config.Labels}}", container)
        try:
            found = json.loads(seen.output)
        except ValueError:
            return {}
        return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}

    def owner_of(self, folder: Path) -> str:
        """uid:gid of a folder of the operator; those of this process where it is not there."""
        there = next((each for each in (folder, *folder.parents) if each.is_dir()), Path.home())
        return f"{there.stat().st_uid}:{there.stat().st_gid}"

    def resolves(self, host: Host, name: str, known: Collection[str]) -> bool:
        """Whether programs on the host resolve the name to one of these addresses, as far as can be told. A lookup that
        hangs for clients too (see `probes/matrix`) is one that fails: its name server is silent."""
        seen = self._command(host, "getent", "hosts", name)
        if waited_in_vain(seen):
            found = read_ahosts(self._command(host, "getent", "ahostsv4", name))
            return bool(set(found.addresses) & set(known))
        return not seen.answered or any(line.split()[:1] == [a] for line in seen.output.splitlines() for a in known)

    def get(self, url: str, *headers: tuple[str, str]) -> Observation:
        """A request from the operator."""
        return self.ask(HttpRequest(url=url, headers=headers, deadline=SECONDS))

    def kubectl(self, *args: str) -> Observation:
        """kubectl with the environment's context.

        Raises:
            NoRemedy: the inventory names no cluster.
        """
        cluster = self.environment.kubernetes
        if cluster is None:
            raise NoRemedy(
                tell(
                    f"{self.environment.name} names no cluster in the inventory (key kubernetes)",
                    f"环境清单没有写明 {self.environment.name} 的集群（kubernetes 字段）",
                )
            )
        return self.ask(KubeCommand(vantage=Vantage(Place.CLUSTER, cluster.context), args=args, deadline=SECONDS))

    def _command(self, host: Host, *argv: str) -> Observation:
        return self.ask(Command(vantage=self.on(host), argv=argv, deadline=SECONDS))


def compose_files(bench: Workbench, host: Host, container: str) -> tuple[str, ...]:
    """The compose files that the container was made from, by its labels; none where compose did not make it."""
    labels = bench.labels(host, container)
    files = [file for file in labels.get("com.docker.compose.project.config_files", "").split(",") if file]
    folder = labels.get("com.docker.compose.project.working_dir", f"{host.root}/config")
    return tuple(file if file.startswith("/") else f"{folder}/{file}" for file in files)


def in_place(state: FileState) -> FileState:
    """The same file, to be written in place: a container has it mounted, and would not see another one."""
    return replace(state, mounted=True)


def text_of(state: FileState) -> str:
    """The content as text; bytes that are no UTF-8 survive a round trip."""
    return (state.content or b"").decode("utf-8", "surrogateescape")


def restart(bench: Workbench, host: Host, names: Sequence[str]) -> RunCommand:
    """Restarts containers of a host, in this order."""
    return RunCommand(
        vantage=bench.on(host),
        argv=("docker", "restart", "-t", "10", *names),
        effect=Effect.RESTART,
        target=", ".join(names),
        downtime=Text("a few seconds without logins, pulls and pushes", "数秒内无法登录、拉取和推送"),
        containers=bench.containers(host, *names),
    )

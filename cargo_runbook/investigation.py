"""Looking at one environment: connections, probes, facts, rules, in this order and in no other.

Command line, notebook and batch all go through `Investigation`. It asks only what has not been asked, so a notebook
can take one check after the other while `diagnose` takes all at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Self

from cargo_runbook.concerns import CONCERNS
from cargo_runbook.connections import Evidence, ReplayConnections, open_connections, read_evidence
from cargo_runbook.errors import UsageError
from cargo_runbook.findings import CHECKS, Diagnosis, Finding
from cargo_runbook.inventory.credentials import login_of
from cargo_runbook.inventory.loader import environment_of_domain, find_inventory, load_environment
from cargo_runbook.observations import Observation, Question
from cargo_runbook.probes.scene import Scene, wanted_of
from cargo_runbook.recordings import REPLAY_VARIABLE, load_recording
from cargo_runbook.rules.triage import conclude, explain, judge
from cargo_runbook.stations import NEEDED, Stations
from cargo_runbook.texts import tell

if TYPE_CHECKING:
    from cargo_runbook.inventory.credentials import Login
    from cargo_runbook.inventory.models import Account, Environment
    from cargo_runbook.secret import Redactor
    from cargo_runbook.steps import Gathered, Step
    from cargo_runbook.tables import Table

Progress = Callable[[str], None]


class Investigation:
    """One look at one environment.

    Args:
        environment: from the inventory.
        connections: where questions go, and where what comes back is filed.
        image: repository:tag to look for instead of the inventory's.
        account: user name to look for, instead of all that the inventory says must work.
        action: pull or push; empty like `account`.
        policy: the replication policy to look at; empty for all.
        replayed: what every page says when the evidence is replayed; empty for a live look.
        concerns: names of the concerns to ask beside the path; default all.
        operation: what is said to fail (one of OPERATIONS), where `action` does not say it; it changes no question.

    Raises:
        UsageError: `image` is no repository:tag, `action` is neither pull nor push, or there is no such account.
        HostKeyError: (from `check`, `look` and `diagnose`) a host shows another key than known_hosts has.
    """

    def __init__(
        self,
        environment: Environment,
        connections: Evidence,
        *,
        image: str = "",
        account: str = "",
        action: str = "",
        policy: str = "",
        replayed: str = "",
        concerns: Collection[str] | None = None,
        operation: str = "",
    ) -> None:
        self.environment = environment
        self.replayed = replayed
        self.operation = action or operation
        self._connections = connections
        self._lock = RLock()
        self._facts: dict[str, Any] = {}
        self.concerns = [name for name in CONCERNS if concerns is None or name in concerns]
        wanted = self.wanted = wanted_of(environment, image, account, action, policy)
        path = self._path = Stations(environment, connections, wanted)
        self._scene = Scene(
            ask=connections.ask,
            environment=environment,
            wanted=wanted,
            connect_to=lambda: path.connect_to,
            front=lambda: path.front,
            names=lambda: path.names,
            hosts=lambda: path.hosts,
            challenge=lambda: path.challenge,
            tokens=lambda: path.tokens,
            neighbour=partial(environment_of_domain, folder=environment.folder),
        )

    @property
    def evidence(self) -> tuple[Observation, ...]:
        """All that was observed so far, in the order of its ids."""
        return self._connections.observations

    def observation(self, evidence_id: str) -> Observation:
        """The observation with that id.

        Raises:
            KeyError: there is none.
        """
        found = self._connections.get(evidence_id)
        if found is None:
            raise KeyError(evidence_id)
        return found

    @property
    def ask(self) -> Callable[[Question], Observation]:
        """Asks one more question, which is filed as evidence like all others. It only looks."""
        return self._connections.ask

    def gathered(self) -> Gathered:
        """The facts of all that was asked so far."""
        # Late: a diagnosis needs none of the steps.
        from cargo_runbook.steps import Gathered

        with self._lock:
            return Gathered(self.environment, self._path.gathered(), dict(self._facts))

    def check(self, name: str) -> tuple[Finding, ...]:
        """The findings of one check; what it needs is asked, the checks before it included.

        Raises: UsageError: there is no check of that name.
        """
        if name not in CHECKS:
            raise UsageError(
                tell(f"there is no check named {name!r}", f"没有名为 {name!r} 的检查"),
                next_step=tell(f"Checks: {', '.join(CHECKS)}.", f"可用的检查：{', '.join(CHECKS)}。"),
            )
        with self._lock:
            self._ask([name])
            return tuple(finding for finding in self._judged() if finding.check == name)

    def look(self, step: Step) -> tuple[tuple[Finding, ...], tuple[Table, ...]]:
        """What one step of a section shows: its findings and its tables; what it needs is asked."""
        with self._lock:
            self._ask(step.needs)
            findings = tuple(finding for finding in self._judged() if finding.code in step.codes)
        return findings, step.tables(self.gathered())

    def diagnose(self, progress: Progress | None = None) -> Diagnosis:
        """All checks and concerns, with what does not depend on each other asked at the same time."""
        started, clock = datetime.now(UTC), time.monotonic()
        tell = progress or (lambda _: None)
        path = self._path
        with self._lock, ThreadPoolExecutor(max_workers=4 + len(self.concerns)) as pool:
            hosts = pool.submit(lambda: path.hosts)
            concerns = [pool.submit(self._ask_concern, name) for name in self.concerns]
            _ = path.names
            tell("dns")
            handshake = pool.submit(lambda: path.handshake)
            challenge = pool.submit(lambda: path.challenge)
            service = pool.submit(lambda: path.token_service)
            handshake.result()
            tell("tls")
            challenge.result()
            tell("challenge")
            realm = pool.submit(lambda: path.realm_names)
            _ = path.tokens
            tell("login")
            tell("token")
            tell("project")
            _ = path.manifest
            tell("pull")
            waiting: list[Future[Any]] = [hosts, service, realm, *concerns]
            for asked in waiting:
                asked.result()
            findings = self._judged()
        return conclude(
            self.environment.name,
            self.environment.domain,
            findings,
            started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
            seconds=time.monotonic() - clock,
            replayed=self.replayed,
            operation=self.operation,
        )

    def stop(self) -> None:
        """Ends what is being asked, remote processes too: whoever asked gets `Stopped`."""
        self._connections.stop()

    def ended(self, seconds: float) -> bool:
        """After `stop`: whether nothing is being asked any more, waited for at most so long."""
        return self._connections.ended(seconds)

    def go_on(self) -> None:
        """After `stop`: what came to no answer will be asked anew."""
        with self._lock:
            self._connections.go_on()
            self._path.forget_failed()

    def follow(self, earlier: Investigation) -> None:
        """Numbers its evidence after that of an earlier look."""
        self._connections.number_from(earlier._connections.last_number)

    def close(self) -> None:
        """Ends all connections."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, needs: Iterable[str]) -> None:
        for name in needs:
            if name in self.concerns:
                self._ask_concern(name)
            for station in NEEDED.get(name, ()):
                getattr(self._path, station)

    def _ask_concern(self, name: str) -> None:
        if name not in self._facts:
            self._facts[name] = CONCERNS[name].ask(self._scene)

    def _judged(self) -> tuple[Finding, ...]:
        """All findings about what was asked so far, each consequence marked."""
        path = self._path.gathered()
        beside = [
            finding for name, facts in sorted(self._facts.items()) for finding in CONCERNS[name].judge(path, facts)
        ]
        return explain((*judge(path), *beside))


def _opened(folder: Path, name: str) -> tuple[Environment, Callable[[Account], Login]]:
    other = load_environment(name, folder)
    return other, partial(login_of, other)


def open_investigation(
    name: str,
    *,
    inventory: Path | None = None,
    image: str = "",
    account: str = "",
    action: str = "",
    policy: str = "",
    operation: str = "",
    replay: str | None = None,
    redactor: Redactor | None = None,
) -> Investigation:
    """Opens the environment of that name for a look; nothing is sent yet.

    Args:
        inventory: folder of the inventory; default as `find_inventory` has it.
        image, account, action, policy, operation: see `Investigation`.
        replay: name of a shipped recording to answer from, instead of going to any host; default from the variable
            CARGO_RUNBOOK_REPLAY. The inventory is then the recording's own.
        redactor: to share one with whatever else is shown; a new one by default.

    Raises:
        InventoryError, UnknownEnvironment, UsageError: as their sentences say.
    """
    replay = os.environ.get(REPLAY_VARIABLE, "") if replay is None else replay
    banner, concerns = "", None
    if replay:
        recording = load_recording(replay)
        banner, concerns = recording.banner, recording.concerns
        environment = load_environment(name, recording.folder)
        connections = Evidence(ReplayConnections(read_evidence(recording.evidence_file(name))))
    else:
        folder = find_inventory(inventory)
        environment = load_environment(name, folder)
        connections = open_connections(
            environment, partial(login_of, environment), redactor=redactor, neighbour=partial(_opened, folder)
        )
    wish = {"image": image, "account": account, "action": action, "policy": policy, "operation": operation}
    return Investigation(environment, connections, **wish, replayed=banner, concerns=concerns)

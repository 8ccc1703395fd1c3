"""The destination of a replication, asked from the source and from its own side: ping, tokens, keys, redirect, logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import repeat

from cargo_runbook.facts.harbor.go_error import origin
from cargo_runbook.facts.harbor.job_log import Failure, JobLog
from cargo_runbook.facts.harbor.jobs import Job, JobList
from cargo_runbook.facts.harbor.logs import FrontLog, RegistryLog, read_front_log, read_registry_log
from cargo_runbook.facts.harbor.replication import (
    Answer,
    Clock,
    Health,
    Redirect,
    TokenAnswer,
    TrustedKeys,
    read_answer,
    read_redirect,
    read_token_answer,
)
from cargo_runbook.facts.hosts_file import addresses_of, read_hosts
from cargo_runbook.facts.lookups import read_ahosts, waited_in_vain
from cargo_runbook.facts.names import Lookup
from cargo_runbook.facts.replication import (
    NameSeen,
    NodeSeen,
    NotAsked,
    SavedPolicy,
    is_address,
    read_date,
    read_name,
    troubled,
)
from cargo_runbook.facts.signing_key import key_ids
from cargo_runbook.inventory.models import Account, Environment, Host
from cargo_runbook.observations import Command, DnsQuery, HttpRequest, Observation, Place, Question, Vantage
from cargo_runbook.probes.asking import Ask, together
from cargo_runbook.probes.registry import DEFAULT_SERVICE, token_request
from cargo_runbook.probes.scene import Scene

SECONDS = 4.0
PINGS = 3
JOBSERVICE, REGISTRY = "harbor-jobservice", "harbor-registry"
# Lines of a log around the failure; both sides write whole seconds.
AROUND = timedelta(seconds=2)


_UNKNOWN = Health("destination")


@dataclass(frozen=True)
class DestinationSeen:
    """What was asked about one destination. `environment` is empty when the inventory has none with that domain."""

    environment: str = ""
    not_asked: tuple[NotAsked, ...] = ()
    health: Health = _UNKNOWN
    pings: tuple[Answer, ...] = ()
    tokens: tuple[TokenAnswer, ...] = ()
    keys: tuple[TrustedKeys, ...] = ()
    redirect: Redirect | None = None
    registry_logs: tuple[RegistryLog, ...] = ()
    front_logs: tuple[FrontLog, ...] = ()
    clocks: tuple[Clock, ...] = ()
    names: tuple[NameSeen, ...] = ()
    nodes: tuple[NodeSeen, ...] = ()
    address: str = ""


@dataclass(frozen=True)
class _Side:
    """The destination as the inventory has it, and the address to connect to where its name does not resolve here."""

    ask: Ask
    environment: Environment
    connect_to: str

    def get(self, path: str, **more: str) -> HttpRequest:
        url = f"https://{self.environment.authority}{path}"
        question = HttpRequest(url=url, connect_to=self.connect_to, deadline=SECONDS, environment=self.environment.name)
        return replace(question, **more)  # type: ignore[arg-type]

    def on(self, host: Host, *argv: str) -> Command:
        vantage = Vantage(Place.CARGO_HOST, host.name)
        return Command(vantage=vantage, argv=argv, deadline=SECONDS, environment=self.environment.name)


def look_at_destination(
    scene: Scene, admin: Account, policy: SavedPolicy, jobs: JobList, logs: Mapping[int, JobLog]
) -> DestinationSeen:
    """Everything that tells the causes of this policy's failures apart."""
    failed = list(_failures(jobs, logs))
    names = _names(scene, policy, [failure for _, failure in failed])
    # What a silent or unreachable destination says is known already, and each question to it costs its deadline.
    seen = DestinationSeen(names=names, pings=_pings(scene, admin, policy, [failure for _, failure in failed]))
    other = scene.neighbour(policy.authority)
    if not failed:
        return replace(seen, environment=other.name if other else "")
    if other is None:
        answer = scene.ask(HttpRequest(url=f"{policy.endpoint}/v2/", deadline=SECONDS))
        missing = (NotAsked.NO_ENVIRONMENT,)
        return replace(seen, redirect=read_redirect(answer), health=Health(policy.host), not_asked=missing)
    own = scene.ask(DnsQuery(name=other.domain, environment=other.name, deadline=SECONDS))
    address = (*other.addresses, other.hosts[0].address)[0]
    away = "" if own.data.get("addresses") else address
    side = _Side(scene.ask, other, away)
    return _from_its_own_side(scene, side, policy, failed, replace(seen, address=address))


def _from_its_own_side(
    scene: Scene, side: _Side, policy: SavedPolicy, failed: list[tuple[Job, Failure]], seen: DestinationSeen
) -> DestinationSeen:
    other = side.environment
    plain = HttpRequest(url=f"{policy.endpoint}/v2/", connect_to=side.connect_to, deadline=SECONDS)
    first: list[Question] = [
        side.get("/api/systeminfo"),
        side.get("/v2/"),
        replace(plain, environment=other.name),
        *(side.on(host, "cat", f"{host.root}/config/registry/root.crt") for host in other.hosts),
    ]
    info, registry, endpoint, *keys = together(side.ask, first)
    here = scene.ask(
        HttpRequest(url=f"https://{scene.environment.authority}/v2/", connect_to=scene.connect_to(), deadline=8.0)
    )
    clocks = [read_date(here, scene.environment.name), read_date(registry, other.name)]
    refused = [(job, failure) for job, failure in failed if not failure.is_network]
    tokens, not_asked = _tokens(side, policy, refused)
    registry_logs, front_logs = _logs(side, refused, _difference(clocks))
    return replace(
        seen,
        environment=other.name,
        health=Health(other.name, read_answer(info), read_answer(registry)),
        redirect=read_redirect(endpoint),
        keys=tuple(_keys(host, o) for host, o in zip(other.hosts, keys, strict=True)),
        clocks=tuple(clock for clock in clocks if clock is not None),
        tokens=tokens,
        nodes=_nodes(side, tokens),
        not_asked=not_asked,
        registry_logs=registry_logs,
        front_logs=front_logs,
    )


def _failures(jobs: JobList, logs: Mapping[int, JobLog]) -> Iterator[tuple[Job, Failure]]:
    for job in troubled(jobs):
        log = logs.get(job.id)
        if job.status in ("error", "retrying") and log is not None and log.last is not None and log.last.failure:
            yield job, log.last.failure


def _pings(scene: Scene, admin: Account, policy: SavedPolicy, failures: list[Failure]) -> tuple[Answer, ...]:
    """Several pings where an answer was refused: nodes behind one name may differ. One that goes nowhere costs time."""
    if not any(failure.error.status in (401, 403) for failure in failures):
        return ()
    questions = [
        HttpRequest(
            url=f"https://{scene.environment.authority}/api/targets/ping",
            attempt=attempt,
            method="POST",
            body=f'{{"id": {policy.target}}}',
            account=admin.name,
            connect_to=scene.connect_to(),
            deadline=SECONDS,
        )
        for attempt in range(1, PINGS + 1)
    ]
    return tuple(map(read_answer, together(scene.ask, questions)))


def _names(scene: Scene, policy: SavedPolicy, failures: list[Failure]) -> tuple[NameSeen, ...]:
    """What the endpoint's name, and one that a failure stopped at, resolve to: operator, host, tengine, jobservice."""
    wanted = [policy.host, *(origin(failure.error.url)[1] for failure in failures if failure.is_network)]
    names = [name for name in dict.fromkeys(wanted) if name and not is_address(name)]
    seen: list[NameSeen] = []
    for name in names[:2]:
        for host in scene.environment.hosts:
            places = (
                Vantage(Place.CARGO_HOST, host.name),
                Vantage(Place.CONTAINER, host.name, host.tengine),
                Vantage(Place.CONTAINER, host.name, JOBSERVICE),
            )
            questions: list[Question] = [
                Command(vantage=place, argv=argv, deadline=SECONDS)
                for place in places
                for argv in (("getent", "hosts", name), ("cat", "/etc/hosts"))
            ]
            answers = together(scene.ask, questions)
            asked = _as_clients_do(scene, name, places, answers[::2], answers[1::2])
            seen += map(read_name, repeat(name), map(str, places), asked, answers[1::2])
    return tuple(seen)


def _as_clients_do(
    scene: Scene, name: str, places: Sequence[Vantage], asked: Sequence[Observation], files: Sequence[Observation]
) -> list[Observation]:
    """What clients get where `getent hosts` waits for a silent name server although the hosts file has the name, as in
    `probes/matrix`."""
    known = [addresses_of(read_hosts(file.output), name) if file.exit_code == 0 else () for file in files]
    hung = [i for i, answer in enumerate(asked) if waited_in_vain(answer) and known[i]]
    again = together(
        scene.ask,
        [Command(vantage=places[i], argv=("getent", "ahostsv4", name), deadline=SECONDS) for i in hung],
    )
    told = {i: answer for i, answer in zip(hung, again, strict=True) if read_ahosts(answer).lookup is Lookup.RESOLVED}
    return [told.get(i, answer) for i, answer in enumerate(asked)]


def _tokens(
    side: _Side, policy: SavedPolicy, refused: list[tuple[Job, Failure]]
) -> tuple[tuple[TokenAnswer, ...], tuple[NotAsked, ...]]:
    """Tokens for the replication's user, twice, and from each node by itself where there are several."""
    if not refused:
        return (), ()
    account = next((each for each in side.environment.accounts if each.username == policy.username), None)
    if account is None:
        return (), (NotAsked.NO_ACCOUNT,)
    job, failure = refused[0]
    repository = failure.image.rsplit(":", 1)[0] or job.repository
    hosts = side.environment.hosts if len(side.environment.hosts) > 1 else ()
    places = [("", side.connect_to), ("", side.connect_to), *((host.name, host.address) for host in hosts)]
    asked: list[tuple[str, bool, Question]] = []
    for attempt, (node, address) in enumerate(places, 1):
        for scope in ({}, {"scope": f"repository:{repository}:pull,push"}):
            question = token_request(side.environment, address, account, service=DEFAULT_SERVICE, **scope)
            question = replace(question, environment=side.environment.name, deadline=SECONDS, attempt=attempt)
            asked.append((node, bool(scope), question))
    answers = together(side.ask, [question for _, _, question in asked])
    return tuple(
        read_token_answer(answer, scoped=scoped, node=node)
        for (node, scoped, _), answer in zip(asked, answers, strict=True)
    ), ()


def _nodes(side: _Side, tokens: tuple[TokenAnswer, ...]) -> tuple[NodeSeen, ...]:
    """Whether each node's registry takes the token, where several stand behind one name."""
    token = next((answer.token for answer in tokens if answer.token is not None and answer.token.reference), None)
    hosts = side.environment.hosts
    if token is None or len(hosts) < 2:
        return ()
    asked = [side.get("/v2/", bearer=token.reference, connect_to=host.address) for host in hosts]
    answers = together(side.ask, asked)
    return tuple(NodeSeen(host.name, read_answer(answer)) for host, answer in zip(hosts, answers, strict=True))


def _keys(host: Host, observation: Observation) -> TrustedKeys:
    readable = observation.answered and observation.exit_code == 0
    return TrustedKeys(host.name, key_ids(observation.output) if readable else (), observation.id)


def _difference(clocks: list[Clock | None]) -> timedelta:
    """How far the destination's clock is ahead of the source's, which wrote the times of the jobs."""
    here, there = clocks
    ahead = there.ahead - here.ahead if here is not None and there is not None else 0.0
    return timedelta(seconds=ahead if abs(ahead) > AROUND.total_seconds() else 0.0)


def _logs(
    side: _Side, refused: list[tuple[Job, Failure]], ahead: timedelta
) -> tuple[tuple[RegistryLog, ...], tuple[FrontLog, ...]]:
    """What the destination wrote while the newest failure happened; later lines come from this very look."""
    job = refused[0][0] if refused else None
    if job is None or job.updated is None or job.created is None:
        return (), ()
    since, until = job.updated - AROUND + ahead, job.updated + AROUND + ahead
    times = ("--since", _stamp(min(since, job.created + ahead)), "--until", _stamp(until))
    hosts = side.environment.hosts
    questions: list[Question] = [
        side.on(host, "docker", "logs", *times, name) for host in hosts for name in (REGISTRY, host.tengine)
    ]
    answers = together(side.ask, questions)
    texts = [(f"{o.output}\n{o.error}" if o.answered and o.exit_code == 0 else "", o.id) for o in answers]
    return (
        tuple(read_registry_log(text, evidence) for text, evidence in texts[::2] if text.strip()),
        tuple(read_front_log(text, evidence) for text, evidence in texts[1::2] if text.strip()),
    )


def _stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")

"""Each host of a Cargo of several hosts, asked by itself for what clients ask the address before them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from cargo_runbook.facts.nodes import NodeFacts, NodesFacts
from cargo_runbook.facts.registry import ChallengeFacts, read_challenge
from cargo_runbook.facts.token import read_token
from cargo_runbook.inventory.models import Environment, Host
from cargo_runbook.observations import HttpRequest, Observation
from cargo_runbook.probes.asking import DEADLINE, Ask, together
from cargo_runbook.probes.registry import (
    DEFAULT_SERVICE,
    ask_challenge,
    ask_manifest,
    pull_token_request,
    puller_of,
    shake_hands,
)
from cargo_runbook.probes.scene import Scene
from cargo_runbook.probes.token_service import ask_token_service

# How often, for each host, the address before them is asked once something is wrong. Hosts are taken in turn, but
# other clients have their turns in between.
TURNS = 3


def host_to_look_at(ask: Ask, environment: Environment) -> Host | None:
    """The host at which the path is looked at, so that a fault on one host is there each time or never.

    The first one that asks for a token, else the first one that answers at all; None when none does.
    """
    seen = _challenges(ask, environment)
    whole = [host for host, challenge in zip(environment.hosts, seen, strict=True) if challenge.status == 401]
    alive = [host for host, challenge in zip(environment.hosts, seen, strict=True) if challenge.answered]
    return next(iter([*whole, *alive]), None)


def look_at_nodes(scene: Scene) -> NodesFacts:
    """Asks every host for its certificate, challenge, token service, a token and the manifest; and their address.

    Nothing is asked where there is only one host.
    """
    hosts = scene.environment.hosts
    if len(hosts) < 2:
        return NodesFacts()
    with ThreadPoolExecutor(max_workers=len(hosts) + 1) as pool:
        front = pool.submit(_take_turns, scene)
        nodes = tuple(pool.map(partial(_look, scene), hosts))
        return NodesFacts(nodes, tuple(front.result()))


def _take_turns(scene: Scene) -> list[ChallengeFacts]:
    """What the address that clients use answers: once, and some more times when it or a host does not."""
    front = _ask_front(scene, [0])
    if all(each.answered for each in (*front, *_challenges(scene.ask, scene.environment))):
        return front
    return [*front, *_ask_front(scene, range(1, TURNS * len(scene.environment.hosts)))]


def _challenges(ask: Ask, environment: Environment) -> list[ChallengeFacts]:
    with ThreadPoolExecutor(max_workers=len(environment.hosts)) as pool:
        return list(pool.map(lambda host: ask_challenge(ask, environment, host.address), environment.hosts))


def _look(scene: Scene, host: Host) -> NodeFacts:
    ask, environment, wanted, address = scene.ask, scene.environment, scene.wanted, host.address
    handshake = shake_hands(ask, environment, address)
    challenge = ask_challenge(ask, environment, address)
    if challenge.status != 401:
        return NodeFacts(host.name, address, handshake, challenge)

    def tengine() -> dict[str, Observation]:
        return {name: seen for name, seen in scene.hosts().tengines.items() if name == host.name}

    service, puller = challenge.service or DEFAULT_SERVICE, puller_of(environment, wanted.account)
    answers = ask_token_service(ask, environment, address, tengine)
    token = read_token(ask(pull_token_request(environment, address, service, wanted.repository, puller)))
    manifest = None
    if token is not None and token.reference:
        manifest = ask_manifest(ask, environment, address, wanted.repository, wanted.tag, token)
    return NodeFacts(host.name, address, handshake, challenge, answers, token, manifest)


def _ask_front(scene: Scene, turns: Sequence[int]) -> list[ChallengeFacts]:
    """What the address that clients use answers; a number in the URL makes each turn a question of its own."""
    url = f"https://{scene.environment.authority}/v2/"
    connect_to = scene.front()
    questions = [
        HttpRequest(url=f"{url}?turn={turn}" if turn else url, connect_to=connect_to, deadline=DEADLINE)
        for turn in turns
    ]
    return [read_challenge(observation) for observation in together(scene.ask, questions)]

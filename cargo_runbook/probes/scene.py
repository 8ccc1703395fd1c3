"""What a concern may use to look: the way to ask, the environment, and what the path has asked already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cargo_runbook.facts.names import NameFacts
from cargo_runbook.facts.registry import ChallengeFacts
from cargo_runbook.inventory.models import Environment
from cargo_runbook.probes.asking import Ask
from cargo_runbook.probes.hosts import HostProbe
from cargo_runbook.probes.registry import TokenProbe


@dataclass(frozen=True)
class Wanted:
    """What the engineer wants to work.

    Args:
        repository, tag: the image.
        account: user name; empty for whoever the inventory says.
        action: pull or push.
        policy: name of a replication policy; empty for all.
        narrowed: whether image, account or action were asked for, instead of all that the inventory says must work.
    """

    repository: str
    tag: str
    account: str = ""
    action: str = "pull"
    policy: str = ""
    narrowed: bool = False


@dataclass(frozen=True)
class Scene:
    """One environment being looked at. The callables ask on their first call and then share the answer.

    Args:
        connect_to: address to connect to where the domain does not resolve, and of one host where there are several;
            else empty.
        neighbour: the environment of the inventory whose domain (host, or host:port) is meant; None when there is
            none. Its hosts and accounts are asked with `Question.environment` set to its name.
        front: the address of the inventory that clients connect to, where the domain does not lead there; else empty.
    """

    ask: Ask
    environment: Environment
    wanted: Wanted
    connect_to: Callable[[], str]
    names: Callable[[], NameFacts]
    hosts: Callable[[], HostProbe]
    challenge: Callable[[], ChallengeFacts]
    tokens: Callable[[], TokenProbe | None]
    neighbour: Callable[[str], Environment | None]
    front: Callable[[], str] = str

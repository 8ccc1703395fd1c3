"""What a concern may use to look: the way to ask, the environment, and what the path has asked already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cargo_runbook.errors import UsageError
from cargo_runbook.facts.names import NameFacts
from cargo_runbook.facts.registry import ChallengeFacts
from cargo_runbook.inventory.models import Environment
from cargo_runbook.probes.asking import Ask
from cargo_runbook.probes.hosts import HostProbe
from cargo_runbook.probes.registry import TokenProbe
from cargo_runbook.texts import tell


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


def wanted_of(environment: Environment, image: str, account: str, action: str, policy: str) -> Wanted:
    """What is wanted of an environment; what is left empty is as the inventory has it.

    Raises:
        UsageError: `image` is no repository:tag, `action` is neither pull nor push, or there is no such account.
    """
    chosen = image or environment.image
    repository, _, tag = chosen.rpartition(":")
    if not repository or not tag or "/" in tag:
        raise UsageError(
            tell(f"{chosen!r} is no image that can be looked for", f"{chosen!r} 不是可以查找的镜像"),
            next_step=tell(
                "Give it as repository:tag, for example library/tiny:1, without the registry's domain.",
                "请写成 仓库:标签，例如 library/tiny:1，不含域名。",
            ),
        )
    if action not in ("", "pull", "push"):
        raise UsageError(
            tell(f"{action!r} is no action", f"{action!r} 不是有效的操作"),
            next_step=tell("There are: pull, push.", "可用的有：pull、push。"),
        )
    known = [each.name for each in environment.accounts]
    if account and account not in known:
        listed = ", ".join(known) or "-"
        raise UsageError(
            tell(f"{environment.name} has no account {account!r}", f"{environment.name} 没有账号 {account!r}"),
            next_step=tell(f"The inventory has: {listed}.", f"环境清单中有：{listed}。"),
        )
    narrowed = bool(image or account or action)
    return Wanted(repository, tag, account, action or "pull", policy, narrowed)

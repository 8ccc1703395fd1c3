"""A plan: the exact changes that would fix a finding, bound by a digest to the state that they were made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from cargo_runbook.errors import StaleState
from cargo_runbook.pasteable import pasteable
from cargo_runbook.remedies.actions import Action, ApiCall, FileEdit, KeyEdit
from cargo_runbook.texts import Text, tell

SHORTEST = 12
"""Digits of a digest that must be given at least."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What would be done to an environment because of a finding.

    Args:
        environment, stage, code: what it is for.
        remedy: name of the remedy; empty for a plan without actions.
        actions: in the order in which they are done.
        notes: what one should know before confirming (what else has to be done by hand, what was found on the way).
        made: ISO UTC time; not part of the digest.
        host_keys: fingerprint of the SSH key of each machine on which something is done.
    """

    environment: str
    stage: str
    code: str
    remedy: str
    actions: tuple[Action, ...]
    notes: tuple[Text, ...] = ()
    made: str = ""
    host_keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def can_be_undone(self) -> bool:
        """Whether anything of it can be taken back."""
        return any(isinstance(action, FileEdit | KeyEdit) or action.undo for action in self.actions)

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """Other environments whose APIs are used to change something."""
        named = [action.request.environment for action in self.actions if isinstance(action, ApiCall)]
        return tuple(dict.fromkeys(name for name in named if name != self.environment))

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all that is done and of the state that it was made from: equal plans, equal digests."""
        body = {
            "environment": self.environment,
            "code": self.code,
            "remedy": self.remedy,
            "host_keys": dict(self.host_keys),
            "actions": [
                {
                    "effect": str(action.effect),
                    "place": str(action.vantage.place),
                    "host": action.vantage.host,
                    "target": action.target,
                    **action.bound(),
                }
                for action in self.actions
            ],
        }
        return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def confirm(self, digest: str) -> None:
        """Holds the plan against the digest that a person gave.

        Raises:
            StaleState: it is not the plan's, or is shorter than SHORTEST.
        """
        wanted = digest.lower().strip()
        if len(wanted) < SHORTEST or not self.digest.startswith(wanted):
            again = pasteable(f"cargo-runbook fix {self.code} --env {self.environment}")
            raise StaleState(
                tell(
                    f"the plan that was confirmed ({digest[:16]}) is not the one that would be done now ({self.digest[:16]})",
                    f"所确认的方案（{digest[:16]}）不是现在将要执行的方案（{self.digest[:16]}）",
                ),
                next_step=tell(
                    f"Either the digest is mistyped or something changed since. Look at the plan again: {again}",
                    f"可能是摘要输入有误，也可能此后有变化。请重新查看方案：{again}",
                ),
            )

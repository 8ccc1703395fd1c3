"""Who an environment is: stage, domain, hosts with the keys that are known of them, cluster, Cargo-Admin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text as RichText

from cargo_runbook.texts import Text
from cargo_runbook.views.notebook import View

STAGES: Mapping[str, Text] = {
    "sandbox": Text("SANDBOX", "练习环境"),
    "test": Text("TEST", "测试环境"),
    "staging": Text("STAGING", "预发布环境"),
    "production": Text("PRODUCTION", "生产环境"),
}
HOST_KEY = Text("host key", "主机密钥")
UNKNOWN_KEY = Text("no host key is known: it will be refused", "没有已知的主机密钥：将拒绝连接")
CLUSTER, REGISTRY = Text("cluster", "集群"), Text("registry", "镜像仓库")
FILE = Text("inventory", "清单文件")


def stage_word(stage: str) -> Text:
    """The word for a stage, in capitals: it must not be overlooked."""
    return STAGES.get(stage, Text(stage, stage))


@dataclass(frozen=True)
class KnownHost:
    """A machine: its name and address in the inventory, and the host keys that known_hosts has for it; None in a
    replay, which goes to no host."""

    name: str
    address: str
    keys: tuple[str, ...] | None


@dataclass(frozen=True, repr=False)
class TargetView(View):
    """What one is about to touch. `problem` says why it can't be told, in the place of all else."""

    environment: str
    stage: str = ""
    registry: str = ""
    hosts: tuple[KnownHost, ...] = ()
    cluster: str = ""
    cargo_admin: str = ""
    file: str = ""
    problem: str = ""

    template = "target.html.j2"

    @property
    def stage_word(self) -> Text:
        return stage_word(self.stage)

    def _values(self) -> Mapping[str, Any]:
        told = {
            "HOST_KEY": HOST_KEY,
            "UNKNOWN_KEY": UNKNOWN_KEY,
            "CLUSTER": CLUSTER,
            "REGISTRY": REGISTRY,
            "FILE": FILE,
        }
        return {"target": self, **told}

    def _text(self) -> RenderableType:
        if self.problem:
            return RichText(self.problem)
        word = self.stage_word
        lines = [f"  {word.en} · {word.zh}   {self.registry}"]
        for host in self.hosts:
            known = "" if host.keys is None else ", ".join(host.keys) or UNKNOWN_KEY.en
            lines.append(f"  {host.name} {host.address}   {known}".rstrip())
        lines += [f"  {label.en} {value}" for label, value in ((CLUSTER, self.cluster), (FILE, self.file)) if value]
        return Group(*map(RichText, lines))

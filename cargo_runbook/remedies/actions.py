"""The kinds of actions that a plan is made of: each says what it does, to whom, what it costs, and how it is undone."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cargo_runbook.connections.api_calls import ApiRequest, Service
from cargo_runbook.connections.changing import FileState, digest_of
from cargo_runbook.connections.config_maps import KeyState
from cargo_runbook.observations import Place, Vantage
from cargo_runbook.texts import Text


class Effect(StrEnum):
    """What an action does to those who use Cargo, from harmless to felt."""

    EDIT = "edit"
    START = "start"
    RESTART = "restart"
    RECREATE = "recreate"
    STOP_JOBS = "stop jobs"
    REPLICATE = "replicate"
    CREATE = "create"
    GRANT = "grant"


EFFECTS: Mapping[Effect, Text] = {
    Effect.EDIT: Text("edit a file", "修改文件"),
    Effect.START: Text("start a container", "启动容器"),
    Effect.RESTART: Text("restart a container", "重启容器"),
    Effect.RECREATE: Text("make a container anew", "重建容器"),
    Effect.STOP_JOBS: Text("stop replication jobs", "停止同步任务"),
    Effect.REPLICATE: Text("start a replication", "触发同步"),
    Effect.CREATE: Text("create a project", "创建项目"),
    Effect.GRANT: Text("grant a role", "分配角色"),
}


@dataclass(frozen=True)
class Durability:
    """Whether a change is still there after its container restarts, is made anew, or its machine reboots; `once` is for
    what happens and leaves nothing that could be lost."""

    restart: bool = True
    recreate: bool = True
    reboot: bool = True
    once: bool = False

    def to_json(self) -> dict[str, bool]:
        return {"restart": self.restart, "recreate": self.recreate, "reboot": self.reboot}

    def say(self) -> Text:
        """One phrase."""
        if self.once:
            return Text("done once", "只执行一次")
        kept = [
            (en, zh)
            for kept, en, zh in (
                (self.restart, "restart", "重启"),
                (self.recreate, "recreate", "重建"),
                (self.reboot, "reboot", "重启主机"),
            )
            if kept
        ]
        if not kept:
            return Text("survives nothing", "任何重启后都会失效")
        return Text(f"survives {', '.join(en for en, _ in kept)}", f"{'、'.join(zh for _, zh in kept)}后仍有效")


LASTING = Durability()
ONCE = Durability(once=True)


@dataclass(frozen=True)
class MadeBy:
    """The script of the installation that made a content: its command line, and the SHA-256 of the script."""

    command: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class FileEdit:
    """Another content for one file. `after` None takes the file away, `before.content` None makes it.

    `made_by`: the script whose result the content is; None for an edit of our own.
    """

    before: FileState
    after: bytes | None
    made_by: MadeBy | None = None
    durability: Durability = LASTING
    effect: Effect = Effect.EDIT
    downtime: Text = field(default=Text("none", "无"))

    @property
    def vantage(self) -> Vantage:
        return self.before.vantage

    @property
    def target(self) -> str:
        return self.before.path

    @property
    def after_digest(self) -> str:
        return "-" if self.after is None else digest_of(self.after)

    @property
    def inverse(self) -> Text:
        if self.before.content is None:
            return Text("the file is taken away again", "再删除该文件")
        return Text("the backup is written back", "写回备份")

    def diff(self) -> str:
        """A unified diff. Not masked yet: whoever shows it does that."""
        old, new = (
            "" if c is None else c.decode("utf-8", "backslashreplace") for c in (self.before.content, self.after)
        )
        return _unified(self.target, old, new)

    def bound(self) -> dict[str, Any]:
        """What of it goes into the digest besides what is shown."""
        made_by = {"made_by": vars(self.made_by)} if self.made_by else {}
        return {"before": self.before.digest, "after": self.after_digest, "in_place": self.before.mounted, **made_by}


def _unified(target: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), target, target, n=1)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


@dataclass(frozen=True, kw_only=True)
class RunCommand:
    """A command on a machine, bound to the containers (name -> id) that it is about.

    `undo` is the command that takes it back; empty where it only makes edits effective, and is done once more after
    they were taken back.
    """

    vantage: Vantage
    argv: tuple[str, ...]
    effect: Effect
    target: str
    downtime: Text
    containers: Mapping[str, str] = field(default_factory=dict)
    undo: tuple[str, ...] = ()
    durability: Durability = LASTING

    @property
    def inverse(self) -> Text:
        if self.undo:
            return Text(" ".join(self.undo), " ".join(self.undo))
        return Text("done once more after the edits were taken back", "撤销修改后再执行一次")

    def diff(self) -> str:
        """A command has none."""
        return ""

    def bound(self) -> dict[str, Any]:
        """The command line and the containers' ids."""
        return {"argv": list(self.argv), "containers": dict(self.containers), "undo": list(self.undo)}


@dataclass(frozen=True, kw_only=True)
class KeyEdit:
    """Another value for one key of a ConfigMap; None takes the key away."""

    before: KeyState
    after: str | None
    durability: Durability = LASTING
    effect: Effect = Effect.EDIT
    downtime: Text = field(default=Text("none", "无"))

    @property
    def vantage(self) -> Vantage:
        return Vantage(Place.CLUSTER, self.before.context)

    @property
    def target(self) -> str:
        return f"{self.before.namespace} {self.before.target}"

    @property
    def inverse(self) -> Text:
        return Text("the old value is written back", "写回原来的值")

    def diff(self) -> str:
        """A unified diff of the value. Not masked yet."""
        return _unified(self.target, self.before.value or "", self.after or "")

    def bound(self) -> dict[str, Any]:
        """What of it goes into the digest besides what is shown."""
        values = {"before": self.before.value, "after": self.after}
        return {
            **{k: "-" if v is None else digest_of(v.encode()) for k, v in values.items()},
            "version": self.before.version,
        }


@dataclass(frozen=True)
class Jobs:
    """Jobs of a replication policy that are waited for: until they are stopped, or until a start made new ones."""

    policy: int
    until: str
    seconds: float


STOPPED, STARTED = "stopped", "started"


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """A request to an API that changes something, bound to what stands there now.

    Args:
        request: what is sent. undo: what takes it back; None where nothing can.
        shown: what is there before and after, a line each, for the diff.
        waits: for jobs, after the request: an API that says 200 has only taken note (pitfalls of Harbor's stop).
    """

    request: ApiRequest
    effect: Effect
    target: str
    undo: ApiRequest | None = None
    shown: tuple[str, str] = ("", "")
    waits: Jobs | None = None
    downtime: Text = field(default=Text("none", "无"))
    durability: Durability = LASTING

    @property
    def vantage(self) -> Vantage:
        place = Place.HARBOR if self.request.service is Service.HARBOR else Place.CARGO_ADMIN
        return Vantage(place, self.request.environment)

    @property
    def inverse(self) -> Text:
        if self.undo is None:
            return Text("none: it can't be taken back", "无：无法撤销")
        said = str(self.undo)
        return Text(said, said)

    def diff(self) -> str:
        """What is there before and after; empty where the request says all."""
        before, after = self.shown
        return _unified(self.target, f"{before}\n" if before else "", f"{after}\n" if after else "")

    def bound(self) -> dict[str, Any]:
        """The request, what takes it back, and the state that both were made from."""
        undo = self.undo.to_json() if self.undo else None
        return {"request": self.request.to_json(), "undo": undo, "shown": list(self.shown)}


Action = FileEdit | KeyEdit | RunCommand | ApiCall


def place_of(vantage: Vantage) -> str:
    """The machine of an action, as it is shown."""
    if vantage.place is Place.CLUSTER:
        return f"cluster {vantage.host}"
    if vantage.place in (Place.HARBOR, Place.CARGO_ADMIN):
        return str(vantage)
    return "operator" if vantage.place is Place.OPERATOR else vantage.host

"""The faults as data: what each one changes, what the real client then prints, and how its effect is seen."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

from cargo_runbook.texts import Text, tell
from cargo_sandbox.errors import UnknownFault
from cargo_sandbox.topology import MACHINES, SITES

DATA = Path(__file__).parent / "data"


def _one_of(names: Iterable[str]) -> AfterValidator:
    known = tuple(names)

    def check(name: str) -> str:
        if name not in known:
            raise ValueError(f"{name!r} is none of {', '.join(known)}")
        return name

    return AfterValidator(check)


MachineName = Annotated[str, _one_of(machine.name for machine in MACHINES)]
EnvironmentName = Annotated[str, _one_of(site.name for site in SITES)]


_Code = Annotated[str, Field(pattern=r"^CRG\d{3}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(_Model):
    en: str
    zh: str


class Edit(_Model):
    """Replace the one place of a file where `find` stands."""

    machine: MachineName
    file: str = Field(pattern="^/")
    find: str = Field(min_length=1)
    replace: str


class Link(_Model):
    """Plug a machine's wire in or out."""

    machine: MachineName
    up: bool


class Command(_Model):
    """A command on a machine, which must end with exit code 0."""

    machine: MachineName
    command: tuple[str, ...]


class Deed(_Model):
    """A command that makes the fault, and the one that undoes it; both must end with exit code 0."""

    machine: MachineName
    do: tuple[str, ...]
    undo: tuple[str, ...]


class EditStep(_Model):
    edit: Edit


class LinkStep(_Model):
    link: Link


class DeedStep(_Model):
    deed: Deed


class RunStep(_Model):
    run: Command


class Client(_Model):
    """The call of a real client on operator that fails, and a text that it then prints (it holds no placeholder).

    `account` names the password file in the inventory that is fed to standard input.
    """

    command: tuple[str, ...]
    text: str
    account: str = ""


class Proof(_Model):
    """A quick look at the fault's effect: patterns for the output (both streams) while broken and while healthy."""

    machine: MachineName
    command: tuple[str, ...]
    broken: str
    healthy: str


class Fault(_Model):
    """One fault. `break` changes something, `apply` makes the change effective, in both directions."""

    name: str
    title: Title
    section: str = Field(description="Title of the guide's section.")
    environment: EnvironmentName
    needs: Literal["", "cluster"] = Field("", description="What the sandbox must have for it.")
    also: tuple[EnvironmentName, ...] = Field((), description="Environments that have it as well.")
    elsewhere: dict[EnvironmentName, tuple[_Code, ...]] = Field(
        {}, description="Environments that have other root causes by it."
    )
    expected_root_causes: tuple[_Code, ...]
    harmless: bool = Field(False, description="Whether all that the inventory asks for works all the same.")
    client: Client
    changes: tuple[EditStep | LinkStep | DeedStep, ...] = Field(alias="break")
    apply: tuple[RunStep, ...]
    proof: Proof

    @property
    def text(self) -> Text:
        return Text(self.title.en, self.title.zh)

    @property
    def edits(self) -> tuple[Edit, ...]:
        return tuple(step.edit for step in self.changes if isinstance(step, EditStep))

    @property
    def deeds(self) -> tuple[Deed, ...]:
        return tuple(step.deed for step in self.changes if isinstance(step, DeedStep))

    @property
    def links(self) -> tuple[Link, ...]:
        return tuple(step.link for step in self.changes if isinstance(step, LinkStep))


@functools.cache
def faults() -> tuple[Fault, ...]:
    """All faults, by name."""
    parser = YAML(typ="safe")
    return tuple(Fault.model_validate(parser.load(file)) for file in sorted(DATA.glob("*.yml")))


def fault(name: str) -> Fault:
    """The fault called `name`.

    Raises:
        UnknownFault: there is none.
    """
    for candidate in faults():
        if candidate.name == name:
            return candidate
    raise UnknownFault(
        tell(f"there is no fault {name!r}", f"没有故障 {name!r}"),
        next_step=tell(
            f"Take one of: {', '.join(known.name for known in faults())}",
            f"可选：{', '.join(known.name for known in faults())}",
        ),
    )

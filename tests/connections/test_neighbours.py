"""Questions for another environment of the inventory go to its own hosts, with its own accounts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cargo_runbook.connections import open_connections
from cargo_runbook.errors import UnknownEnvironment
from cargo_runbook.inventory.credentials import Login
from cargo_runbook.inventory.models import Account, Environment, Host
from cargo_runbook.observations import Command, HttpRequest, Place, Status, Vantage
from cargo_runbook.secret import Secret


def environment(name: str, root: Path) -> Environment:
    return Environment(
        name=name,
        domain=f"{name}.test",
        hosts=(Host(name="one", address="127.0.0.1", root=str(root)),),
        accounts=(Account(username="alice", password="env:A"),),
    )


def logins(word: str) -> Callable[[Account], Login]:
    return lambda account: Login(account.username, Secret(word))


def test_each_environment_has_its_own_folders_and_accounts(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    opened: list[str] = []

    def neighbour(name: str) -> tuple[Environment, Callable[[Account], Login]]:
        opened.append(name)
        if name != "there":
            raise UnknownEnvironment(f"no {name}")
        return environment(name, tmp_path / name), logins("their-word")

    read = ("cat", str(tmp_path / "there/file"))
    with open_connections(environment("here", tmp_path / "here"), logins("our-word"), neighbour=neighbour) as asked:
        ours = asked.ask(Command(argv=read))
        theirs = asked.ask(Command(argv=read, environment="there"))
        nobody = asked.ask(Command(argv=read, environment="nowhere"))
        foreign = asked.ask(HttpRequest(url="https://here.test/", account="alice", environment="there"))
    assert ours.status is Status.WITHHELD
    assert (theirs.status, theirs.output, theirs.question.environment) == (Status.ANSWERED, "there", "there")
    assert (nobody.status, nobody.data["reason"]) == (Status.ERROR, "unknown_environment")
    assert (foreign.status, foreign.data["reason"]) == (Status.WITHHELD, "foreign_host")
    assert opened == ["there", "nowhere"]


def test_without_neighbours_a_question_to_another_environment_is_an_error(tmp_path: Path) -> None:
    vantage = Vantage(Place.CARGO_HOST, "one")
    with open_connections(environment("here", tmp_path), logins("word")) as asked:
        seen = asked.ask(Command(argv=("hostname",), vantage=vantage, environment="there"))
    assert (seen.status, seen.data["reason"]) == (Status.ERROR, "unknown_environment")


@pytest.mark.parametrize("count", [1, 3])
def test_a_question_that_is_repeated_on_purpose_is_asked_again(tmp_path: Path, count: int) -> None:
    with open_connections(environment("here", tmp_path), logins("word")) as asked:
        for attempt in range(count):
            asked.ask(Command(argv=("hostname",), attempt=attempt))
            asked.ask(Command(argv=("hostname",), attempt=attempt))
        assert len(asked.observations) == count

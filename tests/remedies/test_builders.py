"""What a plan for a wrong domain is made of: the host's script where it does what is needed, else our own edit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from cargo_runbook.connections.changing import FileState
from cargo_runbook.connections.trial import Trial
from cargo_runbook.errors import ConnectionFailed
from cargo_runbook.facts.installation import HostInstallation, InstallationFacts, Place
from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import Vantage
from cargo_runbook.remedies.actions import FileEdit, MadeBy
from cargo_runbook.remedies.builders.domain import change_domain
from cargo_runbook.remedies.workbench import Draft, NoRemedy, Workbench

NEW, OLD = "new.example", "old.example"
CONFIG, NGINX, ENV = "config/registry/config.yml", "config/nginx/nginx.conf", "env-single.yml"
FILES = {
    CONFIG: f"auth:\n  token:\n    realm: https://{OLD}/service/token\n",
    NGINX: f'upstream t {{\n  check_http_send "GET / HTTP/1.0\\r\\nX-Cargo: {OLD}\\r\\n\\r\\n";\n}}\n',
    ENV: f"cargo_domain: {OLD}\n",
    "config/nginx/cert/server.key": "key\n",
    "change-domain.sh": "#!/bin/sh\n",
}
RIGHT = {path: FILES[path].replace(OLD, NEW).encode() for path in (CONFIG, NGINX, ENV)}
GOOD = Trial(ran=True, changed=RIGHT)


@dataclass
class Host:
    """A machine of files, on which a script ends as told."""

    files: dict[str, str]
    trials: dict[tuple[str, ...], Trial | Exception]
    tried: list[tuple[str, ...]] = field(default_factory=list)

    def read(self, vantage: Vantage, path: str) -> FileState:
        content = self.files.get(path.removeprefix("/cargo/"))
        return FileState(vantage, path, None if content is None else content.encode())

    def try_script(self, vantage: Vantage, root: str, script: str, arguments: tuple[str, ...]) -> Trial:
        self.tried.append(arguments)
        trial = self.trials[arguments]
        if isinstance(trial, Exception):
            raise trial
        return trial


def draft(
    trials: dict[tuple[str, ...], Trial | Exception], files: dict[str, str] | None = None, **facts: Any
) -> tuple[Draft, Host]:
    host = Host(FILES if files is None else files, trials)
    body = {"name": "e", "domain": NEW, "hosts": [{"name": "h", "address": "192.0.2.1", "root": "/cargo"}]}
    places = {"realm": Place(CONFIG, 3, "realm", f"https://{OLD}/service/token")}
    installation = InstallationFacts(hosts=(HostInstallation(host="h", root="/cargo", **places),), **facts)
    gathered: Any = SimpleNamespace(concerns={"installation": installation}, path=SimpleNamespace(handshake=None))
    answered: Any = SimpleNamespace(output="/harbor-registry 1\n/tengine 2\n", exit_code=0)
    bench = Workbench(
        environment=Environment.model_validate(body),
        finding=None,  # type: ignore[arg-type]
        roots=("CRG201",),
        gathered=gathered,
        ask=lambda question: answered,
        changing=host,  # type: ignore[arg-type]
    )
    return change_domain(bench), host


def edits(made: Draft) -> dict[str, tuple[bytes | None, MadeBy | None]]:
    found = [action for action in made.actions if isinstance(action, FileEdit)]
    return {edit.target.removeprefix("/cargo/"): (edit.after, edit.made_by) for edit in found}


OURS = {CONFIG: (RIGHT[CONFIG], None), NGINX: (RIGHT[NGINX], None)}


def test_what_the_script_made_is_planned_with_all_that_it_changed() -> None:
    calls = replace(GOOD, calls=("docker-compose",), added={"x.bak": b""}, copies=("x.bak",))
    made, host = draft({(NEW,): calls})
    by = MadeBy(f"/cargo/change-domain.sh {NEW}", host.read(Vantage(None, ""), "/cargo/change-domain.sh").digest)  # type: ignore[arg-type]
    assert edits(made) == {path: (RIGHT[path], by) for path in (NGINX, CONFIG, ENV)}
    assert made.actions[-1].target == "harbor-registry, tengine"
    (note,) = made.notes
    assert "the script itself does not run on the files" in note.en
    assert "docker-compose are not made" in note.en
    assert "x.bak" in note.en
    assert host.tried == [(NEW,), (NEW,)], "once more, to see whether it does the same"


def test_a_script_that_wants_the_old_domain_as_well_gets_it() -> None:
    usage = Trial(ran=True, exit_code=1, said="usage: change-domain.sh OLD NEW")
    made, _ = draft({(NEW,): usage, (OLD, NEW): GOOD})
    assert {by.command for _, by in edits(made).values() if by} == {f"/cargo/change-domain.sh {OLD} {NEW}"}


def test_without_a_script_and_without_anything_to_do_none_is_tried() -> None:
    made, host = draft({}, {path: text for path, text in FILES.items() if not path.endswith(".sh")})
    assert (edits(made), made.notes, host.tried) == (OURS, [], [])
    made, host = draft({}, {path: text.replace(OLD, NEW) for path, text in FILES.items()})
    assert (made.actions, host.tried) == ([], [])


UNFIT: dict[str, tuple[Trial | Exception, str]] = {
    "not possible": (Trial(ran=False, said="unshare: Operation not permitted"), "can't be tried there"),
    "hangs": (Trial(ran=True, exit_code=124), "does not end"),
    "killed": (Trial(ran=True, exit_code=137), "does not end"),
    "elsewhere": (replace(GOOD, elsewhere=True), "writes outside of the installation"),
    "fails": (replace(GOOD, exit_code=3, said="a\nno such file"), "ends with exit code 3 (no such file)"),
    "takes away": (replace(GOOD, gone=("config/ui/site.json",)), "takes away config/ui/site.json"),
    "another mode": (replace(GOOD, other=(NGINX,)), f"changes what {NGINX} is"),
    "a new file": (replace(GOOD, added={"config/new": b"x"}), "makes config/new"),
    "a key": (replace(GOOD, changed={**RIGHT, "config/nginx/cert/server.key": b"x"}), "which is no configuration"),
    "no YAML": (replace(GOOD, changed={**RIGHT, CONFIG: RIGHT[CONFIG] + b"  : [\n"}), "is no YAML any more"),
    "one file only": (replace(GOOD, changed={CONFIG: RIGHT[CONFIG]}), f"{NGINX} is not as it must be"),
    "another domain": (
        replace(GOOD, changed={**RIGHT, CONFIG: FILES[CONFIG].replace(OLD, "third.example").encode()}),
        f"{CONFIG} is not as it must be",
    ),
    "nothing": (Trial(ran=True), "is not as it must be"),
    "the host goes away": (ConnectionFailed("h does not answer"), "h does not answer"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_script_that_does_something_else_is_not_used_and_the_plan_says_why(name: str) -> None:
    trial, why = UNFIT[name]
    made, host = draft({(NEW,): trial, (OLD, NEW): trial})
    assert edits(made) == OURS
    again = name not in ("not possible", "hangs", "killed", "the host goes away")
    assert host.tried == ([(NEW,), (OLD, NEW)] if again else [(NEW,)]), "what costs long is tried once"
    (note,) = made.notes
    assert why in note.en
    assert note.en.endswith("The edits are our own.")
    assert "change-domain.sh (SHA-256 " in note.en


def test_a_script_that_does_something_else_each_time_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = iter(range(9))

    def each_time(*_: Any) -> Trial:
        return replace(GOOD, changed={**RIGHT, ENV: f"cargo_domain: {NEW} # {next(counted)}\n".encode()})

    monkeypatch.setattr(Host, "try_script", each_time)
    made, _ = draft({})
    assert edits(made) == OURS
    assert "makes something else each time" in made.notes[0].en


def test_on_harbor_2_the_dead_key_is_not_edited_and_it_is_said_what_to_do() -> None:
    with pytest.raises(NoRemedy, match="nobody reads `realm`") as refused:
        draft({}, version="v2.5.0")
    assert "external_url in harbor.yml" in refused.value.next_step

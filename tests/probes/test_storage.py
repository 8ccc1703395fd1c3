"""How much is asked about the registry's disk: one question while there is room, and by what names it once it is tight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cargo_runbook.facts.registry import ChallengeFacts
from cargo_runbook.facts.storage import StorageFacts, is_tight
from cargo_runbook.observations import Command, Status
from cargo_runbook.probes.scene import Scene, Wanted
from cargo_runbook.probes.storage import ask_storage
from tests.probes.installation import ENVIRONMENT, Host, probe

ROOM = "4096 3085511 3085278 3085278 3085511 3084908\n"
TIGHT = "4096 4096 0 0 4096 4000\n"
DF = "Filesystem 1024-blocks Used Available Capacity Mounted on\nregistry-disk 16384 16384 0 100% /storage\n"
DF_INODES = "Filesystem Inodes IUsed IFree IUse% Mounted on\nregistry-disk 4096 96 4000 3% /storage\n"
# What docker printed for a program that the container does not have (20.10).
NO_STAT = {"exit_code": 126, "error": 'OCI runtime exec failed: exec failed: exec: "stat": executable file not found'}


def look(stat: Mapping[str, Any]) -> tuple[StorageFacts, Host]:
    def said(question: Command) -> Mapping[str, Any] | None:
        match question.argv:
            case ("stat", "-f", *_):
                return stat
            case ("df", "-P", kind, _):
                return {"output": DF if kind == "-k" else DF_INODES}
        return None

    host = Host(said)
    scene = Scene(
        ask=host.ask,
        environment=ENVIRONMENT,
        wanted=Wanted("library/tiny", "1"),
        connect_to=str,
        names=NotImplemented,
        hosts=probe,
        challenge=lambda: ChallengeFacts(0, "", "", None, "", ""),
        tokens=lambda: None,
        neighbour=lambda _: None,
    )
    return ask_storage(scene), host


def test_a_disk_with_room_is_one_question_in_the_container() -> None:
    facts, host = look({"output": ROOM})
    assert host.words("", inside=True) == ["stat -f -c %S %b %f %a %c %d /storage"]
    (seen,) = facts.hosts
    assert not is_tight(seen.disk)


@pytest.mark.parametrize(
    "stat",
    [
        pytest.param({"output": TIGHT}, id="it is tight"),
        pytest.param(NO_STAT, id="the container has no stat"),
        pytest.param({"output": "stat: unrecognized option: f\n", "exit_code": 1}, id="its stat is another one"),
        pytest.param(
            {"status": Status.ERROR, "exit_code": None, "data": {"reason": "not_recorded"}}, id="an older record"
        ),
    ],
)
def test_df_tells_the_disk_and_its_name_where(stat: Mapping[str, Any]) -> None:
    facts, host = look(stat)
    assert host.words("df", inside=True) == ["df -P -k /storage", "df -P -i /storage"]
    disk = facts.hosts[0].disk
    assert disk is not None
    assert disk.blocks is not None
    assert (disk.blocks.filesystem, disk.blocks.left) == ("registry-disk", 0)


@pytest.mark.parametrize(
    "stat",
    [
        {"exit_code": 1, "data": {"reason": "container_stopped"}},
        {"status": Status.TIMEOUT, "exit_code": None, "data": {"reason": "timeout"}},
    ],
)
def test_a_container_that_can_not_be_asked_is_not_asked_again(stat: Mapping[str, Any]) -> None:
    facts, host = look(stat)
    assert host.words("df", inside=True) == []
    assert facts.hosts[0].inside is None

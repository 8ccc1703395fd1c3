"""Scripts of an installation that do something else than they should: tried on a copy, and not used."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.fixing import INSTALLATION, fixed, healthy, install_script, installation

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

REALM = r'sed -i "s#realm: .*#realm: https://$1/service/token#" config/registry/config.yml'
DEEDS = (
    "rm config/ui/site.json; mkdir /compass/left; docker rm -f tengine; /usr/bin/docker kill harbor-registry; exit 0"
)


def test_a_script_that_does_something_else_changes_nothing_and_the_edit_is_our_own(sandbox: Any) -> None:
    sandbox.break_("wrong-domain")
    try:
        plain = fixed(sandbox, "CRG201", "--env", "cargo")
        install_script(sandbox, "change-domain.sh", f"#!/bin/bash\ncd {INSTALLATION}\n{REALM}\n{DEEDS}\n")
        whole = installation(sandbox)
        plan = fixed(sandbox, "CRG201", "--env", "cargo")
        (note,) = (note for note in plan["notes"] if "change-domain.sh" in note)
        assert "it writes outside of the installation" in note
        assert plan["actions"] == plain["actions"]
        assert plan["digest"] == plain["digest"]
        assert installation(sandbox) == whole
        running = "docker inspect -f '{{.State.Running}}' tengine harbor-registry; ls -A /compass"
        assert sandbox.run("ssh", "cargo", running).stdout.split() == ["true", "true", "cargo-ansible"]
    finally:
        sandbox.run("ssh", "cargo", f"rm -f {INSTALLATION}/change-domain.sh")
        sandbox.heal("wrong-domain")
    assert healthy(sandbox, "cargo")

"""Scripts of an installation that do something else than they should: tried on a copy, and not used."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.fixing import INSTALLATION, fixed, healthy, install_script, installation

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

REALM = r'sed -i "s#realm: .*#realm: https://$1/service/token#" config/registry/config.yml'
# What each does besides, and what the plan says of it.
UNFIT = {
    "rm config/nginx/nginx.conf; mkdir /compass/left": "it writes outside of the installation",
    "rm config/ui/site.json; docker rm -f tengine": "it takes away config/ui/site.json",
    "chmod 600 config/nginx/nginx.conf; /usr/bin/docker kill tengine": "it changes what config/nginx/nginx.conf is",
}


def test_a_script_that_does_something_else_changes_nothing_and_the_edit_is_our_own(sandbox: Any) -> None:
    sandbox.break_("wrong-domain")
    try:
        plain = fixed(sandbox, "CRG201", "--env", "cargo")
        for deed, why in UNFIT.items():
            install_script(sandbox, "change-domain.sh", f"#!/bin/bash\ncd {INSTALLATION}\n{REALM}\n{deed}\nexit 0\n")
            whole = installation(sandbox, "cargo")
            plan = fixed(sandbox, "CRG201", "--env", "cargo")
            (note,) = (note for note in plan["notes"] if "change-domain.sh" in note)
            assert why in note
            assert plan["actions"] == plain["actions"]
            assert plan["digest"] == plain["digest"]
            assert installation(sandbox, "cargo") == whole
        running = sandbox.run("ssh", "cargo", "docker inspect -f '{{.State.Running}}' tengine; ls -A /compass")
        assert running.stdout.split() == ["true", "cargo-ansible"]
    finally:
        sandbox.run("ssh", "cargo", f"rm -f {INSTALLATION}/change-domain.sh")
        sandbox.heal("wrong-domain")
    assert healthy(sandbox, "cargo")

"""The steps of 20_wrong_domain: clues, places and methods with this environment's values in them."""

from __future__ import annotations

from dataclasses import replace

from cargo_runbook.facts.challenge import read_realm
from cargo_runbook.facts.installation import InstallationFacts, Place
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.findings import Verdict
from cargo_runbook.inventory.models import Environment, Host, TokenService
from cargo_runbook.steps import Gathered
from cargo_runbook.steps.wrong_domain import covers, domains, emitter, methods
from cargo_runbook.tables import Table
from tests.rules.path_facts import DOMAIN, HEALTHY, but, challenge
from tests.rules.test_installation import RIGHT, WRONG, facts, host

ENVIRONMENT = Environment(
    name="cargo",
    domain=DOMAIN,
    hosts=(Host(name="cargo-1", address="192.0.2.14"),),
    token_service=TokenService(address="192.0.2.20"),
)
NGINX = "config/nginx/nginx.conf"
WHOLE = host(
    checks=(Place(NGINX, 25, "X-Cargo", DOMAIN),),
    settings=(Place("env-single.yml", 2, "cargo_domain", "old-cargo.example"),),
    scripts=("restart.sh",),
)


def gathered(path: PathFacts = HEALTHY, seen: InstallationFacts | None = None) -> Gathered:
    return Gathered(ENVIRONMENT, path, {"installation": seen} if seen else {})


def rows(table: Table) -> list[list[str]]:
    return [[cell.said.en for cell in row] for row in table.rows]


def test_version_containers_and_configuration_say_who_writes_the_challenge() -> None:
    (table,) = emitter(gathered(seen=facts(WHOLE)))
    assert rows(table) == [
        ["Harbor's version (systeminfo)", "v1.4.1", "the registry"],
        ["containers on cargo-1", "harbor-ui, tengine", "the registry"],
        ["config.yml on cargo-1", "auth.token", "the registry"],
    ]


def test_with_harbor_2_the_core_writes_it() -> None:
    (table,) = emitter(gathered(seen=facts(host(auth="htpasswd"), version="v2.5.0")))
    assert [row[2] for row in rows(table)][::2] == ["Harbor core (2.x)"] * 2


def test_a_registry_that_says_something_else_past_the_front_points_at_the_front() -> None:
    path = but(challenge=challenge(WRONG))
    (table,) = emitter(gathered(path, facts(WHOLE, direct=read_realm(RIGHT))))
    assert rows(table)[-1] == ["the registry, asked past the front", RIGHT, "something in front of the registry"]


def test_each_place_of_the_domain_is_shown_with_its_line_and_compared() -> None:
    (table,) = domains(gathered(but(challenge=challenge(WRONG)), facts(WHOLE)))
    marks = {row[0].said.en: (row[1].said.en, row[2].verdict) for row in table.rows}
    assert marks == {
        "in use (inventory)": ("-", Verdict.OK),
        "what clients are told (challenge)": ("-", Verdict.FAULT),
        "realm on cargo-1": ("config/registry/config.yml, line 29", Verdict.OK),
        "health check on cargo-1": ("config/nginx/nginx.conf, line 25", Verdict.OK),
        "deployed for, on cargo-1": ("env-single.yml, line 2", Verdict.FAULT),
        "names in the certificate": ("-", Verdict.OK),
    }


def test_the_three_methods_have_this_environments_values() -> None:
    written = replace(WHOLE, realm=Place("config/registry/config.yml", 29, "realm", WRONG))
    (table,) = methods(gathered(but(challenge=challenge(WRONG)), facts(written)))
    first, second, third = rows(table)
    assert first[1] == "docker login old-cargo.example"
    assert "not without a new certificate" in first[2]
    root = "/compass/cargo-ansible/cargo"
    assert second[1] == f"line 2 of {root}/env-single.yml: cargo_domain: {DOMAIN} (now old-cargo.example), then deploy"
    assert f"line 29 of {root}/config/registry/config.yml becomes realm: https://{DOMAIN}/service/token" in third[1]
    assert f"line 25 of {root}/{NGINX} has X-Cargo: {DOMAIN} already" in third[1]
    assert third[1].endswith(f"cd {root} && ./restart.sh")
    assert "change-domain.sh is not there" in third[2]
    assert table.note is None


def test_with_harbor_2_the_edit_of_realm_is_called_dead_and_the_right_one_is_named() -> None:
    (table,) = methods(gathered(but(challenge=challenge(WRONG)), facts(host(auth="htpasswd"), version="v2.5.0")))
    third = rows(table)[2][1]
    assert third.startswith("does nothing in Harbor 2.x")
    assert "harbor.yml" in third
    assert "line 29" not in third


def test_where_the_front_rewrites_the_challenge_no_method_is_promised_to_help() -> None:
    (table,) = methods(gathered(but(challenge=challenge(WRONG)), facts(WHOLE, direct=read_realm(RIGHT))))
    assert table.note is not None
    assert table.note.en.startswith("None of them helps here")


def test_a_healthy_environment_is_told_that_nothing_is_to_be_done() -> None:
    (table,) = methods(gathered(seen=facts(WHOLE)))
    assert table.note is not None
    assert table.note.en.startswith("Nothing is to be done here")


def test_without_the_hosts_the_steps_still_show_what_the_path_knows() -> None:
    assert [row[0] for row in rows(domains(gathered())[0])] == [
        "in use (inventory)",
        "what clients are told (challenge)",
        "names in the certificate",
    ]
    assert rows(methods(gathered())[0])[2][1] == "the files could not be read"


def test_a_wildcard_covers_one_label_only() -> None:
    assert covers(("*.example",), "cargo.example")
    assert not covers(("*.example",), "a.cargo.example")
    assert not covers((), "cargo.example")

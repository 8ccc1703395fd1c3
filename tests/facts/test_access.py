"""What Cargo-Admin says of registries and projects, however it spells its fields."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cargo_runbook.facts.access import read_project, read_registry, role_of
from cargo_runbook.observations import HttpRequest, Observation, Status

DOMAIN = "cargo.example"


def answer(status: int, body: Any) -> Observation:
    text = body if isinstance(body, str) else json.dumps(body)
    return Observation(
        question=HttpRequest(url="http://192.0.2.20:8080/api/v2/registries"),
        status=Status.ANSWERED,
        output=text,
        data={"status": status},
        started=datetime.now(UTC),
        duration=0.0,
    )


@pytest.mark.parametrize(
    "body",
    [
        {"items": [{"metadata": {"name": "a"}, "spec": {"domain": "Cargo.Example"}}]},
        {"items": [{"metadata": {"Name": "x"}, "spec": {"Domain": "other"}}, {"name": "a", "domain": DOMAIN}]},
        [{"Metadata": {}, "name": "a", "spec": {"domain": DOMAIN, "password": "‹secret 1›"}}],
    ],
)
def test_the_registry_is_the_one_with_the_domain(body: Any) -> None:
    assert read_registry(answer(200, body), DOMAIN) == "a"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"items": []}),
        (200, "<html>"),
        (500, {"items": [{"name": "a", "domain": DOMAIN}]}),
        (200, {"items": None}),
    ],
)
def test_a_registry_that_is_not_there_has_no_name(status: int, body: Any) -> None:
    assert read_registry(answer(status, body), DOMAIN) == ""


@pytest.mark.parametrize(
    ("status", "body", "read"),
    [
        (200, {"metadata": {"name": "p"}, "spec": {"isPublic": True, "tenant": "t"}}, (True, "t", True)),
        (200, {"metadata": {"name": "p", "tenant": "t"}, "spec": {"is_public": False}}, (True, "t", False)),
        (200, {"metadata": {"name": "p"}}, (True, "", None)),
        (404, {"reason": "cargo:ProjectNotFound"}, (False, "", None)),
        (500, "", (None, "", None)),
        (200, "<html>", (None, "", None)),
    ],
)
def test_a_project_is_there_or_not_or_it_can_not_be_told(status: int, body: Any, read: object) -> None:
    assert read_project(answer(status, body)) == read


@pytest.mark.parametrize(
    ("actions", "role"),
    [
        ({"*", "pull"}, "owner (管理员)"),
        ({"pull", "push"}, "user (操作员)"),
        ({"pull"}, "guest (访客)"),
        (set(), "None"),
    ],
)
def test_a_role_is_read_from_the_highest_action(actions: set[str], role: str) -> None:
    assert str(role_of(frozenset(actions))) == role

"""Requests to an API as parts of a plan: kept, restored, bound to their state, and only those of the list."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from cargo_runbook.connections.api_calls import ApiCalls, ApiRequest, Row, Service
from cargo_runbook.errors import ConnectionFailed, UsageError
from cargo_runbook.inventory.credentials import Login
from cargo_runbook.inventory.models import Environment
from cargo_runbook.remedies import journal
from cargo_runbook.remedies.actions import STARTED, ApiCall, Effect, Jobs
from cargo_runbook.remedies.edits.docker_config import HasStore, set_login
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.remedies.storing import plan_to_json, restore, store
from cargo_runbook.secret import Redactor, Secret

REQUEST = ApiRequest(
    service=Service.HARBOR,
    environment="e",
    method="POST",
    path="/api/projects",
    body='{"project_name": "p", "metadata": {"public": "false"}}',
    already=(409,),
)
CALL = ApiCall(
    request=REQUEST,
    undo=replace(
        REQUEST, method="DELETE", path="/api/projects/{row}", body="", row=Row("/api/projects", "name", "p", "id")
    ),
    effect=Effect.CREATE,
    target="project p",
    shown=("a", "b"),
    waits=Jobs(3, STARTED, 20.0),
)


def plan(call: ApiCall) -> Plan:
    return Plan(environment="e", stage="test", code="CRG508", remedy="create-project", actions=(call,), made="now")


def test_a_call_that_was_stored_is_restored_as_it_was(tmp_path: Path) -> None:
    change = journal.begin(tmp_path, "e", "CRG508", {**store(plan(CALL), Redactor()), "wish": {}})
    _, body = journal.find(tmp_path, change.id)
    assert restore(change, body) == plan(CALL)


def test_the_plan_shows_the_request_its_inverse_and_the_difference() -> None:
    shown = plan_to_json(plan(CALL), Redactor())["actions"][0]
    assert shown["request"].startswith("POST /api/projects {")
    assert shown["inverse"] == "DELETE /api/projects/(id of p)"
    assert ("-a\n" in shown["diff"], "+b\n" in shown["diff"]) == (True, True)


@pytest.mark.parametrize(
    "other",
    [replace(CALL, shown=("a2", "b")), replace(CALL, request=replace(REQUEST, body="{}")), replace(CALL, undo=None)],
)
def test_the_digest_holds_the_request_its_inverse_and_the_state(other: ApiCall) -> None:
    assert plan(other).digest != plan(CALL).digest


def test_a_plan_that_changes_another_environment_says_which() -> None:
    assert plan(CALL).elsewhere == ()
    assert plan(replace(CALL, request=replace(REQUEST, environment="destination"))).elsewhere == ("destination",)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/api/repositories/library/tiny", ""),
        ("DELETE", "/api/projects/1/members/2", ""),
        ("PUT", "/api/targets/1", '{"endpoint": "x", "password": "y"}'),
        ("PUT", "/api/jobs/replication/../../users/1", '{"policy_id": 1}'),
        ("POST", "/api/replications", "[1]"),
        ("POST", "/api/replications", "no JSON"),
        ("POST", "/login", ""),
    ],
)
def test_nothing_but_what_stands_in_the_list_is_sent(method: str, path: str, body: str) -> None:
    environment = Environment.model_validate(
        {"name": "e", "domain": "registry.example", "hosts": [{"name": "h", "address": "192.0.2.1"}]}
    )

    def nobody(_name: str) -> Environment:
        raise AssertionError("no other environment is asked for")

    calls = ApiCalls(environment, nobody)
    with pytest.raises(UsageError, match="no request that a plan may have"):
        calls.send(replace(REQUEST, method=method, path=path, body=body))


ROLES = {
    "grant": {"method": "PUT", "path": "/t/{tenant}/u/{user}", "body": '{"role": "{role}"}'},
    "revoke": {"method": "DELETE", "path": "/t/{tenant}/u/{user}"},
}


@pytest.mark.parametrize(
    ("method", "path", "body", "allowed"),
    [
        ("PUT", "/t/devops/u/bob", '{"role": "guest"}', True),
        ("DELETE", "/t/devops/u/bob", "", True),
        ("PUT", "/t/devops/u/bob/../../x", '{"role": "guest"}', False),
        ("PUT", "/t/devops/u/bob", '{"role": "guest", "more": 1}', False),
        ("POST", "/t/devops/u/bob", '{"role": "guest"}', False),
        ("DELETE", "/t/devops", "", False),
    ],
)
def test_a_role_is_granted_only_by_the_request_of_the_inventory(
    method: str, path: str, body: str, allowed: bool
) -> None:
    hosts = [{"name": "h", "address": "192.0.2.1"}]
    admin = {"url": "http://127.0.0.1:9", "roles": ROLES}
    environment = Environment.model_validate(
        {"name": "e", "domain": "registry.example", "hosts": hosts, "cargo_admin": admin}
    )

    def nobody(_name: str) -> Environment:
        raise AssertionError("no other environment is asked for")

    request = ApiRequest(service=Service.CARGO_ADMIN, environment="e", method=method, path=path, body=body)
    # What is allowed is sent, to a port where nobody listens.
    with pytest.raises(ConnectionFailed if allowed else UsageError):
        ApiCalls(environment, nobody).send(request)


LOGIN = Login("alice", Secret("pa:ss ü"))


def test_a_login_is_saved_as_docker_saves_it_and_the_rest_stays() -> None:
    text = '{"auths": {"other.example": {"auth": "eA=="}}, "detachKeys": "ctrl-e", "HttpHeaders": {"a": "b"}}'
    body = json.loads(set_login(text, "registry.example:8443", LOGIN))
    assert base64.b64decode(body["auths"].pop("registry.example:8443")["auth"]).decode() == "alice:pa:ss ü"
    assert body == json.loads(text)
    assert json.loads(set_login("", "r", LOGIN))["auths"]["r"]


@pytest.mark.parametrize("text", ['{"credsStore": "pass"}', '{"credHelpers": {"r": "ecr"}}'])
def test_a_login_is_not_written_beside_a_store(text: str) -> None:
    with pytest.raises(HasStore):
        set_login(text, "r", LOGIN)


@pytest.mark.parametrize("text", ["[]", "{", '"x"'])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        set_login(text, "r", LOGIN)

"""Every client with every error: what a client puts around an error does not change what the error says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from cargo_runbook.symptoms import explain

TABLE = YAML(typ="safe").load((Path(__file__).parent / "clients.yml").read_text(encoding="utf-8"))
HOST = "reg.corp.example"
DIGEST = "4f1c0c5b22ad" * 5 + "aaaa"
ADDRESSES = {
    "ping": f"https://{HOST}/v2/",
    "manifest": f"https://{HOST}/v2/team/app/manifests/1.4",
    "blob": f"https://{HOST}/v2/team/app/blobs/sha256:{DIGEST}",
    "upload": f"https://{HOST}/v2/team/app/blobs/uploads/1f?_state=x",
}
# A page instead of JSON says what stood in front of the registry, whatever its status; what is gone when it is to be kept
# was uploaded elsewhere; a refusal in a replication is the replication's.
OTHERWISE = {
    ("docker html", "repository-or-project-missing"): "gateway-error",
    ("commit", "repository-or-project-missing"): "storage-or-upload",
    **{
        (client, refusal): "replication-auth"
        for client in ("replication", "replication 1")
        for refusal in ("not-logged-in", "bad-credentials", "permission-denied")
    },
}
# Docker's API for containers words these as well, and nothing else in them is about an image.
BARE = {
    (client, told)
    for client in ("python old", "dockerode")
    for told in ("forbidden: forbidden", "unknown: unknown error", "internal error: internal error")
}


def _filled(template: str, quote: str, **told: str) -> str:
    values = {name: f"{quote}{address}{quote}" for name, address in ADDRESSES.items()}
    values |= {"host": HOST, "image": f"{HOST}/team/app:1.4", "digest": DIGEST, **told}
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


@pytest.mark.slow
@pytest.mark.parametrize("quote", ["", '"'], ids=["as Go 1.13 and before write addresses", "in quotes"])
@pytest.mark.parametrize("cause", TABLE["errors"])
def test_an_error_of_the_connection_is_the_same_through_every_client(cause: str, quote: str) -> None:
    named = {
        (client, error): explain(_filled(template, quote, error=error)).cause
        for client, template in TABLE["clients"].items()
        for error in TABLE["errors"][cause]
    }
    assert {told: other for told, other in named.items() if other != cause} == {}


@pytest.mark.slow
@pytest.mark.parametrize("cause", TABLE["codes"])
def test_a_status_is_the_same_through_every_client(cause: str) -> None:
    named = {
        (client, status): (
            explain(_filled(template, '"', status=status, code=status[:3], reason=status[4:])).cause,
            OTHERWISE.get((client, cause), cause),
        )
        for client, template in TABLE["statuses"].items()
        for status in TABLE["codes"][cause]
    }
    assert {told: both for told, both in named.items() if both[0] != both[1]} == {}


@pytest.mark.slow
@pytest.mark.parametrize("cause", TABLE["answers"])
def test_an_answer_of_a_registry_is_the_same_through_every_client(cause: str) -> None:
    named = {}
    for answer in TABLE["answers"][cause]:
        status, code, message = answer.split("|")
        words = code.lower().replace("_", " ")
        told = {
            "told": f"{words}: {message}",
            "TOLD": f"{code}: {message}",
            "json": json.dumps({"errors": [{"code": code, "message": message}]}),
            "code": words,
            "message": message,
            "number": status[:3],
            "status": status,
        }
        for client, template in TABLE["answering"].items():
            if (client, told["told"]) not in BARE:
                found = explain(_filled(template, '"', **told)).cause
                named[client, answer] = (found, OTHERWISE.get((client, cause), cause))
    assert {told: both for told, both in named.items() if both[0] != both[1]} == {}


@pytest.mark.slow
@pytest.mark.parametrize("cause", TABLE["token_errors"])
def test_what_fails_at_a_token_service_is_that_through_every_client(cause: str) -> None:
    named = {
        (client, error): explain(_filled(template, '"', error=error)).cause
        for client, template in TABLE["token_clients"].items()
        for error in TABLE["token_errors"][cause]
    }
    assert {told: other for told, other in named.items() if other != cause} == {}


WORDINGS = [
    tuple(line.split("|", 1))
    for line in (Path(__file__).parent / "wordings.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.slow
def test_what_programs_print_is_explained_whatever_program_it_is() -> None:
    named = {text: explain(text).cause for _, text in WORDINGS}
    assert {text: named[text] for cause, text in WORDINGS if named[text] != cause} == {}

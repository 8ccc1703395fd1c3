"""The challenge is hostile input: parsed by its grammar, whatever stands in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cargo_runbook.facts.challenge import bearer_of, read_challenges, read_realm

HARBOR = (
    'Bearer realm="https://cargo.example/service/token",service="harbor-registry",'
    'scope="repository:devops_test/node:pull,push",error="insufficient_scope"'
)


def test_harbors_challenge_is_taken_apart() -> None:
    (challenge,) = read_challenges([HARBOR])
    assert challenge.scheme == "bearer"
    assert challenge.parameters == {
        "realm": "https://cargo.example/service/token",
        "service": "harbor-registry",
        "scope": "repository:devops_test/node:pull,push",
        "error": "insufficient_scope",
    }


@pytest.mark.parametrize(
    ("headers", "schemes"),
    [
        (['Basic realm="a, Bearer realm=b"'], ["basic"]),
        (['Basic realm="x", Bearer realm="https://t/"'], ["basic", "bearer"]),
        (["Negotiate", 'Bearer realm="https://t/"'], ["negotiate", "bearer"]),
        (["Negotiate, Bearer realm=t"], ["negotiate", "bearer"]),
        (['BEARER Realm = "https://t/" , service = s'], ["bearer"]),
        ([""], []),
        ([], []),
    ],
)
def test_several_challenges_in_one_or_many_headers_are_told_apart(headers: list[str], schemes: list[str]) -> None:
    assert [c.scheme for c in read_challenges(headers)] == schemes


def test_a_quoted_value_may_hold_quotes_and_commas() -> None:
    bearer = bearer_of(read_challenges([r'Bearer realm="https://t/?a=\"b\",c",service="s"']))
    assert bearer is not None
    assert bearer.parameters == {"realm": 'https://t/?a="b",c', "service": "s"}


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("https://Cargo.Example./service/token", "cargo.example"),
        ("https://cargo.example:443/service/token", "cargo.example"),
        ("https://cargo.example:8443/t", "cargo.example:8443"),
        ("http://cargo.example/t", "cargo.example"),
        ("https://[2001:db8::1]:5000/t", "[2001:db8::1]:5000"),
    ],
)
def test_a_realm_gives_the_place_that_clients_are_sent_to(text: str, authority: str) -> None:
    realm = read_realm(text)
    assert realm is not None
    assert realm.authority == authority


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/service/token",
        "cargo.example/service/token",
        "ftp://cargo.example/",
        "file:///etc/passwd",
        "https:///service/token",
        "https://cargo.example@evil.example/service/token",
        "https://user:word@cargo.example/service/token",
        "https://cargo.example:99999/",
        "https://[broken/",
    ],
)
def test_what_is_no_plain_http_address_is_no_realm(text: str) -> None:
    assert read_realm(text) is None


@given(st.text())
def test_no_header_makes_the_parser_fail_or_hang(text: str) -> None:
    for challenge in read_challenges([text]):
        read_realm(challenge.parameters.get("realm", ""))

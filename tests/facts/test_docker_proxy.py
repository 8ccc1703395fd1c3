"""The proxy settings of a Docker daemon."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from cargo_runbook.facts.docker_proxy import Docker, read_connect, read_docker, without_user
from cargo_runbook.observations import Command, Observation, Status

HOST = "cargo.example.com"


def said(output: str = "", code: int | None = 0, error: str = "", status: Status = Status.ANSWERED, **data: object):
    return Observation(
        question=Command(argv=("docker", "info")),
        status=status,
        exit_code=code,
        output=output,
        error=error,
        data=data,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        duration=0.01,
        id="E3",
    )


def test_the_daemons_settings_are_read():
    docker = read_docker(said(json.dumps({"name": "operator", "https": "http://192.0.2.9:3128", "no": "a.example"})))
    assert (docker.told, docker.name, docker.https_proxy, docker.no_proxy) == (
        True,
        "operator",
        "http://192.0.2.9:3128",
        "a.example",
    )


@pytest.mark.parametrize(
    "observation",
    [
        said("", 1, "Cannot connect to the Docker daemon"),
        said("not json"),
        said("[]"),
        said("", None, status=Status.ERROR, reason="not_found"),
    ],
)
def test_without_an_answer_nothing_is_told(observation: Observation):
    assert read_docker(observation).told is False


@pytest.mark.parametrize(
    ("no_proxy", "passes_by"),
    [
        ("", False),
        ("*", True),
        ("example.com", True),
        (".example.com", True),
        ("*.example.com", True),
        ("cargo.example.com", True),
        ("CARGO.example.com", True),
        ("cargo.example.com:443", True),
        (".cargo.example.com", False),
        ("ample.com", False),
        ("other.example.com, localhost ,127.0.0.0/8", False),
        ("localhost, example.com", True),
        ("10.0.0.0/8", False),
    ],
)
def test_no_proxy_is_read_as_go_reads_it(no_proxy: str, passes_by: bool):
    docker = Docker(True, "operator", "http://192.0.2.9:3128", no_proxy)
    assert docker.proxy_for(HOST) == ("" if passes_by else "http://192.0.2.9:3128")


def test_an_address_is_covered_by_its_network():
    docker = Docker(True, "operator", "192.0.2.9:3128", "203.0.113.0/24")
    assert docker.proxy_for("203.0.113.14") == ""
    assert docker.proxy_for("198.51.100.1") == "http://192.0.2.9:3128"


def test_a_user_in_the_proxys_url_is_left_out():
    assert without_user("http://xxxxx:xxxxx@proxy.example:3128/") == "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("observation", "status", "reason"),
    [
        (said("200", 60, "curl: (60) SSL certificate problem"), 200, ""),
        (said("503", 56, "curl: (56) CONNECT tunnel failed, response 503"), 503, ""),
        (said("000", 7, "curl: (7) Failed to connect"), 0, "refused"),
        (said("000", 5, "curl: (5) Could not resolve proxy"), 0, "name_not_resolved"),
        (said("000", 28, "curl: (28) Operation timed out"), 0, "timeout"),
        (said("", None, status=Status.TIMEOUT, reason="timeout"), 0, "timeout"),
    ],
)
def test_the_proxys_answer_to_connect_is_read(observation: Observation, status: int, reason: str):
    facts = read_connect(Docker(True), "http://192.0.2.9:3128", observation)
    assert (facts.status, facts.reason, facts.place) == (status, reason, "192.0.2.9:3128")

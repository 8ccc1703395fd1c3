"""What a pasted text is about, and what is answered."""

from __future__ import annotations

import pytest

from cargo_runbook.secret import Redactor
from cargo_runbook.symptoms import explain
from cargo_runbook.symptoms.answer import answer
from cargo_runbook.symptoms.subject import read_subject
from tests.symptoms.corpus import UNRESOLVED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (UNRESOLVED, ("reg.corp.example", "", "docker", "pod", "10.254.0.100")),
        (
            UNRESOLVED.replace("10.254.0.100", "127.0.0.11"),
            ("reg.corp.example", "", "docker", "container", "127.0.0.11"),
        ),
        (
            'Failed to pull image "reg.corp.example:8443/p/r:1": dial tcp 10.0.0.5:8443: connect: connection refused',
            ("reg.corp.example:8443", "p/r:1", "kubelet", "cluster node", ""),
        ),
        (
            "[ERROR] [transfer.go:205]: an error occurred while creating project p on https://b.example with user admin : "
            "Post https://b.example/api/projects/: dial tcp: lookup b.example on 127.0.0.11:53: no such host",
            ("b.example", "", "harbor replication", "jobservice container", "127.0.0.11"),
        ),
        (
            'Error response from daemon: Head "https://reg.corp.example/v2/p/r/manifests/1.2": '
            "dial tcp 10.0.0.5:443: connect: connection refused",
            ("reg.corp.example", "p/r:1.2", "docker", "host", ""),
        ),
        ("pull access denied for reg.corp.example/p/r, repository", ("reg.corp.example", "p/r", "", "", "")),
    ],
)
def test_domain_image_client_and_vantage_are_read(text: str, expected: tuple[str, ...]) -> None:
    subject = read_subject(text)
    assert (subject.domain, subject.image, subject.client, subject.vantage, subject.resolver) == expected


def test_a_name_that_fails_in_a_pod_leads_to_the_pipeline_and_in_a_replication_to_replication() -> None:
    assert answer(explain(UNRESOLVED), Redactor()).notebook == "12_domain_unresolved_pipeline"
    host = answer(explain(UNRESOLVED.replace("10.254.0.100", "192.0.2.1")), Redactor())
    assert host.notebook == "11_domain_unresolved_local"
    job = "[ERROR] [transfer.go:205]: Post https://b.example/api/projects/: dial tcp: lookup b.example: no such host"
    assert answer(explain(job), Redactor()).notebook == "40_replication_stuck"


def test_candidates_that_are_close_come_with_what_tells_them_apart() -> None:
    given = answer(
        explain("pull access denied for r.example/p/r, repository does not exist or may require 'docker login'"),
        Redactor(),
    )
    assert list(given.apart) == ["not-logged-in", "permission-denied", "repository-or-project-missing"]
    assert "p/r" in given.apart["permission-denied"].en


def test_a_pasted_secret_is_in_nothing_that_is_shown() -> None:
    text = (
        "docker login -u bob -p hunter2secret r.example: denied: requested access to the resource is denied marker-4711"
    )
    shown = str(answer(explain(text), Redactor()).to_json())
    assert "marker-4711" in shown
    assert "hunter2secret" not in shown

"""Which cause a pasted text names."""

from __future__ import annotations

from pathlib import Path

import pytest

from cargo_runbook.symptoms import explain
from tests.symptoms.corpus import BATCHES, ELSEWHERE, TEXTS, UNRESOLVED, read

# Texts that are named otherwise, one by one, with why nothing is done for them.
LEFT = {
    "batch_17-26-kaniko 400": "a bare 400 is a registry's as often as a proxy's",
    "batch_22-38-nginx body size of sregistry": "a proxy's line whose path is no registry's known here",
    "batch_23-7-swarmpit": "nothing in it says that it is about an image",
    "batch_23-61-certs dir": "a certificate that lacks its key is labelled tls-trust elsewhere",
    "batch_31-16-protocol_version": "nothing in it says that it is about an image",
    "batch_33-29-cleanup 405": "what curl prints of any server",
    "batch_41-30-s3 redirect 400": "a list of requests of somebody's own making",
    "batch_46-16-composer artifact wrapped": "words cut at a width and padded to it",
    "batch_69-13-portus background": "nothing in it says that it is about an image",
    "batch_77-41-jib (Maven)": "nothing in it says that it is about an image",
    "batch_78-4-dragonfly log": "nothing in it says that it is about an image",
    "batch_81-37-helm": "what helm says of any tag; that the chart is of an index stands in its command only",
    "batch_83-15-docker, registry log": "the token service is on another port, whatever else went wrong",
    "batch_83-44-jib (Maven)": "nothing in it says that it is about an image",
    "batch_83-72-harbor jobservice 2.5": "a scan that fails by a status, which no replication is",
    "batch_85-77-harbor jobservice 1.10": "a job that begins, and a service that stops as it is told",
}


# All of them are more than a minute has room for; `make test` reads them.
@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: batch.stem)
def test_labelled_texts_are_explained_as_they_are_labelled(batch: Path, every: int) -> None:
    texts = read(batch)[::every]
    named = {text.name: (explain(text.text).cause, text) for text in texts}
    wrong = [name for name, (cause, text) in named.items() if cause not in (text.label, *text.alternates)]
    assert [name for name in wrong if name not in LEFT] == []
    strict = sum(cause == text.label for cause, text in named.values())
    assert every > 1 or strict / len(texts) >= 0.9


def test_a_whole_word_at_the_end_is_no_ending_that_was_cut_off() -> None:
    text = "unexpected status from HEAD request to https://reg.corp.example/v2/a/manifests/1: 502 Server dropped connection"
    assert explain(text).cause == "gateway-error"
    assert explain("Get https://reg.corp.example/v2/: dial tcp 10.0.0.1:443: connection ref").cause.startswith(
        "connection-"
    )


@pytest.mark.slow
def test_texts_of_all_batches_are_named_as_often_as_is_promised() -> None:
    named = [(explain(text.text).cause, text) for text in TEXTS]
    assert sum(cause == text.label for cause, text in named) / len(named) >= 0.96
    assert sum(cause in (text.label, *text.alternates) for cause, text in named) / len(named) >= 0.99
    nothing = [cause for cause, text in named if text.label == "unknown"]
    assert sum(cause != "unknown" for cause in nothing) / len(nothing) <= 0.03


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Build image failed: Connect to gcr.io/192.0.2.1:443 timed out", "connection-refused-or-unreachable"),
        ("pushing to the container registry is not allowed here", "permission-denied"),
        ("docker pull: the peer's certificate has an unknown issuer", "tls-trust"),
        ("docker push: unknown shorthand flag: 'x' in -x", "client-config"),
        ("pulling from the docker registry needs the policy.json, which could not be read", "client-config"),
        ("docker login: the bearer realm is missing", "token-service"),
        ("docker.service failed to start; see systemctl status", "client-config"),
        ("the imagePullSecrets of the pod are missing: no pull secret", "not-logged-in"),
        ("docker push: only secure connections are taken here", "http-vs-https"),
        ("docker pull: no such tag there", "repository-or-project-missing"),
        ("docker push: the media type of the manifest is not supported", "storage-or-upload"),
        ("harbor 的镜像同步任务一直卡在 Pending", "replication-stuck"),
        ("docker exec: the container is not running", "unknown"),
        ("docker push: timed out waiting for the deployment", "unknown"),
        ("Connect to 192.0.2.1:443 timed out", "unknown"),
        ("npm error: Connect to docker.io:443 timed out", "unknown"),
    ],
)
def test_where_no_pattern_says_anything_plain_words_do_beside_an_image_only(text: str, cause: str) -> None:
    assert explain(text).cause == cause


def test_an_error_that_is_said_again_without_its_request_means_what_it_meant_with_it() -> None:
    asked = 'failed to fetch oauth token: Get "https://auth.docker.io/token?service=a": dial tcp: i/o timeout'
    assert explain(f"{asked}\nError: i/o timeout").cause == explain(asked).cause == "token-service"
    assert explain(f"Error: i/o timeout\n{asked}").cause == "token-service"
    assert explain("docker pull\nError: i/o timeout").cause == "connection-refused-or-unreachable"


def test_what_stands_in_the_place_of_a_name_is_one_word() -> None:
    told = UNRESOLVED.replace("reg.corp.example", "<our private registry>").replace("10.254.0.100", "<K8s DNS>")
    assert explain(told).cause == "dns-unresolvable"


@pytest.mark.parametrize("answer", ["https://ghcr.io/token?scope=a", "https://ghcr.io/v2/a/b/manifests/1"])
def test_what_the_registry_answers_counts_more_than_that_the_node_has_no_such_image(answer: str) -> None:
    node = "* docker error: No such image: a/b\n* podman error: dial unix /run/podman.sock: no such file or directory\n"
    assert explain(node).cause != "permission-denied"
    assert explain(f"{node}* remote error: GET {answer}: DENIED: denied").cause == "permission-denied"


def test_plain_words_weigh_less_than_a_pattern_does() -> None:
    plain = explain("Build image failed: Connect to gcr.io/192.0.2.1:443 timed out")
    known = explain("Build image failed: connect to gcr.io/192.0.2.1:443: connection timed out")
    assert plain.cause == known.cause
    assert plain.candidates[0].score < 0.5 < known.candidates[0].score


@pytest.mark.parametrize("refusal", ["401 Unauthorized", "403 Forbidden", "unauthorized: authentication required"])
def test_a_token_service_of_another_name_is_wrong_whatever_it_answers(refusal: str) -> None:
    asked = 'Get "https://%s/v2/p/r/manifests/1": Get "https://%s/token?scope=a&service=b": '
    assert explain(asked % ("bar.corp.example", "foo.corp.example") + refusal).cause == "wrong-domain"
    for registry, service in (("registry-1.docker.io", "auth.docker.io"), ("registry.gitlab.com", "gitlab.com")):
        assert explain(asked % (registry, service) + refusal).cause not in ("wrong-domain", "unknown")


@pytest.mark.parametrize(
    ("named", "cause"),
    [
        ("ERROR: failed to solve: node:18: ", "token-service"),
        ("docker push reg.corp.example/p/r:1\nERROR: failed to solve: ", "token-service"),
        ("docker pull docker.mirror.example/library/node:18\n", "wrong-domain"),
    ],
)
def test_a_token_is_asked_for_by_whoever_named_its_repository(named: str, cause: str) -> None:
    asked = "https://auth.docker.io/token?scope=repository%3Alibrary%2Fnode%3Apull&service=registry.docker.io"
    text = f"{named}failed to fetch oauth token: unexpected status from GET request to {asked}: 401 Unauthorized"
    assert explain(text).cause == cause


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("401 Unauthorized", "token-service"),
        ("403 Forbidden", "token-service"),
        ("401 Unauthorized: incorrect username or password", "bad-credentials"),
        ("403 Forbidden: denied: requested access to the resource is denied", "permission-denied"),
    ],
)
def test_a_token_service_that_refuses_by_a_status_alone_fails_and_a_reason_says_more(answer: str, cause: str) -> None:
    text = f"failed to authorize: failed to fetch oauth token: unexpected status: {answer}"
    assert explain(text).cause == cause


@pytest.mark.parametrize(
    "tail",
    ["dial tcp: lookup foo.corp.example: no such host", "x509: certificate has expired", "Service Unavailable", "EOF"],
)
def test_a_token_service_of_another_name_is_the_wrong_domain_whatever_went_wrong_there(tail: str) -> None:
    assert explain(ELSEWHERE + tail).cause == "wrong-domain"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (ELSEWHERE.replace("foo.", "bar.") + "dial tcp 10.0.0.5:443: i/o timeout", "connection-refused-or-unreachable"),
        (
            ELSEWHERE.replace("foo.corp.example", "bar.corp.example:443") + "dial tcp: i/o timeout",
            "connection-refused-or-unreachable",
        ),
        (ELSEWHERE.replace("foo.corp.example", "bar.corp.example:8443") + "EOF", "wrong-domain"),
        (ELSEWHERE.replace("bar.", "registry-1.docker.").replace(".corp.example/v2", ".io/v2"), "wrong-domain"),
    ],
)
def test_ports_count_only_where_they_differ(text: str, cause: str) -> None:
    assert explain(text).cause == cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        # Outer words of kaniko, podman and robusta's kind mislead; the tail decides.
        (
            "error checking push permissions -- make sure you entered the correct tag name, and that you are authenticated "
            'correctly, and try again: creating push check transport for r.example failed: Get "https://r.example/v2/": '
            "dial tcp 10.0.0.5:443: connect: no route to host",
            "connection-refused-or-unreachable",
        ),
        ("ErrImagePull: image not found? " + UNRESOLVED, "dns-unresolvable"),
        (
            "Existing credentials are invalid, please enter valid username and password\n"
            "Error: pinging docker registry: Get https://r.example/v2/: http: server gave HTTP response to HTTPS client",
            "http-vs-https",
        ),
        ("", "unknown"),
        ("docker: something new that nobody has seen", "unknown"),
        ("fatal: unable to access 'https://registry.example/docker.git/': Could not resolve host", "unknown"),
    ],
)
def test_the_cause_is_read_from_the_tail_and_never_guessed(text: str, cause: str) -> None:
    assert explain(text).cause == cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        # A status of docker's own API is a wrapper around what the registry said.
        (
            'DockerException: Status 500: {"message":"Head \\"https://r.example/v2/p/manifests/1\\": unauthorized: please log in"}',
            "not-logged-in",
        ),
        ('404 Client Error: Not Found ("Get https://r.example/v2/: x509: certificate has expired")', "tls-trust"),
        # What stands behind the code of a refusal is its reason.
        ("denied: Your authorization token has expired. Reauthenticate and try again.", "bad-credentials"),
        ("UNAUTHORIZED: You don't have the needed permissions to push r.example/p/r:1", "permission-denied"),
        # What fails while a token is fetched is the token service's failure.
        (
            "initializing source docker://r.example/p/r:1: unable to retrieve auth token: "
            "invalid character '<' looking for beginning of value",
            "token-service",
        ),
        # A registry was asked, so a socket that is not there is none of the matter.
        (
            'podman error: stat podman/podman.sock: no such file or directory\nremote error: Get "https://r.example/v2/": '
            "x509: certificate signed by unknown authority",
            "tls-trust",
        ),
        # A line that ends in a colon wraps the next one.
        (
            "failed to authorize: failed to fetch oauth token:\n\nunexpected status from GET request to https://r.example/token?service=r:\n"
            "401 Unauthorized",
            "token-service",
        ),
    ],
)
def test_what_is_wrapped_decides_and_not_its_wrapper(text: str, cause: str) -> None:
    assert explain(text).cause == cause


@pytest.mark.parametrize(
    "text",
    [
        # A word that other tools use too says nothing by itself, and two of them nothing beside another tool.
        "GET http://localhost:3000/manifest.json 404 (Not Found)",
        "URL: GET https://vault.example:8200/v1/secret/registry Code: 403",
        "    Updating crates.io index\nerror: failed to publish to registry, a manifest: status 403 Forbidden",
        # Starting a container is no transfer of an image.
        "Error response from daemon: error while creating mount source path '/data': mkdir /data: read-only file system",
        'docker: Error response from daemon: OCI runtime create failed: mounting "proc" caused "permission denied": unknown.',
    ],
)
def test_the_words_of_other_tools_name_no_cause(text: str) -> None:
    assert explain(text).cause == "unknown"


@pytest.mark.parametrize(
    "image", ["mysql:8", "postgres:15", "bitnami/kafka:3", "mongo:6", "hashicorp/terraform:1.5", "redis:7"]
)
def test_an_image_of_a_database_is_an_image_like_others(image: str) -> None:
    assert explain(f'Failed to pull image "reg.corp.example/{image}": ' + UNRESOLVED).cause == "dns-unresolvable"

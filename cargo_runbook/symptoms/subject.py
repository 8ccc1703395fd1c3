"""What a text is about beside its cause: domain, repository, client, and the place from which was looked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cargo_runbook.symptoms.structure import Reference, lookups, references, requests

# As much as is read before and after the line that decided.
_NEAR = 3000
# First match wins, so that what drives another client comes before it.
_CLIENTS = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("harbor replication", r"transfer\.go|/replication/|jobservice|harbor-registry-client"),
        ("cyclone", r"Stage: (?:Push image|Build image|Package|Code checkout)"),
        ("kubelet", r"kubelet|ErrImagePull|ImagePullBackOff|Failed to pull image"),
        ("gitlab-runner", r"gitlab-runner|with policy \"always\"|ERROR: Job failed"),
        ("kaniko", r"kaniko|checking push permissions?|error building image: "),
        ("jib", r"\bjib\b|jib-maven"),
        ("crictl", r"\bcrictl\b"),
        ("nerdctl", r"\bnerdctl\b"),
        ("podman", r"\bpodman\b|initializing source docker://"),
        ("buildah", r"\bbuildah\b"),
        ("skopeo", r"\bskopeo\b|Error parsing image name"),
        ("buildkit", r"buildkit|buildx|failed to solve|load metadata for|exporting to image"),
        ("helm", r"\bhelm (?:push|pull|registry|repo|install)|chartrepo"),
        ("oras", r"\boras\b"),
        ("crane", r"\bcrane\b|go-containerregistry"),
        ("docker-compose", r"docker[- ]compose|\[\+\] Running"),
        ("registry log", r"http\.request\.(?:host|uri)|authorizing context"),
        ("proxy log", r"while (?:connecting to|reading .{1,30} from) upstream|\" \d{3} \d+ \"[^\"]*\" \"docker/"),
        ("containerd", r"containerd|failed to resolve reference|httpReadSeeker"),
        ("docker", r"\bdocker\b|Error response from daemon|push refers to"),
    )
)
# Cluster IPs that kube-dns has by habit, and the cache on a node; 10.254.0.100 is the guide's.
_POD_RESOLVER = re.compile(r"10\.\d{1,3}\.0\.(?:10|100)|172\.20\.0\.10|169\.254\.(?:20|25)\.10")
_OPERATIONS = (
    ("push", re.compile(r"push|blobs/uploads|uploading|writing (?:blob|manifest)|mounted from", re.IGNORECASE)),
    ("login", re.compile(r"\blogin\b|logging in|/v2/\"?:", re.IGNORECASE)),
    ("pull", re.compile(r"pull|/manifests/|reading manifest|load metadata|resolve reference", re.IGNORECASE)),
)


@dataclass(frozen=True)
class Subject:
    """Each field is empty when the text does not tell. `resolver` is the address of the name server that was asked."""

    domain: str = ""
    repository: str = ""
    tag: str = ""
    client: str = ""
    operation: str = ""
    vantage: str = ""
    resolver: str = ""

    @property
    def image(self) -> str:
        """repository:tag, as a notebook takes it."""
        return f"{self.repository}:{self.tag}" if self.repository and self.tag else self.repository


def read_subject(text: str, place: int = 0) -> Subject:
    """What the text around `place` is about."""
    start = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place)
    line = text[start : end if end >= 0 else len(text)][:_NEAR]
    near = text[max(0, start - _NEAR) : start + len(line) + _NEAR]
    client = next((name for name, pattern in _CLIENTS if pattern.search(line)), "") or next(
        (name for name, pattern in _CLIENTS if pattern.search(near)), ""
    )
    resolver = next((server for _, server in lookups(line) if server), "")
    reference = _reference(line, near)
    asked = next((address for address in (*requests(line), *requests(near)) if address.repository), None)
    return Subject(
        domain=_domain(line, reference),
        repository=reference.repository if reference else asked.repository if asked else "",
        tag=reference.tag if reference else asked.tag if asked else "",
        client=client,
        operation=next((name for name, pattern in _OPERATIONS if pattern.search(line)), "")
        or next((name for name, pattern in _OPERATIONS if pattern.search(near)), ""),
        vantage=_vantage(resolver, client),
        resolver=resolver,
    )


def _reference(line: str, near: str) -> Reference | None:
    named = [*references(line), *references(near)]
    return next((r for r in named if r.repository and r.host != "docker.io"), named[0] if named else None)


def _domain(line: str, reference: Reference | None) -> str:
    asked = [address for address in requests(line) if not address.asks_for_token]
    if asked:
        return asked[0].name()
    if reference is not None:
        return reference.domain
    names = lookups(line)
    return names[0][0] if names else ""


def _vantage(resolver: str, client: str) -> str:
    if client == "harbor replication":
        return "jobservice container"
    if resolver == "127.0.0.11":
        return "container"
    if _POD_RESOLVER.fullmatch(resolver) or client in ("kaniko", "cyclone"):
        return "pod"
    if client == "kubelet":
        return "cluster node"
    if client in ("registry log", "proxy log"):
        return "cargo host"
    return "host" if client or resolver else ""

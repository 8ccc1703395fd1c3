"""A repository in a registry, asked as Harbor's own client does: challenge first, then a token for one scope."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field

from cargo_sandbox.services.go_http import Answer, BadStatus, Client, NetworkError

AGENT = "harbor-registry-client"
MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v1+prettyjws"
)


def basic(user: str, password: str) -> dict[str, str]:
    """The Authorization header of a user."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@dataclass(frozen=True)
class TokenService:
    """Where tokens come from."""

    realm: str
    service: str


@dataclass
class Registry:
    """`credentials` are headers for the token service; `tokens` replaces the one that the registry names."""

    url: str
    client: Client
    credentials: Mapping[str, str] = field(default_factory=dict)
    tokens: TokenService | None = None
    known: dict[str, str] = field(default_factory=dict)

    def ping(self) -> None:
        """Whether the registry takes a token of these credentials.

        Raises:
            NetworkError, BadStatus: it does not.
        """
        self._wanted(self.ask("HEAD", "/v2/", ""), 200)

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository; none when it is not there."""
        answer = self.ask("GET", f"/v2/{repository}/tags/list", _scope(repository, "pull"))
        if answer.status == 404:
            return []
        return list(json.loads(self._wanted(answer, 200).body)["tags"] or [])

    def catalog(self) -> list[str]:
        """All repositories."""
        answer = self.ask("GET", "/v2/_catalog?n=1000", "registry:catalog:*")
        return list(json.loads(self._wanted(answer, 200).body)["repositories"] or [])

    def manifest(self, repository: str, reference: str) -> Answer:
        """A manifest; its digest stands in the header Docker-Content-Digest."""
        path = f"/v2/{repository}/manifests/{reference}"
        return self._wanted(self.ask("GET", path, _scope(repository, "pull"), headers={"Accept": MANIFESTS}), 200)

    def manifest_digest(self, repository: str, reference: str) -> str:
        """The digest of a tag's manifest; empty when there is none."""
        path = f"/v2/{repository}/manifests/{reference}"
        answer = self.ask("HEAD", path, _scope(repository, "pull"), headers={"Accept": MANIFESTS})
        if answer.status == 404:
            return ""
        return str(self._wanted(answer, 200).headers.get("Docker-Content-Digest", ""))

    def has_blob(self, repository: str, digest: str) -> bool:
        """Whether the registry has the blob."""
        answer = self.ask("HEAD", f"/v2/{repository}/blobs/{digest}", _scope(repository, "pull"))
        return answer.status != 404 and self._wanted(answer, 200).status == 200

    def blob(self, repository: str, digest: str) -> bytes:
        """The content of a blob."""
        answer = self.ask("GET", f"/v2/{repository}/blobs/{digest}", _scope(repository, "pull"))
        return self._wanted(answer, 200).body

    def push_blob(self, repository: str, digest: str, body: bytes) -> None:
        """Upload a blob in one piece."""
        scope = _scope(repository, "push")
        started = self._wanted(self.ask("POST", f"/v2/{repository}/blobs/uploads/", scope), 202)
        place = str(started.headers.get("Location", ""))
        mark = "&" if "?" in place else "?"
        target = f"{urllib.parse.urljoin(self.url + '/', place)}{mark}digest={digest}"
        headers = {"Content-Type": "application/octet-stream"}
        self._wanted(self._send("PUT", target, scope, headers, body), 201)

    def push_manifest(self, repository: str, tag: str, kind: str, body: bytes) -> None:
        """Give a tag its manifest."""
        path, scope = f"/v2/{repository}/manifests/{tag}", _scope(repository, "push")
        self._wanted(self.ask("PUT", path, scope, headers={"Content-Type": kind}, body=body), 201)

    def ask(
        self, method: str, path: str, scope: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Ask the registry with a token for `scope` ("": a token without one)."""
        return self._send(method, self.url + path, scope, headers or {}, body)

    def _send(self, method: str, url: str, scope: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            token = self._token(scope)
        except NetworkError as error:
            raise error.within(method, url) from error
        sent = {"User-Agent": AGENT, **headers} | ({"Authorization": f"Bearer {token}"} if token else {})
        return self.client.request(method, url, headers=sent, body=body)

    def _token(self, scope: str) -> str:
        if scope not in self.known:
            self.known[scope] = self._new_token(scope)
        return self.known[scope]

    def _new_token(self, scope: str) -> str:
        place = self.tokens or self._challenge()
        if place is None:
            return ""
        query = ({"scope": scope} if scope else {}) | {"service": place.service}
        url = f"{place.realm}?{urllib.parse.urlencode(query)}"
        answer = self._wanted(self.client.request("GET", url, headers=self.credentials), 200)
        try:
            return str(json.loads(answer.body)["token"])
        except (ValueError, KeyError, TypeError) as error:
            first = answer.body.decode(errors="replace")[:1]
            said = f"invalid character '{first}' looking for beginning of value" if first else "EOF"
            raise NetworkError(said) from error

    def _challenge(self) -> TokenService | None:
        answer = self.client.request("GET", f"{self.url}/v2/")
        fields = dict(re.findall(r'(\w+)="([^"]*)"', answer.headers.get("WWW-Authenticate", "")))
        return TokenService(fields["realm"], fields.get("service", "")) if "realm" in fields else None

    @staticmethod
    def _wanted(answer: Answer, status: int) -> Answer:
        if answer.status != status:
            raise BadStatus(answer.status, answer.body.decode(errors="replace"))
        return answer


def _scope(repository: str, action: str) -> str:
    return f"repository:{repository}:{action}"

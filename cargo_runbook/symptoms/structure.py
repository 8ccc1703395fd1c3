"""What a line of a client says by its build: the requests that an error is wrapped in, the resolver, who spoke.

Go programs put each request before the error that it met: `Get URL: Get URL2: dial tcp: lookup HOST on IP:53: ...`.
The last request is the one that failed, the first the one that was meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

_REQUEST = re.compile(
    r"\b(?:Get|Head|Post|Put|Patch|Delete|(?:GET|HEAD|POST|PUT|PATCH|DELETE) request to|for url|for|url|URL|from|to|registry"
    r"|GET|HEAD|POST|PUT|PATCH|DELETE|curl(?: -\S{1,30}){0,6})"
    r"[:=]? ?[\"'`(]?(https?://[^\s\"'<>`|)]{1,700})",
    re.IGNORECASE,
)
# A token service that was told without its scheme.
_WITHOUT_SCHEME = re.compile(
    r"\b(?:Get|Post) \"?(?://)?((?=[\w-]{1,63}\.)[\w.-]{1,255}(?::\d{1,5})?/[^\s\"]{0,700})\"?: unsupported protocol scheme",
    re.IGNORECASE,
)
_REALM = re.compile(r"\brealm\W{1,4}(https?://[^\s\"'<>,\\\]]{1,300})", re.IGNORECASE)
_URL = re.compile(
    r"(https?)://(?:[^@/\s]{1,100}@)?(\[[0-9a-fA-F:.%]{2,60}\]|[^/:?#\s\[\]]{1,255})(?::(\d{1,5}))?([^\s]*)",
    re.IGNORECASE,
)
_TOKEN_PATH = re.compile(r"/(?:token|auth|proxy_auth|exchange|v2/token|jwt/auth)/?(?:\?|$)", re.IGNORECASE)
_LOOKUP = re.compile(r"lookup ([\w.-]{1,255})(?: on (\[[0-9a-fA-F:.%]+\]|[\d.]{7,15}):53)?:")
_HOST = r"(?:\[[0-9a-fA-F:.]{2,45}\]|[\w-]{1,63}(?:\.[\w-]{1,63}){0,8})"
# Where an image, a repository or a registry is named. The first group is what is named.
_NAMED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"push refers to (?:a )?repository \[?([\w./:@-]{3,300})",
        r"(?:docker|podman|skopeo|nerdctl|buildah|helm registry|oras|crane)(?:\.exe)? (?:auth )?login "
        r"(?:-\S{1,40} \S{1,80} |--\S{1,80} ){0,6}(?:https?://)?([\w.:-]{3,300})",
        r"(?:docker|podman|nerdctl|buildah|crictl|crane|oras|ctr images?|ctr i)(?:\.exe)? "
        r"(?:-\S{1,40} ){0,3}(?:image )?(?:pull|push|run|build)(?: -\S{1,60}){0,6} ([\w./:@-]{3,300})",
        r"(?:resolve reference|failed to pull image|pulling image|pull image|pull and unpack image|checking push permission for|"
        r"reading manifest \S{1,120} in|load metadata for|pushing manifest for|pushing|initializing source|"
        r"initializing destination|parsing image name|back-off pulling image|pull access denied for|manifest for|"
        r"failed to push|error pulling image|fail to push image|imageName=|container registry|docker registry|"
        r"push check transport for|invalid credentials for|creds for|logging into|failed to solve:|fetching|docker image:?|image)(?![a-z]) ?[\[\"'`(]{0,2}(?:docker://|//)?([\w./:@-]{3,300})",
        r"docker://([\w./:@-]{3,300})",
        r"oci://([\w./:@-]{3,300})",
    )
)
_REFERENCE = re.compile(
    rf"({_HOST}(?::\d{{2,5}})?)(?:/([\w./-]{{1,255}}))?(?::([\w.-]{{1,128}}))?(?:@sha256:[0-9a-f]{{6,64}})?"
)
_PORTS = {"https": "443", "http": "80"}
_HUB = ("docker.io", "docker.com")
# Registries of the public that send for a token to a sister name.
_SISTERS = (
    "docker.io",
    "docker.com",
    "gitlab.com",
    "redhat.com",
    "redhat.io",
    "quay.io",
    "github.com",
    "ghcr.io",
    "nvcr.io",
    "nvidia.com",
    "azurecr.io",
    "microsoft.com",
    "icr.io",
    "ibm.com",
    "amazonaws.com",
    "aliyuncs.com",
    "gcr.io",
    "pkg.dev",
    "k8s.io",
    "lscr.io",
    "digitalocean.com",
    "scw.cloud",
    "scaleway.com",
    "ocir.io",
    "oraclecloud.com",
    "tencentyun.com",
    "tencentcloudcr.com",
    "myhuaweicloud.com",
)


@dataclass(frozen=True)
class Address:
    """Where a URL leads. `port` is filled in by the scheme; `explicit` is whether it stood there."""

    scheme: str
    host: str
    port: str
    explicit: bool
    path: str

    @property
    def asks_for_token(self) -> bool:
        """Whether it is a token service's address, by its path or its parameters."""
        path, _, query = self.path.lower().partition("?")
        if "service=" in query or "scope=" in query:
            return True
        return bool(_TOKEN_PATH.search(path + "?")) and "/manifests/" not in path and "/blobs/" not in path

    @property
    def is_registry(self) -> bool:
        """Whether it is an address of a registry's API."""
        return self.path.lower().startswith(("/v2", "/v1/")) and not self.asks_for_token

    @property
    def is_whole_host(self) -> bool:
        """Whether it names a host and nothing on it, as Harbor names the registries of a replication."""
        return self.path == "/"

    @property
    def repository(self) -> str:
        """The repository that the path names; empty when there is none."""
        match = re.match(r"/v2/([\w./-]{1,255}?)/(?:manifests|blobs|tags)/", self.path)
        return match[1] if match else ""

    @property
    def tag(self) -> str:
        """The tag whose manifest the path names; empty for a digest, or when there is none."""
        match = re.search(r"/manifests/([\w.-]{1,128})$", self.path.partition("?")[0])
        return match[1] if match else ""

    def name(self) -> str:
        """Host, with a port that is not the scheme's own."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Reference:
    """A registry, or an image in one, as a text names it."""

    host: str
    port: str
    repository: str = ""
    tag: str = ""

    @property
    def domain(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


def read_address(url: str) -> Address | None:
    """The parts of a URL; None for what is no http(s) URL."""
    match = _URL.match(url)
    if match is None:
        return None
    scheme = match[1].lower()
    path = match[4].rstrip(":.,;\"')") or "/"
    return Address(scheme, match[2].strip("[]").rstrip(".").lower(), match[3] or _PORTS[scheme], bool(match[3]), path)


def requests(text: str) -> tuple[Address, ...]:
    """The addresses of the requests that a line names, outermost first."""
    found = [read_address(match[1].rstrip(":")) for match in _REQUEST.finditer(text)] if "://" in text else []
    if "scheme" in text:
        found += [read_address(f"https://{match[1]}") for match in _WITHOUT_SCHEME.finditer(text)]
    return tuple(address for address in found if address is not None)


def realms(text: str) -> tuple[Address, ...]:
    """The token services that challenges in a text name."""
    found = (read_address(match[1]) for match in _REALM.finditer(text))
    return tuple(address for address in found if address is not None)


def lookups(text: str) -> tuple[tuple[str, str], ...]:
    """Names that were looked up, each with the address of the name server, empty when the text does not tell it."""
    return tuple((match[1].lower(), (match[2] or "").strip("[]")) for match in _LOOKUP.finditer(text))


def references(text: str) -> tuple[Reference, ...]:
    """Images and registries that a text names, in its order; a name of Docker Hub has the host `docker.io`."""
    found = [(match.start(1), match[1]) for pattern in _NAMED for match in pattern.finditer(text)]
    read = (read_reference(name) for _, name in sorted(found))
    return tuple(reference for reference in read if reference is not None)


def read_reference(name: str) -> Reference | None:
    """An image's name taken apart by the rule of docker: the first part is a host if it has a dot, a port, or is localhost."""
    match = _REFERENCE.fullmatch(name.rstrip(".,:;/"))
    if match is None:
        return None
    host, _, port = match[1].partition(":") if not match[1].startswith("[") else (match[1], "", "")
    rest, tag = match[2] or "", match[3] or ""
    if not ("." in host or port or host == "localhost"):
        return Reference("docker.io", "", f"{host}/{rest}" if rest else f"library/{host}", tag) if rest else None
    if not rest and port and len(port) < 4 and "." not in host and host != "localhost":
        # What stands behind a name without a path is a tag.
        return Reference("docker.io", "", f"library/{host}", port)
    if not rest and tag.isdigit() and not port:
        port, tag = tag, ""
    return Reference(host.lower(), port, rest, tag)


def differ(registry: tuple[str, str], token: Address) -> bool:
    """Whether a token service stands under another name or port than the registry, `(host, port)`, that is used.

    A port counts only where one of the two is written out: `http` beside `https` alone is no other place.
    """
    host, port = registry
    if host != token.host:
        return not _sisters(host, token.host)
    written = port or (token.port if token.explicit else "")
    return bool(written) and (port or _PORTS[token.scheme]) != token.port


def _sisters(one: str, other: str) -> bool:
    """Whether two names belong to one public registry, which may keep its token service where it likes."""
    names = (one, other)
    return all(map(is_public_hub, names)) or all(_within(name, _SISTERS[2:]) for name in names)


def is_public(name: str) -> bool:
    """Whether a host is a public registry's, or its token service's."""
    return _within(name, _SISTERS)


def is_public_hub(name: str) -> bool:
    """Whether a host is Docker Hub's."""
    return _within(name, _HUB)


def _within(name: str, domains: Iterable[str]) -> bool:
    return any(name == domain or name.endswith(f".{domain}") for domain in domains)


def scope_of(address: Address) -> str:
    """The repository that a token is asked for; empty when there is none in the request."""
    match = re.search(r"[?&]scope=repository(?:%3A|:)([^&\s]{1,255}?)(?:%3A|:)[a-z*]", address.path, re.IGNORECASE)
    return unquote(match[1]) if match else ""


def account_of(address: Address) -> str:
    """The user name in a token request; empty when there is none."""
    match = re.search(r"[?&]account=([^&\s]{1,100})", address.path)
    return unquote(match[1]) if match else ""

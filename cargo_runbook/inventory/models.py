"""What an environment file may say. Validation only: where files are found and read is in `loader`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError

T = TypeVar("T")


class Stage(StrEnum):
    """How careful one has to be: `production` asks for a reason before a change."""

    SANDBOX = "sandbox"
    TEST = "test"
    STAGING = "staging"
    PRODUCTION = "production"


class AccountKind(StrEnum):
    """`admin` is the registry's own administrator; `platform` a user of the platform (via cargo-token)."""

    ADMIN = "admin"
    PLATFORM = "platform"


class Action(StrEnum):
    """What an account must be able to do with an image."""

    PULL = "pull"
    PUSH = "push"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$", max_length=63)]
Domain = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", max_length=253)]
Port = Annotated[int, Field(ge=1, le=65535)]
Reference = Annotated[
    str, Field(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|docker-config(:.*)?|keyring:[^/]+/.+)$")
]
# None of these may begin with "-": they end up as arguments of ssh, docker and kubectl.
Address = Annotated[str, Field(pattern=r"^[A-Za-z0-9:\[][A-Za-z0-9.:_%\]-]*$", max_length=255)]
Alias = Annotated[str, Field(pattern=r"^([A-Za-z0-9_.][A-Za-z0-9_.:@%-]*)?$", max_length=255)]
Context = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][^\s]*$", max_length=253)]
Pod = Annotated[str, Field(pattern=r"^((pod|deploy|deployment|statefulset)/)?[a-z0-9][a-z0-9.-]*$|^$", max_length=253)]
Container = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=128)]
Folder = Annotated[str, Field(pattern=r"^/[^\x00-\x1f]*$")]
Url = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9\[][A-Za-z0-9.:_\]-]*(/[^\s?#@]*)?$", max_length=255)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$", max_length=64)]
Image = Annotated[str, Field(pattern=r"^[a-z0-9]+([._/-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$")]


DOCKER_LOGIN = "docker-config"
"""Name of the account without a username: whoever the operator's docker is logged in as."""


class Account(_Model):
    """An account that the diagnosis may log in with. The password is a reference, never the value."""

    username: str = Field(
        "", min_length=1, description="Name to log in with; with docker-config default whoever docker is logged in as."
    )
    kind: AccountKind = Field(AccountKind.PLATFORM, description="admin or platform.")
    password: Reference = Field(description="env:NAME, file:PATH, docker-config[:PATH] or keyring:SERVICE/USER.")

    @model_validator(mode="after")
    def _has_a_username(self) -> Self:
        if not self.username and not self.is_docker_login:
            raise PydanticCustomError("no_username", "username is missing")
        return self

    @property
    def name(self) -> str:
        """What `uses`, questions and findings call it: the username, or `docker-config` where it has none."""
        return self.username or DOCKER_LOGIN

    @property
    def is_docker_login(self) -> bool:
        """Whether the password is the one that `docker login` left on the operator."""
        return self.password.partition(":")[0] == "docker-config"


class Use(_Model):
    """Something that must work: an account does something with an image."""

    account: str = Field(min_length=1, description="Username of an account, or docker-config for the one without.")
    action: Action = Field(Action.PULL, description="pull or push.")
    image: Image = Field(description="The image (repository, or repository:tag), without the domain.")


class Machine(_Model):
    """A machine that is reached by SSH. User, port, keys and jump hosts come from ~/.ssh/config."""

    name: Name = Field(description="Short name, unique in the environment.")
    ssh: Alias = Field("", description="Host alias for SSH (default: the address).")
    address: Address = Field(description="IP address or name of the machine.")

    @property
    def ssh_alias(self) -> str:
        return self.ssh or self.address


class Host(Machine):
    """A machine that runs Cargo."""

    root: Folder = Field("/compass/cargo-ansible/cargo", description="Folder of the Cargo installation.")
    tengine: Container = Field("tengine", description="Name of the front container.")


class TokenService(_Model):
    """Where cargo-token should be: the VIP of the cluster's masters and the NodePort."""

    address: Address = Field(description="VIP of the cluster's master nodes.")
    port: Port = Field(30099, description="NodePort of cargo-token.")


class ApiTemplate(_Model):
    """A request to the platform in which {tenant}, {user} and {role} are filled in."""

    method: Literal["PUT", "POST", "PATCH", "DELETE"] = Field(description="PUT, POST, PATCH or DELETE.")
    path: str = Field(
        pattern=r"^/[^\s?#]*$", description="Path below the URL; {tenant}, {user} and {role} are filled in."
    )
    body: str = Field("", description="JSON text, filled in likewise (default: none).")

    def filled(self, tenant: str, user: str, role: str) -> tuple[str, str]:
        """Path and body for one tenant, user and role."""
        words = {"{tenant}": tenant, "{user}": user, "{role}": role}
        path, body = self.path, self.body
        for name, word in words.items():
            path, body = path.replace(name, word), body.replace(name, word)
        return path, body


class RoleRequests(_Model):
    """How this platform gives a user a role in a tenant, and takes it away: it has no API that is known everywhere."""

    grant: ApiTemplate = Field(description="Gives {user} the {role} (guest, user) in {tenant}, or changes it.")
    revoke: ApiTemplate = Field(description="Takes the role away again.")


class CargoAdmin(_Model):
    """The API of Cargo-Admin, asked for projects and roles."""

    url: Url = Field(description="Where it answers, without /api/v2.")
    tenant_header: HeaderName = Field("X-Tenant", description="Name of the header with the tenant.")
    user_header: HeaderName = Field("X-User", description="Name of the header with the user.")
    roles: RoleRequests | None = Field(None, description="How a role is granted there (default: by a person).")


class Kubernetes(_Model):
    """The cluster that this Cargo belongs to, by kubectl context."""

    context: Context = Field(description="Name of a kubectl context.")
    namespace: Name = Field("default", description="Namespace of cargo-token and cargo-admin.")
    pipeline: Pod = Field("", description="Pod (or deploy/NAME) in that namespace that resolves as pipelines do.")
    nodes: tuple[Machine, ...] = Field((), description="Nodes that pull images, reached by SSH.")

    @field_validator("nodes")
    @classmethod
    def _node_names_differ(cls, nodes: tuple[Machine, ...]) -> tuple[Machine, ...]:
        return _unique(nodes, lambda node: node.name, "name")


class Contact(_Model):
    """Whom to ask when the path is at its end."""

    name: str
    how: str = Field("", description="Mail address, telephone or chat.")


class Environment(_Model):
    """One Cargo installation with its cluster.

    `name` defaults to the file's name; relative paths (`ca`, `file:`) count from the file's folder.
    """

    name: Name = Field(description="Name of the environment (default: the file's name).")
    stage: Stage = Field(Stage.TEST, description="sandbox, test, staging or production.")
    domain: Domain = Field(description="Domain that clients use, without https://.")
    port: Port = Field(443, description="Port of the registry.")
    addresses: tuple[str, ...] = Field(
        (), description="What the domain may resolve to (default: the hosts' addresses)."
    )
    ca: str = Field("", description="PEM file with the CA of the registry's certificate (default: the system's).")
    image: Image = Field("library/tiny:1", description="A small image (repository:tag) that the accounts may pull.")
    accounts: tuple[Account, ...] = Field((), description="Accounts for the login tests.")
    uses: tuple[Use, ...] = Field((), description="What must work: which account pulls or pushes which image.")
    hosts: tuple[Host, ...] = Field(min_length=1, description="Cargo hosts.")
    name_servers: tuple[Address, ...] = Field((), description="DNS servers to ask one by one.")
    token_service: TokenService | None = Field(None, description="Where cargo-token should be.")
    cargo_admin: CargoAdmin | None = Field(None, description="Where Cargo-Admin answers.")
    kubernetes: Kubernetes | None = Field(None, description="The cluster, by kubectl context.")
    contact: Contact | None = Field(None, description="Whom to ask.")

    _folder: Path = PrivateAttr(default=Path())
    _file: Path = PrivateAttr(default=Path())
    _lines: Mapping[str, int] = PrivateAttr(default_factory=dict)

    @field_validator("hosts")
    @classmethod
    def _host_names_differ(cls, hosts: tuple[Host, ...]) -> tuple[Host, ...]:
        return _unique(hosts, lambda host: host.name, "name")

    @field_validator("accounts")
    @classmethod
    def _usernames_differ(cls, accounts: tuple[Account, ...]) -> tuple[Account, ...]:
        return _unique(accounts, lambda account: account.name, "username")

    @model_validator(mode="after")
    def _uses_name_accounts(self) -> Self:
        known = [account.name for account in self.accounts]
        for index, use in enumerate(self.uses):
            if use.account not in known:
                raise PydanticCustomError("unknown_account", "unknown", {"index": index, "known": ", ".join(known)})
        return self

    @property
    def folder(self) -> Path:
        """Folder of the file that this came from; relative paths count from here."""
        return self._folder

    @property
    def file(self) -> Path:
        """The file that this came from."""
        return self._file

    def line_of(self, key: str) -> int:
        """Line of a key (`kubernetes.context`, `accounts[0].password`) in `file`, from 1; 0 when it stands nowhere."""
        return self._lines.get(key, 0)

    def path(self, text: str) -> Path:
        """A path of the file: `~` is the home folder, a relative one counts from `folder`."""
        return self._folder / Path(text).expanduser()

    @property
    def authority(self) -> str:
        """`domain`, or `domain:port` when the port is not 443: what stands after https://."""
        return self.domain if self.port == 443 else f"{self.domain}:{self.port}"

    def account_named(self, name: str) -> Account | None:
        """The account that `uses`, questions and findings call by that name."""
        return next((a for a in self.accounts if a.name == name), None)

    def account(self, kind: AccountKind) -> Account | None:
        """The first account of that kind."""
        return next((a for a in self.accounts if a.kind is kind), None)


def _unique(items: tuple[T, ...], key: Callable[[T], str], field: str) -> tuple[T, ...]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if key(item) in seen:
            raise PydanticCustomError("stands_twice", "stands twice", {"index": index, "field": field})
        seen.add(key(item))
    return items

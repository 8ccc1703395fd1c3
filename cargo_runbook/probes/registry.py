"""The registry itself: its certificate, its challenge, its tokens and a manifest.

Redirects are not followed, and credentials go nowhere but to the domain that the inventory names: what the realm
says is compared, never obeyed.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from cargo_runbook.facts.path import LoginFacts
from cargo_runbook.facts.registry import ChallengeFacts, ManifestFacts, read_challenge, read_manifest
from cargo_runbook.facts.token import TokenFacts, read_token
from cargo_runbook.facts.transport import HandshakeFacts, read_handshake
from cargo_runbook.inventory.models import Account, AccountKind, Environment
from cargo_runbook.observations import HttpRequest, Observation, TlsHandshake
from cargo_runbook.probes.asking import DEADLINE, Ask, together

TOKEN_PATH = "/service/token"  # noqa: S105 - a path
DEFAULT_SERVICE = "harbor-registry"
MANIFESTS = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
    )
)


def shake_hands(ask: Ask, environment: Environment, connect_to: str) -> HandshakeFacts:
    """The TLS handshake, at the domain's own address or, where it does not resolve, at `connect_to`."""
    address = connect_to or environment.domain
    question = TlsHandshake(address=address, server_name=environment.domain, port=environment.port, deadline=DEADLINE)
    return read_handshake(ask(question), address)


def ask_challenge(ask: Ask, environment: Environment, connect_to: str) -> ChallengeFacts:
    """`GET /v2/` without credentials."""
    url = f"https://{environment.authority}/v2/"
    return read_challenge(ask(HttpRequest(url=url, connect_to=connect_to, deadline=DEADLINE)))


def token_request(environment: Environment, connect_to: str, account: Account | None, **query: str) -> HttpRequest:
    """A request to the token endpoint of the domain in use, with the credentials of `account`, or without any."""
    if account is not None:
        query |= {"account": account.username} if account.username else {}
        query |= {"client_id": "docker"}
    return HttpRequest(
        url=f"https://{environment.authority}{TOKEN_PATH}?{urlencode(query)}",
        connect_to=connect_to,
        account=account.name if account else "",
        deadline=DEADLINE,
    )


@dataclass(frozen=True)
class TokenProbe:
    """The logins of all accounts, and a token to pull with: None when the answer held none.

    `account` is the one that the token is for, empty for the anonymous.
    """

    logins: tuple[LoginFacts, ...]
    token: TokenFacts | None
    account: str


def puller_of(environment: Environment, name: str = "") -> Account | None:
    """The account of that name, or the one that pulls where none is asked for: the platform's before admin."""
    first = environment.account(AccountKind.PLATFORM) or environment.account(AccountKind.ADMIN)
    return environment.account_named(name) or first


def log_in(
    ask: Ask, environment: Environment, connect_to: str, service: str, repository: str, account: str = ""
) -> TokenProbe:
    """Logs in with every account, and fetches a token to pull `repository` with the one that is asked for."""
    accounts = environment.accounts
    puller = puller_of(environment, account)
    questions = [token_request(environment, connect_to, a, service=service, offline_token="true") for a in accounts]
    questions.append(pull_token_request(environment, connect_to, service, repository, puller))
    *logins, scoped = together(ask, questions)
    facts = tuple(_login(account, o) for account, o in zip(accounts, logins, strict=True))
    return TokenProbe(facts, read_token(scoped), puller.name if puller else "")


def pull_token_request(
    environment: Environment, connect_to: str, service: str, repository: str, puller: Account | None
) -> HttpRequest:
    """A request for a token to pull `repository` with the account `puller`, or without any."""
    scope = f"repository:{repository}:pull"
    return token_request(environment, connect_to, puller, service=service, scope=scope)


def _login(account: Account, observation: Observation) -> LoginFacts:
    return LoginFacts(
        username=account.name,
        kind=str(account.kind),
        status=int(observation.data.get("status", 0)) if observation.answered else 0,
        reason="" if observation.answered else str(observation.data.get("reason", "") or observation.status),
        token=read_token(observation),
        evidence=observation.id,
        saved=account.is_docker_login,
    )


def ask_manifest(
    ask: Ask, environment: Environment, connect_to: str, repository: str, tag: str, token: TokenFacts
) -> ManifestFacts:
    """`HEAD` of a manifest with a token: what a pull begins with, and nothing is stored anywhere."""
    question = HttpRequest(
        url=f"https://{environment.authority}/v2/{repository}/manifests/{tag}",
        method="HEAD",
        headers=(("accept", MANIFESTS),),
        connect_to=connect_to,
        bearer=token.reference,
        deadline=DEADLINE,
    )
    return read_manifest(ask(question))

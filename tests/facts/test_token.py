"""Tokens, key ids and the registry's own settings."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from cargo_runbook.facts.registry_config import read_token_auth
from cargo_runbook.facts.signing_key import key_ids
from cargo_runbook.facts.token import read_token
from cargo_runbook.facts.token_service import Issuer, read_issuer
from cargo_runbook.observations import HttpRequest, Observation, Status

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def answer(status: int, body: str = "", **data: object) -> Observation:
    return Observation(
        question=HttpRequest(url="https://cargo.example/service/token"),
        status=Status.ANSWERED,
        output=body,
        data={"status": status, **data},
        started=NOW,
        duration=0.01,
        id="E1",
    )


def token(access: object) -> Observation:
    claims = {"iss": "harbor-token-issuer", "aud": "harbor-registry", "sub": "alice", "access": access}
    return answer(200, token={"ref": "token:ab", "header": {"kid": "AAAA:BBBB"}, "claims": claims})


@pytest.mark.parametrize(
    ("actions", "pull", "push"),
    [(["pull"], True, False), (["push", "*", "pull"], True, True), (["*"], True, True), ([], False, False)],
)
def test_rights_are_read_in_the_tokens_actions(actions: list[str], pull: bool, push: bool) -> None:
    facts = read_token(token([{"type": "repository", "name": "library/tiny", "actions": actions}]))
    assert facts is not None
    assert facts.grants("library/tiny", "pull") is pull
    assert facts.grants("library/tiny", "push") is push
    assert not facts.grants("library/other", "pull")


@pytest.mark.parametrize("access", [None, [], "nonsense", [None, "x"], [{"type": "repository", "name": "a"}]])
def test_a_token_of_a_login_grants_nothing(access: object) -> None:
    facts = read_token(token(access))
    assert facts is not None
    assert not facts.grants("a", "pull")


def test_an_answer_without_a_token_is_no_token() -> None:
    assert read_token(answer(200, "{}")) is None


@pytest.mark.parametrize(
    ("observation", "issuer"),
    [
        (answer(400, "Unable to handle service: probe\n"), Issuer.BUILT_IN),
        (answer(400, "something else"), Issuer.UNTOLD),
        (answer(200, "{}"), Issuer.CARGO_TOKEN),
        (answer(401, '{"reason": "ReasonRequest"}'), Issuer.CARGO_TOKEN),
        (answer(502, "Bad Gateway"), Issuer.BROKEN),
        (answer(404, "not found"), Issuer.BROKEN),
    ],
)
def test_an_unknown_service_name_tells_the_built_in_service_from_cargo_token(
    observation: Observation, issuer: Issuer
) -> None:
    assert read_issuer(observation) is issuer


def test_a_token_service_that_did_not_answer_is_untold() -> None:
    silent = Observation(question=HttpRequest(url="https://x/"), status=Status.TIMEOUT, started=NOW, duration=8)
    assert read_issuer(silent) is Issuer.UNTOLD


def certificate() -> tuple[x509.Certificate, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tokens")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made, made.public_bytes(Encoding.PEM).decode()


def test_a_key_id_is_the_libtrust_one_and_each_certificate_of_the_bundle_has_its_own() -> None:
    (first, pem), (_, other) = certificate(), certificate()
    ids = key_ids(pem + other)
    der = first.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    plain = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    assert ids[0].replace(":", "") == plain
    assert [len(group) for group in ids[0].split(":")] == [4] * 12
    assert len(set(ids)) == 2


def test_no_certificate_gives_no_key_id() -> None:
    assert key_ids("cat: root.crt: No such file or directory") == ()


def test_the_registrys_settings_are_read_and_a_harbor_2_file_has_none() -> None:
    auth = read_token_auth(
        "version: 0.1\nauth:\n  token:\n    realm: https://a/service/token\n    service: harbor-registry\n"
        "    issuer: harbor-token-issuer\n    rootcertbundle: /etc/registry/root.crt\n"
    )
    assert auth is not None
    assert (auth.realm, auth.service, auth.issuer) == (
        "https://a/service/token",
        "harbor-registry",
        "harbor-token-issuer",
    )
    assert read_token_auth("auth:\n  htpasswd:\n    realm: harbor-registry-basic-realm\n") is None


@pytest.mark.parametrize("text", ["", "- a\n", "auth: [", "auth: token", "\t"])
def test_what_is_no_registry_configuration_gives_no_settings(text: str) -> None:
    assert read_token_auth(text) is None

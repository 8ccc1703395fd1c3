"""The stand-ins for Harbor's ui and cargo-token, held against what the real ones answer."""

import base64
import json
import ssl
from email.message import Message
from pathlib import Path
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cargo_sandbox.material import pki
from cargo_sandbox.services import harbor_api
from cargo_sandbox.services.cargo_token import CargoToken, HttpsTo, ask_harbor
from cargo_sandbox.services.harbor_database import fresh
from cargo_sandbox.services.harbor_ui import HarborUi, Site
from cargo_sandbox.services.platform import Platform
from cargo_sandbox.services.registry_token import Scope, Signer, scopes
from cargo_sandbox.services.web import Request, Response

DOMAIN = "cargo.example"
PROJECTS = {
    "library": {"public": True, "tenant": "system"},
    "devops_test-cargo": {"public": False, "tenant": "devops"},
    "devops_only-cargo-admin": {"public": False, "tenant": "devops"},
}
IN_HARBOR = {"library", "devops_test-cargo", "devops_only-harbor"}
ROLES = {
    "alice": {"devops": "user"},
    "bob": {"devops": "guest"},
    "olga": {"devops": "owner"},
    "oscar": {"other": "owner"},
}
USERS = ("alice", "bob", "olga", "oscar", "dave", "__cyclone__devops")
CLUSTER = {
    "registries": {DOMAIN: {"name": "cargo", "username": "admin", "password": "secret", "address": "192.0.2.14"}},
    "accounts": {user: {"password": f"pw-{user}"} for user in USERS},
}
PASSWORDS = {"admin": "secret"} | {name: account["password"] for name, account in CLUSTER["accounts"].items()}


@pytest.fixture(scope="module")
def signer_key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    signer = pki.token_signer("harbor-token-issuer")
    file = tmp_path_factory.mktemp("key") / "private_key.pem"
    file.write_bytes(signer.key_pem)
    return file, signer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def harbor(signer_key: tuple[Path, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HarborUi:
    monkeypatch.setattr(harbor_api, "FAILED_LOGIN_SECONDS", 0)
    database = tmp_path / "harbor.json"
    database.write_text(json.dumps(fresh("secret", {"library": True, "devops_test": False})))
    return HarborUi(Site(DOMAIN, database=str(database)), Signer(signer_key[0]), "inside")


@pytest.fixture
def cargo_token(signer_key: tuple[Path, bytes], tmp_path: Path) -> CargoToken:
    """With a Harbor that has the projects IN_HARBOR."""
    (tmp_path / "cluster.json").write_text(json.dumps(CLUSTER))
    (tmp_path / "projects.json").write_text(json.dumps({"cargo": PROJECTS}))
    (tmp_path / "roles.json").write_text(json.dumps(ROLES))
    return CargoToken(
        tmp_path / "cluster.json",
        Platform(tmp_path),
        Signer(signer_key[0]),
        lambda domain, registry, project: project in IN_HARBOR,
    )


def get(
    path: str, *, as_: str = "", password: str | None = None, host: str = DOMAIN, method: str = "GET", **extra: str
):
    path, _, query = path.partition("?")
    headers = Message()
    headers["Host"] = host
    for name, value in extra.items():
        headers[name.replace("_", "-")] = value
    if as_:
        secret = PASSWORDS.get(as_, "?") if password is None else password
        headers["Authorization"] = "Basic " + base64.b64encode(f"{as_}:{secret}".encode()).decode()
    return Request(method, path, parse_qs(query, keep_blank_values=True), headers, b"")


def claims(response: Response, key: bytes) -> dict:
    assert response.status == 200
    body = json.loads(response.body)
    assert set(body) == {"token", "expires_in", "issued_at"}
    return jwt.decode(body["token"], key, algorithms=["RS256"], audience="harbor-registry")


def granted(response: Response, key: bytes) -> list[list[str]]:
    return [entry["actions"] for entry in claims(response, key)["access"] or []]


PULL_PUSH = "/service/token?service=harbor-registry&scope=repository:devops_test/node:pull,push"


def test_cargo_token_reads_no_authorities_of_the_system_for_each_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: pytest.fail("they take longer than the token"))
    HttpsTo("192.0.2.1", "registry.example")


# Each row is a recorded exchange of Harbor 1.4.1.
@pytest.mark.parametrize(
    ("request_", "status", "body"),
    [
        (get("/service/token?service=harbor-registry"), 401, b""),
        (get("/service/token?service=harbor-registry", as_="admin", password="wrong"), 401, b""),
        (get("/service/token?service=other", as_="admin"), 400, b"Unable to handle service: other"),
        (get("/service/token", as_="admin"), 400, b"Unable to handle service: "),
        (get("/service/token?service=harbor-registry&scope=repository:noproject:pull", as_="admin"), 500, b""),
        (get("/service/token?service=harbor-registry", method="POST"), 405, b"Method Not Allowed\n"),
        (get("/login?principal=admin&password=wrong", method="POST"), 401, b""),
        (get("/login?principal=admin&password=secret", method="POST"), 200, b""),
        (get("/api/users/current"), 401, b"\n"),
        (get("/api/projects?project_name=devops_test", method="HEAD"), 200, b""),
    ],
)
def test_harbor_ui_refuses_and_grants_as_the_recordings_say(harbor, request_, status, body):
    response = harbor.answer(request_)
    assert (response.status, response.body) == (status, body)


@pytest.mark.parametrize(
    ("request_", "subject", "access"),
    [
        (get(PULL_PUSH), "", [[]]),
        (get(PULL_PUSH, as_="admin"), "admin", [["push", "*", "pull"]]),
        (get(PULL_PUSH, as_="alice"), "", [[]]),
        (get(PULL_PUSH, as_="admin", password="wrong"), "", [[]]),
        (get(PULL_PUSH.replace("devops_test", "library")), "", [["pull"]]),
        (get(PULL_PUSH.replace("devops_test", "nothere"), as_="admin"), "admin", [[]]),
        (get("/service/token?service=harbor-registry", as_="admin"), "admin", []),
        (get("/service/token?service=harbor-registry&scope="), "", []),
        (get("/service/token?service=harbor-registry&scope=registry:catalog:*", as_="admin"), "admin", [["*"]]),
        (get("/service/token?service=harbor-registry&scope=bad", as_="admin"), "admin", [[]]),
    ],
)
def test_a_token_of_harbor_ui_holds_who_asked_and_all_that_they_may_do(harbor, signer_key, request_, subject, access):
    response = harbor.answer(request_)
    assert claims(response, signer_key[1])["sub"] == subject
    assert granted(response, signer_key[1]) == access


def test_harbor_ui_shows_its_version_without_login(harbor):
    body = json.loads(harbor.answer(get("/api/systeminfo")).body)
    assert (body["harbor_version"], body["auth_mode"], body["registry_url"]) == ("v1.4.1", "db_auth", DOMAIN)


def test_cargo_token_ignores_the_service_that_harbor_ui_refuses(cargo_token, signer_key):
    response = cargo_token.answer(get("/service/token?service=probe&scope=repository:library/tiny:pull"))
    assert granted(response, signer_key[1]) == [["pull"]]


def test_cargo_token_refuses_a_wrong_password_without_scope_in_json(cargo_token):
    response = cargo_token.answer(get("/service/token?account=alice", as_="alice", password="wrong"))
    assert response.status == 401
    assert json.loads(response.body)["message"] == "Unauthorized"


@pytest.mark.parametrize(
    ("user", "password", "project", "actions"),
    [
        ("admin", None, "devops_test-cargo", ["pull", "push", "*"]),
        ("admin", None, "devops_only-harbor", ["pull", "push", "*"]),
        ("alice", None, "devops_test-cargo", ["pull", "push"]),
        ("alice", None, "library", ["pull"]),
        ("alice", None, "devops_only-harbor", []),
        ("alice", None, "devops_only-cargo-admin", []),
        ("admin", None, "devops_only-cargo-admin", []),
        ("oscar", None, "devops_test-cargo", []),
        ("alice", None, "nothere", []),
        ("alice", "wrong", "library", ["pull"]),
        ("alice", "wrong", "devops_test-cargo", []),
        ("bob", None, "devops_test-cargo", ["pull"]),
        ("olga", None, "devops_test-cargo", ["*"]),
        ("olga", None, "library", ["pull"]),
        ("dave", None, "devops_test-cargo", []),
        ("__cyclone__devops", None, "devops_test-cargo", ["pull", "push"]),
        ("__cyclone__devops", None, "library", ["pull"]),
        ("", None, "library", ["pull"]),
        ("", None, "devops_test-cargo", []),
    ],
)
def test_cargo_token_grants_by_role_tenant_and_project(cargo_token, signer_key, user, password, project, actions):
    request = get(f"/service/token?scope=repository:{project}/x:pull,push", as_=user, password=password)
    assert granted(cargo_token.answer(request), signer_key[1]) == [actions]


@pytest.mark.parametrize(
    ("user", "password", "project", "line"),
    [
        ("", None, "devops_test-cargo", "project: 'devops_test-cargo' is not public, set empty permission for "
         "anonymous user"),
        ("bob", "wrong", "devops_test-cargo", "validate user 'bob' failed, fallback to anonymous access"),
        ("bob", "wrong", "devops_test-cargo", "password incorrect, username: bob"),
        ("bob", None, "nothere", "project 'nothere' not exist in harbor"),
        ("bob", None, "devops_only-harbor", "project 'devops_only-harbor' not exist in cargo-admin"),
        ("dave", None, "devops_test-cargo", "user dave does belongs to no tenants in cauth, set empty permission"),
        ("oscar", None, "devops_test-cargo", "access to project devops_test-cargo as tenant other denied, project "
         "belongs to tenant devops"),
        ("bob", None, "devops_test-cargo", "grant 'guest' to project 'devops_test-cargo' from role 'devops-guest'"),
    ],
)  # fmt: skip
def test_the_log_of_cargo_token_says_why_a_token_is_empty(cargo_token, capsys, user, password, project, line):
    cargo_token.answer(get(f"/service/token?scope=repository:{project}/x:pull", as_=user, password=password))
    assert line in capsys.readouterr().out.splitlines()


def test_a_role_and_a_password_that_were_changed_count_at_once(cargo_token, signer_key):
    request = get("/service/token?scope=repository:devops_test-cargo/x:pull", as_="bob")
    assert granted(cargo_token.answer(request), signer_key[1]) == [["pull"]]
    (cargo_token.platform.folder / "roles.json").write_text(json.dumps({**ROLES, "bob": {}}))
    assert granted(cargo_token.answer(request), signer_key[1]) == [[]]
    changed = {**CLUSTER["accounts"], "bob": {"password": "new"}}
    cargo_token.settings.write_text(json.dumps({**CLUSTER, "accounts": changed}))
    assert claims(cargo_token.answer(request), signer_key[1])["sub"] == ""


def test_a_harbor_that_does_not_answer_is_no_missing_project(cargo_token):
    cluster = json.loads(json.dumps(CLUSTER))
    cluster["registries"][DOMAIN]["address"] = "127.0.0.9"
    cargo_token.settings.write_text(json.dumps(cluster))
    cargo_token.has_project = ask_harbor
    response = cargo_token.answer(get("/service/token?scope=repository:library/x:pull"))
    assert (response.status, json.loads(response.body)["reason"]) == (400, "ReasonInternal")


def test_cargo_token_knows_only_domains_of_its_cluster(cargo_token):
    request = get("/service/token?scope=repository:library/x:pull", host="other.example")
    response = cargo_token.answer(request)
    assert (response.status, json.loads(response.body)["reason"]) == (400, "ReasonInternal")


def test_the_health_check_of_tengine_fails_for_a_domain_of_another_cluster(cargo_token):
    assert cargo_token.answer(get("/registryproxy/v2", X_Cargo=DOMAIN)).status == 200
    refused = cargo_token.answer(get("/registryproxy/v2", X_Cargo="other.example"))
    assert refused.status == 400
    assert json.loads(refused.body)["message"].startswith("unknown error: ")


def test_a_second_scope_that_only_pulls_is_left_out_of_the_token(cargo_token, signer_key):
    path = "/service/token?scope=repository:devops_test-cargo/a:pull,push&scope=repository:library/b:pull"
    access = claims(cargo_token.answer(get(path, as_="alice")), signer_key[1])["access"]
    assert [entry["name"] for entry in access] == ["devops_test-cargo/a"]


def test_a_scope_is_split_at_its_first_and_last_colon():
    assert Scope.parse("repository:host:5000/a/b:pull,push") == Scope("repository", "host:5000/a/b", ("pull", "push"))
    assert [scope.name for scope in scopes(["repository:a/b:pull repository:c/d:pull"])] == ["a/b", "c/d"]

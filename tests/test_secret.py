"""Secrets stay secret, and what a diagnosis needs stays readable."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import time
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import cargo_runbook.secret as secret_module
from cargo_runbook.redaction.held import Held
from cargo_runbook.redaction.shapes import Shape, shapes, shapes_for
from cargo_runbook.secret import Redactor, Secret

CANARY = "cAnArY7d3f1b90"
MARKER = "harmless-marker-4711"
PASSWORD = "pa ss\"w&örd/+<'1"


def _alone() -> Redactor:
    """A redactor that knows nothing of the examples before."""
    secret_module.HELD = Held()
    return Redactor()


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_CLAIMS = _b64(json.dumps({"sub": CANARY})).rstrip("=")
_JWT = f"eyJhbGciOiJSUzI1NiJ9.{_CLAIMS}.c2lnbmF0dXJl{CANARY}"
# In two parts, so that a search for committed keys finds none here.
_KEY = "PRIVATE" + " KEY"
_PEM = f"-----BEGIN RSA {_KEY}-----\nMIIE{CANARY}\n{CANARY}==\n-----END RSA {_KEY}-----"
_AUTH = _b64(f"admin:{CANARY}")
_BCRYPT = "$2y$05$" + (CANARY * 4)[:53]

# Shape, and what of it must be gone. The first 25 in the order of the reference table, then those of Cargo itself.
SHAPES = {
    "harbor.yml": (f"harbor_admin_password: {CANARY}", CANARY),
    "harbor.yml database": (f"database:\n  password: {CANARY}\n  max_idle_conns: 50", CANARY),
    "registry http.secret": (f"http:\n  addr: :5000\n  secret: {CANARY}", CANARY),
    "registry S3 key": (f"storage:\n  s3:\n    accesskey: AK{CANARY}\n    secretkey: {CANARY}", CANARY),
    "environment file": (f"CORE_SECRET={CANARY}", CANARY),
    "environment file, password": (f"HARBOR_ADMIN_PASSWORD={CANARY}", CANARY),
    "docker inspect": (f'"Env": ["CORE_SECRET={CANARY}", "PATH=/bin"]', CANARY),
    "docker inspect, password": (f'"HARBOR_ADMIN_PASSWORD={CANARY}",', CANARY),
    "kubernetes env": (f'{{"name": "DB_PASSWORD", "value": "{CANARY}"}}', CANARY),
    "docker config.json": (f'{{"auths": {{"cargo.test": {{"auth": "{_AUTH}"}}}}}}', _AUTH),
    "kubernetes dockerconfigjson": (f"  .dockerconfigjson: {_AUTH}", _AUTH),
    "authorization basic": (f"> Authorization: Basic {_AUTH}", _AUTH),
    "authorization bearer": (f"authorization: Bearer {CANARY}", CANARY),
    "token answer": (f'{{"token": "{_JWT}", "access_token": "{_JWT}", "refresh_token": "{CANARY}"}}', CANARY),
    "set-cookie": (f"Set-Cookie: sid={CANARY}; Path=/; HttpOnly", CANARY),
    "userinfo in a URL": (f"https://admin:{CANARY}@cargo.test/v2/", CANARY),
    "redis URL": (f"redis://:{CANARY}@redis:6379/0", CANARY),
    "postgres URL": (f"postgres://harbor:{CANARY}@db/registry", CANARY),
    "a note in Chinese": (f"已登录，密码：{CANARY}，仓库正常", CANARY),
    "a note in Chinese, colon": (f"admin 口令为: {CANARY}", CANARY),
    "Maven settings": (f"<server><password>{CANARY}</password></server>", CANARY),
    "a header with a key": (f"> X-Api-Key: {CANARY}", CANARY),
    "a password that is piped": (f"echo '{CANARY}' | docker login -u admin --password-stdin cargo.test", CANARY),
    "npmrc": (f"//npm.test/:_authToken={CANARY}", CANARY),
    "SQL": (f"ALTER USER 'root'@'%' IDENTIFIED BY '{CANARY}';", CANARY),
    "SQL, set password": (f"SET PASSWORD FOR 'root' = PASSWORD('{CANARY}');", CANARY),
    "docker login -p": (f"docker login -u admin -p {CANARY} cargo.test", CANARY),
    "curl -u": (f"curl -sk -u admin:{CANARY} https://cargo.test/api/users", CANARY),
    "PEM private key": (_PEM, CANARY),
    "htpasswd": (f"admin:{_BCRYPT}", _BCRYPT[7:]),
    "presigned URL": (f"https://s3.test/b?X-Amz-Credential=AK{CANARY}&X-Amz-Signature={CANARY}", CANARY),
    "robot account": (f'{{"name": "robot$ci", "secret": "{CANARY}"}}', CANARY),
    "replication target 2.x": (f'{{"access_key": "admin", "access_secret": "{CANARY}"}}', CANARY),
    "replication target 1.x": (f'{{"username": "admin", "password": "{CANARY}"}}', CANARY),
    "ansible": (f"10.0.0.1 ansible_ssh_pass={CANARY} ansible_user=root", CANARY),
    "login parameters": (f"POST /login?principal=admin&password={CANARY} HTTP/1.1", CANARY),
    "account parameters": (f"/service/token?account=admin&password={CANARY}&service=harbor-registry", CANARY),
    "docker login --password": (f"docker login --username=admin --password={CANARY} cargo.test", CANARY),
    "PEM in base64": (f"key: {_b64(_PEM)}", _b64(_PEM)[16:60]),
    "PEM in base64, twice": (f"key: {_b64(_b64(_PEM))}", _b64(_b64(_PEM))[24:80]),
    "password with spaces": (f"harbor_admin_password: {CANARY} and {CANARY} more", f"and {CANARY}"),
    "quoted password with spaces": (f'password: "{CANARY} {CANARY}"  ', CANARY),
    "docker login, quoted": (f"docker login -u admin -p '{CANARY} {CANARY}' cargo.test", CANARY),
    "kubernetes secret, JSON": (
        f'{{"apiVersion": "v1", "data": {{"key": "{_b64(CANARY)}"}}, "kind": "Secret"}}',
        _b64(CANARY),
    ),
    "kubernetes secret, YAML": (f"apiVersion: v1\ndata:\n  key: {_b64(CANARY)}\nkind: Secret\n", _b64(CANARY)),
    "kubernetes env, YAML": (f"- name: REGISTRY_PASSWORD\n  value: {CANARY}", CANARY),
    "JSON inside JSON": (json.dumps({"log": json.dumps({"password": CANARY})}), CANARY),
    "a diff": (f"-  password: {CANARY}\n+  password: {CANARY}2", CANARY),
    "grep -n": (f"/compass/config/harbor.yml:12:harbor_admin_password: {CANARY}", CANARY),
    "python dict": (f"{{'username': 'admin', 'password': '{CANARY}'}}", CANARY),
    "cookie": (f"Cookie: sid={CANARY}; lang=zh", CANARY),
    "key that was cut off": (f"-----BEGIN {_KEY}-----\nMIIE{CANARY}\n", CANARY),
    "token that was cut off": (f'{{"token": "{CANARY}', CANARY),
    "header dump as JSON": (f'{{"Authorization": ["Basic {_AUTH}"]}}', _AUTH),
    "JSON Web Token in a log": (f"got {_JWT} from cargo-token", CANARY),
    "password option": (f"mysql --user admin --db-password '{CANARY} {CANARY}' harbor", CANARY),
    "docker inspect, with spaces": (f'"Env": ["DB_PASSWORD=x {CANARY}"]', CANARY),
    "environment file, with spaces": (f"export DB_PASSWORD=x {CANARY}", CANARY),
    "csrf header": (f"X-Harbor-CSRF-Token: {CANARY}", CANARY),
    "X-Registry-Auth": (f"X-Registry-Auth: {_AUTH}", _AUTH),
    "access key id": (f"found {'AK' + 'IA'}{'CANARY7D3F1B9012'} in the log", "CANARY7D3F1B9012"),
    "token of a code host": (f"git clone with {'gh' + 'p_'}{CANARY * 2}", CANARY),
    "ansible vault": (f"$ANSIBLE_VAULT;1.1;AES256\n{'3663' * 20}\n{'6234' * 20}\n", "6234" * 10),
    "PuTTY key": (f"Private-Lines: 1\n{CANARY}{CANARY}=\nPrivate-MAC: x", CANARY),
    "database of a Go program": (f"registry:{CANARY}@tcp(mysql:3306)/registry?loc=Local", CANARY),
    "skopeo": (f"skopeo copy --src-creds admin:{CANARY} docker://a docker://b", CANARY),
    "sshpass": (f"sshpass -p {CANARY} ssh root@203.0.113.14", CANARY),
    "mysql": (f"docker exec mysql mysql -uroot -p{CANARY} registry", CANARY),
    "redis-cli": (f"redis-cli -h redis -a {CANARY} llen jobs", CANARY),
    "htpasswd -b": (f"htpasswd -Bbn admin {CANARY}", CANARY),
    "ldapsearch": (f"ldapsearch -x -D cn=admin -w {CANARY} uid=alice", CANARY),
    "netrc": (f"machine cargo.test login admin password {CANARY}", CANARY),
    "curl with a cookie": (f"curl -sk -b 'sid={CANARY}' https://cargo.test/api/users", CANARY),
    "Azure storage": (f"AccountName=a;AccountKey={CANARY}==;EndpointSuffix=core", CANARY),
    "PGP key": (f"-----BEGIN PGP {_KEY} BLOCK-----\n{CANARY}\n-----END PGP {_KEY} BLOCK-----", CANARY),
    "colours between name and value": (f"\x1b[36mpassword\x1b[0m: \x1b[33m{CANARY}\x1b[0m", CANARY),
    "echo": (f"echo 'password: {CANARY}' >> harbor.yml", CANARY),
    "nginx header": (f'proxy_set_header Authorization "Basic {_AUTH}";', _AUTH),
    "nginx cookie": (f"proxy_set_header Cookie 'sid={CANARY}';", CANARY),
    "commented out": (f"#  MYSQL_ROOT_PASSWORD: {CANARY}", CANARY),
    "openssl": (f"openssl rsa -in key.pem -passin pass:{CANARY}", CANARY),
    "redis-cli between others": (f"mysql --user admin harbor; redis-cli -a {CANARY}; ssh -p 2222 cargo", CANARY),
    "shadow": ("root:$y$j9T$abc$" + f"{CANARY}:19000:0:99999:7:::", CANARY),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_secret_of_a_known_shape_is_gone_and_the_marker_beside_it_stays(name: str) -> None:
    text, gone = SHAPES[name]
    redacted = Redactor().redact(f"{MARKER}\n{text}\n{MARKER}\n")
    assert gone not in redacted
    assert redacted.startswith(f"{MARKER}\n")
    assert "‹secret " in redacted


@pytest.mark.parametrize("name", SHAPES)
def test_redacting_twice_changes_nothing_more(name: str) -> None:
    redactor = Redactor()
    once = redactor.redact(SHAPES[name][0])
    assert redactor.redact(once) == once


@given(
    st.lists(st.sampled_from([*[text for text, _ in SHAPES.values()], MARKER]), min_size=2, max_size=6),
    st.sampled_from(["\n", " ", ", ", "; ", "\t"]),
)
@example(["mysql --user admin harbor", SHAPES["redis-cli"][0], "ssh -p other-secret"], ", ")
def test_redacting_any_mixture_of_shapes_twice_changes_nothing_more(texts: list[str], between: str) -> None:
    redactor = _alone()
    once = redactor.redact(between.join(texts))
    # A record would be refused for what only the second time finds.
    assert redactor.redact(once) == once


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.name)
def test_every_shape_of_the_table_is_needed(shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "cargo_runbook.secret.shapes_for", lambda text: [other for other in shapes_for(text) if other is not shape]
    )
    assert [name for name, (text, gone) in SHAPES.items() if gone in Redactor().redact(text)]


# What a diagnosis is made of: none of this is a secret.
EVIDENCE = [
    'Www-Authenticate: Bearer realm="https://foo.caicloudprivatetest.com/service/token",service="harbor-registry"',
    "https://cargo.test/service/token?account=admin&client_id=docker&offline_token=true&service=harbor-registry",
    "https://cargo.test/service/token?scope=repository%3Alibrary%2Ftiny%3Apull&service=harbor-registry",
    "unable to retrieve auth token: invalid username/password: unauthorized: authentication required",
    "authorization server did not include a token in the response",
    "error authorizing context: authorization token required",
    "token signed by untrusted key with ID: 73IN:4HR6:ZBEX",
    "auth:\n  token:\n    issuer: harbor-token-issuer\n    realm: https://bar.test/service/token\n    rootcertbundle: /root.crt",
    'check_http_send "GET /registryproxy/v2 HTTP/1.0\\r\\nX-Cargo: cargo.test\\r\\n\\r\\n";',
    "203.0.113.20 cargo-admin cargo-admin.caicloudprivatetest.com",
    'extra_hosts:\n  - "cargo-admin:203.0.113.20"',
    "NAME  READY\ncargo-token: 1/1",
    "proxy_set_header Authorization $http_authorization;",
    "secretName: registry-tls",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    f"certificate-authority-data: {_b64('-----BEGIN CERTIFICATE-----' + 'x' * 40)}",
    'Get "https://nonexist.test/v2/": dial tcp: lookup nonexist.test on 203.0.113.53:53: no such host',
    "https://cargo.test:8443/v2/library/tiny@sha256:abcd",
    '{"realm": "https://cargo.test/service/token", "username": "admin", "token": null}',
    "docker login --password-stdin cargo.test",
    "password:",
    'echo "password: " >> harbor.yml',
    "GET /api/jobs/replication?policy_id=1&page=2&page_size=500&unknown=17",
]


@pytest.mark.parametrize("text", EVIDENCE)
def test_what_a_diagnosis_needs_survives(text: str) -> None:
    assert Redactor().redact(text) == text


def test_equal_secrets_have_equal_tokens_and_others_have_others() -> None:
    redactor = Redactor()
    text = redactor.redact("password: one-secret\npassword: other-secret\nsecret=one-secret\n")
    assert text == "password: ‹secret 1 password›\npassword: ‹secret 2 password›\nsecret=‹secret 1 password›\n"


@pytest.mark.parametrize(
    "form",
    [
        PASSWORD,
        _b64(PASSWORD),
        _b64(f"alice:{PASSWORD}"),
        _b64(f"alice:{PASSWORD}").rstrip("="),
        base64.urlsafe_b64encode(PASSWORD.encode()).decode(),
        quote(PASSWORD),
        quote(PASSWORD, safe=""),
        json.dumps(PASSWORD)[1:-1],
        json.dumps(PASSWORD, ensure_ascii=False)[1:-1],
    ],
)
def test_a_registered_secret_is_found_in_every_form(form: str) -> None:
    redactor = Redactor()
    redactor.register(Secret(PASSWORD), username="alice")
    assert redactor.redact(f"{MARKER} {form} {MARKER}") == f"{MARKER} ‹secret 1 password› {MARKER}"


@given(
    secret=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=6, max_size=40),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_the_base64_of_any_text_with_the_secret_in_it_loses_the_secret(secret: str, before: str, after: str) -> None:
    redactor = _alone()
    token = redactor.register(Secret(secret))
    whole = base64.b64encode(f"{before}{secret}{after}".encode()).decode()
    redacted = redactor.redact(whole)
    assert token in redacted
    # What is left around it is too short to hold the secret but for a character at each border.
    assert len(redacted.replace(token, "")) <= len(whole) - (len(secret.encode()) - 2) * 8 // 6


@given(st.text(), st.text(min_size=4, max_size=30))
def test_a_registered_secret_never_survives(text: str, secret: str) -> None:
    redactor = _alone()
    token = redactor.register(Secret(secret))
    redacted = redactor.redact(f"{text}{secret}{text}")
    assert token in redacted
    assert secret not in redacted.replace(token, "")
    assert redactor.redact(redacted) == redacted


@pytest.mark.parametrize("secret", ["password", "secret", "secret 1", "admin"])
def test_a_password_that_is_an_everyday_word_is_masked_once(secret: str) -> None:
    redactor = Redactor()
    redactor.register(Secret(secret))
    once = redactor.redact(f"it is {secret}")
    assert once == "it is ‹secret 1 password›"
    assert redactor.redact(once) == once


def test_a_short_secret_is_masked_where_it_stands_alone() -> None:
    redactor = Redactor()
    redactor.register(Secret("abc"))
    assert redactor.redact("login abc: abcdef") == "login ‹secret 1 password›: abcdef"


def test_data_is_redacted_by_key_and_by_text() -> None:
    redactor = Redactor()
    redactor.register(Secret("hunter22"))
    data = {
        "headers": {"authorization": ["Basic YWJj"], "www-authenticate": ['Basic realm="x"']},
        "password": "plain",
        "note": ["it is hunter22", 7, None, True],
        "names": ["cargo.test"],
    }
    assert redactor.redact_data(data) == {
        "headers": {"authorization": ["‹secret 2 credentials›"], "www-authenticate": ['Basic realm="x"']},
        "password": "‹secret 3 password›",
        "note": ["it is ‹secret 1 password›", 7, None, True],
        "names": ["cargo.test"],
    }


# Beginnings of shapes, again and again, and never an end.
HOSTILE = (
    "curl curl ", "a" * 50, '"password"', '"password": ', "?a=b&", "\\" * 60, '\\"', "login -", f"-----BEGIN {_KEY}",
    f"-----BEGIN {_KEY}-----", "x=", "password=", "password.", "pass pass", "://", "a://b:", "{,", "{password", "data:\n a: b\n",
    '"data":{"a":"b",', '"name":"password",', "name: password\n value: ", "authorization: ", "set-cookie: a", "cookie:",
    "eyJ", "eyJaaaaaa.", "$2y$05$", "LS0tLS1CRUdJTi", "--password ", "-- ", " \t", "\n", "- ", "1:", "a/b:", "'", "[", "_",
    "password_", "x-", "key", "‹secret ", "\x1b[31m", "\x1b[", "machine a login b ", "sshpass -p", "redis-cli -a ",
    "htpasswd -b a ", "a:b@tcp", "private-lines: 1\n", "$ansible_vault;1\n", "3663 ", "--user a", "gh" + "p_", "pypi-",
    "openssl pass:", "x-registry-auth",
)  # fmt: skip


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.name)
def test_no_shape_takes_more_than_its_time_for_a_hostile_text(shape: Shape) -> None:
    slow = {}
    for piece in HOSTILE:
        text = f"{' '.join(shape.when)} {piece * (60_000 // len(piece))}"
        started = time.process_time()
        if shape.within is None:
            shape.pattern.sub("", text)
        else:
            shape.within.sub(lambda match: shape.pattern.sub("", match.group()), text)
        # A pattern that looks at each character once needs a few milliseconds; one that looks back, minutes.
        if (taken := time.process_time() - started) > 1.0:
            slow[piece] = round(taken, 1)
    assert not slow


def test_a_hostile_text_costs_the_redactor_no_minutes() -> None:
    redactor = Redactor()
    redactor.register(Secret(PASSWORD))
    started = time.process_time()
    for piece in HOSTILE:
        redactor.redact(piece * (60_000 // len(piece)))
    assert time.process_time() - started < 40


class TestSecret:
    def test_it_is_shown_by_nothing_but_reveal(self) -> None:
        secret = Secret(CANARY)
        shown = [
            repr(secret),
            str(secret),
            f"{secret}",
            f"{secret!r:>40}",
            repr([secret]),
            repr({"a": secret}),
        ]
        assert not [text for text in shown if CANARY in text]
        assert f"{secret:>30}" == "‹secret›"
        assert secret.reveal() == CANARY

    def test_it_can_not_be_pickled_or_written_as_json(self) -> None:
        with pytest.raises(TypeError, match="can't be pickled"):
            pickle.dumps(Secret(CANARY))
        with pytest.raises(TypeError):
            json.dumps({"password": Secret(CANARY)})

    def test_it_is_no_str_and_holds_no_dict(self) -> None:
        assert not isinstance(Secret(CANARY), str)
        with pytest.raises(TypeError):
            "" + Secret(CANARY)  # type: ignore[operator]
        assert not hasattr(Secret(CANARY), "__dict__")

    def test_equal_values_are_equal_secrets(self) -> None:
        assert Secret("a") == Secret("a")
        assert Secret("a") != Secret("b")
        assert Secret("a") != "a"
        assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
        assert copy.deepcopy(Secret("a")) == Secret("a")
        assert not Secret("")


def test_a_text_in_which_nothing_was_found_is_looked_through_again_once_more_is_known() -> None:
    redactor = _alone()
    text, other = f"it printed {CANARY}", f"and {MARKER}-2 too"
    for _ in range(2):
        assert redactor.redact(text) == text
        assert redactor.redact(other) == other
    Secret(CANARY)
    assert CANARY not in redactor.redact(text)
    assert redactor.redact(other) == other
    redactor.register(Secret(f"{MARKER}-2"))
    assert MARKER not in redactor.redact(other)
    assert CANARY not in redactor.redact(text)


def test_each_time_a_secret_is_masked_is_counted() -> None:
    redactor = _alone()
    Secret(CANARY)
    for _ in range(3):
        redactor.redact(f"it printed {CANARY}")
    assert [masked.count for masked in redactor.masked] == [3]

"""Texts with secrets in known shapes, texts that hold none, and texts that are made to cost time."""

from __future__ import annotations

import base64
import json

import cargo_runbook.secret as secret_module
from cargo_runbook.redaction.held import Held
from cargo_runbook.secret import Redactor

CANARY = "cAnArY7d3f1b90"
MARKER = "harmless-marker-4711"
PASSWORD = "pa ss\"w&örd/+<'1"


def alone() -> Redactor:
    """A redactor that knows nothing of the examples before."""
    secret_module.HELD = Held()
    return Redactor()


def b64(text: str) -> str:
    """Base64 of a text."""
    return base64.b64encode(text.encode()).decode()


_CLAIMS = b64(json.dumps({"sub": CANARY})).rstrip("=")
_JWT = f"eyJhbGciOiJSUzI1NiJ9.{_CLAIMS}.c2lnbmF0dXJl{CANARY}"
# In two parts, so that a search for committed keys finds none here.
_KEY = "PRIVATE" + " KEY"
_PEM = f"-----BEGIN RSA {_KEY}-----\nMIIE{CANARY}\n{CANARY}==\n-----END RSA {_KEY}-----"
_AUTH = b64(f"admin:{CANARY}")
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
    "PEM in base64": (f"key: {b64(_PEM)}", b64(_PEM)[16:60]),
    "PEM in base64, twice": (f"key: {b64(b64(_PEM))}", b64(b64(_PEM))[24:80]),
    "password with spaces": (f"harbor_admin_password: {CANARY} and {CANARY} more", f"and {CANARY}"),
    "quoted password with spaces": (f'password: "{CANARY} {CANARY}"  ', CANARY),
    "docker login, quoted": (f"docker login -u admin -p '{CANARY} {CANARY}' cargo.test", CANARY),
    "kubernetes secret, JSON": (
        f'{{"apiVersion": "v1", "data": {{"key": "{b64(CANARY)}"}}, "kind": "Secret"}}',
        b64(CANARY),
    ),
    "kubernetes secret, YAML": (f"apiVersion: v1\ndata:\n  key: {b64(CANARY)}\nkind: Secret\n", b64(CANARY)),
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
    f"certificate-authority-data: {b64('-----BEGIN CERTIFICATE-----' + 'x' * 40)}",
    'Get "https://nonexist.test/v2/": dial tcp: lookup nonexist.test on 203.0.113.53:53: no such host',
    "https://cargo.test:8443/v2/library/tiny@sha256:abcd",
    '{"realm": "https://cargo.test/service/token", "username": "admin", "token": null}',
    "docker login --password-stdin cargo.test",
    "password:",
    'echo "password: " >> harbor.yml',
    "GET /api/jobs/replication?policy_id=1&page=2&page_size=500&unknown=17",
]

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

"""Secrets as Cargo, Harbor, docker, ssh, kubectl and people keep them, planted where a look comes by."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

MARKER = "harmless-marker-4711"
ROOT = "/compass/cargo-ansible/cargo"
CONFIG, NGINX = f"{ROOT}/config/registry/config.yml", f"{ROOT}/config/nginx/nginx.conf"
COMPOSE, ENV = f"{ROOT}/config/docker-compose-single.yml", f"{ROOT}/env-single.yml"
HOSTS = "/etc/hosts"
# In two parts, so that a search for committed keys finds none here.
_KEY = "PRIVATE" + " KEY"
_numbers = count(1)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@dataclass
class Planted:
    """The secrets by what they are; `text(...)` makes a new one and puts it into a line."""

    secrets: dict[str, str] = field(default_factory=dict)

    def new(self, what: str) -> str:
        value = f"cAn4ry{next(_numbers):02d}Zq7{what.encode().hex()[:6]}"
        assert what not in self.secrets
        self.secrets[what] = value
        return value

    def lines(self, texts: Mapping[str, str]) -> str:
        """The texts, a `{}` in each filled with a secret of its own (`{login}`: with the base64 of a login)."""
        return "".join(self._line(what, text) + "\n" for what, text in texts.items())

    def _line(self, what: str, text: str) -> str:
        value = self.new(what)
        return text.replace("{login}", b64(f"admin:{value}")).replace("{b64}", b64(value)).replace("{}", value)

    def wanted(self) -> Iterator[tuple[str, bytes]]:
        """What must be found nowhere: each secret as it is, and in the base64 of a login and alone."""
        for what, value in self.secrets.items():
            for form in (value, b64(value).rstrip("="), b64(f"admin:{value}").rstrip("="), value.encode().hex()):
                yield what, form.encode()

    def found_in(self, content: bytes) -> set[str]:
        return {what for what, form in self.wanted() if form in content}


REGISTRY = {
    "redis password": "redis:\n  addr: redis:6379\n  password: {}",
    "proxy password": "proxy:\n  remoteurl: https://mirror.test\n  username: admin\n  password: {}",
    "S3 secret key": "was:\n  s3:\n    accesskey: notsecretbutmasked\n    secretkey: {}",
    "Azure account key": "  azure:\n    accountname: a\n    accountkey: {}==",
    "Swift password": "  swift:\n    username: admin\n    password: {}",
    "http.secret": "  http:\n    addr: :5000\n    secret: {}",
    "signing key": f"  cloudfront:\n    privatekey: |\n      -----BEGIN RSA {_KEY}-----\n      {{}}\n      -----END RSA {_KEY}-----",
    "notification header": "  headers:\n    Authorization: [Basic {login}]",
    "commented password": "# password: {}",
    "presigned URL": "# see https://s3.test/blob?X-Amz-Signature={}&X-Amz-Date=x",
}  # fmt: skip
FRONT = {
    "nginx authorization": '# proxy_set_header Authorization "Basic {login}";',
    "nginx cookie": '# proxy_set_header Cookie "sid={}";',
    "nginx bearer": "# add_header X-Was 'Authorization: Bearer {}';",
    "login with parameters": "# GET /login?principal=admin&password={} HTTP/1.1",
    "token with parameters": "# GET /service/token?account=admin&password={}&service=harbor-registry",
}
SETTINGS = {
    "harbor admin password": "harbor_admin_password: {}",
    "database password": "database:\n  password: {}",
    "cargo-admin's registry": 'cargo_admin: {"host": "https://cargo.test", "username": "admin", "password": "{}"}',
    "ansible ssh": "# 203.0.113.14 ansible_ssh_pass={} ansible_user=root",
    "ansible become": "ansible_become_pass: {}",
    "ldap": "ldap_search_pwd: {}",
    "mail": "email_password: '{} and more'",
    "htpasswd": "# admin:$2y$05${}abcdefghijklmnopqrstuvwxyz0123456789",
    "quoted with spaces": 'secret_key: "{} with spaces"',
    "robot account": '# {"name": "robot$ci", "secret": "{}"}',
    "vault": "# vault_token: {}",
}
SERVICES = {
    "CORE_SECRET": "# - CORE_SECRET={}",
    "UI_SECRET": "#      - UI_SECRET={}",
    "JOBSERVICE_SECRET": '#  JOBSERVICE_SECRET: "{}"',
    "MySQL root": "#   MYSQL_ROOT_PASSWORD: {}",
    "postgres URL": "#   DATABASE: postgres://harbor:{}@postgres/registry?sslmode=disable",
    "redis URL": "#   REDIS: redis://:{}@redis:6379/0",
    "MySQL address": "#   DSN: registry:{}@tcp(mysql:3306)/registry",
    "amqp URL": "#   QUEUE: amqp://guest:{}@mq:5672/",
    "docker auth": '#   {"auths": {"cargo.test": {"auth": "{login}"}}}',
    "base64 dockerconfigjson": "#   .dockerconfigjson: {login}",
    "kubernetes env": '#   {"name": "DB_PASSWORD", "value": "{}"}',
    "key in base64": f"#   key: {b64(f'-----BEGIN {_KEY}-----')}{{b64}}",
}
HISTORY = {
    "docker login -p": "# docker login -u admin -p {} cargo.test",
    "docker login --password": "# docker login --username=admin --password={} cargo.test",
    "curl -u": "# curl -sk -u admin:{} https://cargo.test/api/users",
    "sshpass": "# sshpass -p {} ssh root@203.0.113.14",
    "mysql -p": "# docker exec mysql mysql -uroot -p{} registry",
    "skopeo": "# skopeo copy --src-creds admin:{} docker://a docker://b",
    "kubectl": "# kubectl create secret docker-registry r --docker-password={}",
    "export": "# export REGISTRY_PASSWORD={}",
}
PASTED = {
    "pasted header": "> Authorization: Basic {login}",
    "pasted cookie": "< Set-Cookie: beegosessionID={}; Path=/; HttpOnly",
    "pasted URL": 'Get "https://admin:{}@cargo.test/v2/": dial tcp: lookup cargo.test: no such host',
    "pasted token": '{"token": "eyJhbGciOiJSUzI1NiJ9.{b64}.c2lnbmF0dXJl", "access_token": "{}"}',
    "pasted secret": 'apiVersion: v1\nkind: Secret\ndata:\n  password: {b64}',
}  # fmt: skip
FILES: Mapping[str, Mapping[str, str]] = {
    CONFIG: REGISTRY,
    NGINX: FRONT,
    ENV: SETTINGS,
    COMPOSE: SERVICES,
    HOSTS: HISTORY,
}


def plant(sandbox: Any, machine: str, files: Mapping[str, Mapping[str, str]] = FILES) -> Planted:
    """Writes the secrets and the marker into the files of a machine, which are kept beside."""
    planted = Planted()
    for path, texts in files.items():
        content = f"# {MARKER}\n{planted.lines(texts)}# {MARKER}\n"
        script = 'cp -a "$0" "$0.kept" && printf %s "$1" | base64 -d >> "$0"'
        done = sandbox.on(machine, "bash", "-c", script, path, b64(content))
        assert done.returncode == 0, done.stderr
    return planted


def unplant(sandbox: Any, machine: str, files: Mapping[str, Mapping[str, str]] = FILES) -> None:
    """The files as they were."""
    for path in files:
        sandbox.on(machine, "bash", "-c", 'cat "$0.kept" > "$0" && rm "$0.kept"', path)


def outputs(evidence: str) -> str:
    """All that was seen, of an evidence file."""
    lines = [json.loads(line) for line in evidence.split("\n") if line]
    return "\n".join(str(line.get("output", "")) + str(line.get("error", "")) for line in lines)

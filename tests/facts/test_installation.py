"""What the files of an installation say, and on which line."""

from __future__ import annotations

import pytest

from cargo_runbook.facts.installation import (
    Made,
    read_auth,
    read_compose,
    read_made,
    read_modified,
    read_not_found,
    read_settings,
    split_files,
)
from cargo_runbook.facts.nginx_conf import Upstream, read_check_lines, read_token_upstreams
from cargo_runbook.facts.registry import read_challenge_text

GUIDE = """version: '2'
services:
  proxy:
    image: cargo.example/release/tengine:2.1.0
    container_name: tengine
    # - "cargo-admin:192.0.2.9"
    extra_hosts:
      - "cargo-admin:192.0.2.20"
      - "other:192.0.2.21"
    ports:
      - 443:443
"""
OLD = """proxy:
  extra_hosts:
    cargo-admin.example.test: 192.0.2.20
"""


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        (GUIDE, [("cargo-admin", "192.0.2.20", 8)]),
        (OLD, [("cargo-admin.example.test", "192.0.2.20", 3)]),
        ('services: {proxy: {extra_hosts: ["cargo-admin:2001:db8::20"]}}', [("cargo-admin", "2001:db8::20", 1)]),
        ("services: {proxy: {extra_hosts: [cargo-administrator:192.0.2.1]}}", []),
        ("services: [", []),
        ("", []),
    ],
)
def test_the_token_service_of_a_compose_file_is_found_with_its_line(
    text: str, entries: list[tuple[str, str, int]]
) -> None:
    assert [(p.name, p.value, p.line) for p in read_compose("f.yml", text)] == entries


def test_both_spellings_of_the_setting_are_read_and_only_at_the_start_of_a_line() -> None:
    text = "cargo_domain: cargo.example\n# cargo_token_service: 1\ncargo_token_service: '192.0.2.20'  # VIP\n"
    text += "other:\n  cargo_token_service: 3\ncargo_cluster_master_vip: 192.0.2.30\n"
    assert [(p.name, p.value, p.line) for p in read_settings("env-ha.yml", text)] == [
        ("cargo_domain", "cargo.example", 1),
        ("cargo_token_service", "192.0.2.20", 3),
        ("cargo_cluster_master_vip", "192.0.2.30", 6),
    ]


def test_head_of_several_files_is_taken_apart() -> None:
    printed = "==> /a/env-single.yml <==\nx: 1\n\n==> /a/c.yml <==\ny: 2\n"
    assert split_files(printed) == {"/a/env-single.yml": "x: 1\n\n", "/a/c.yml": "y: 2\n"}
    assert split_files("") == {}


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("auth:\n  token:\n    realm: https://cargo.example/service/token\n", "token", 3),
        ("auth:\n  htpasswd:\n    realm: harbor-registry-basic-realm\n    path: /etc/registry/passwd\n", "htpasswd", 3),
        ("auth: {token: {}}\n", "token", None),
        ("version: 0.1\n", "", None),
        ("auth: [", "", None),
    ],
)
def test_the_kind_of_auth_and_the_line_of_the_realm(text: str, kind: str, line: int | None) -> None:
    found, realm = read_auth("config.yml", text)
    assert (found, realm.line if realm else None) == (kind, line)


def test_stat_and_docker_inspect_are_read() -> None:
    assert read_modified("1700000000 /a/config.yml\nstat: cannot stat '/a/b'\n") == {"/a/config.yml": 1700000000.0}
    printed = (
        '/tengine 2026-11-24T17:10:17.751672680Z ["cargo-admin:192.0.2.20"]\n'
        "/registry 2026-11-24T17:10:18Z null\nError: No such object: x\n"
    )
    tengine, registry, *_ = read_made(printed)
    assert (tengine.name, tengine.extra_hosts) == ("tengine", (("cargo-admin", "192.0.2.20"),))
    assert registry == Made("registry", tengine.started + 0.24832732, ()) or registry.started > tengine.started


def test_only_nginxs_last_reason_for_ending_counts() -> None:
    lost = 'nginx: [emerg] host not found in upstream "cargo-admin:30099" in /run/nginx.conf:21'
    assert read_not_found(f"x\n{lost}\n") == "cargo-admin"
    assert read_not_found(f"{lost}\nnginx: [emerg] bind() to 0.0.0.0:443 failed\n") == ""
    assert read_not_found("") == ""


CONF = """http {
  upstream registry {
    server registry:5000;
  }
  # upstream old { server cargo-admin:1; }
  upstream token-service {
    server cargo-admin:30099 max_fails=1 fail_timeout=5s;
    server ui:8080 backup;
    check_http_send "GET /registryproxy/v2 HTTP/1.0\\r\\nX-Cargo: Cargo.example\\r\\n\\r\\n";
  }
}
"""


def test_the_upstream_of_the_token_service_and_its_check_are_found_with_their_lines() -> None:
    assert read_token_upstreams(CONF) == (Upstream("cargo-admin", 30099, 7, False), Upstream("ui", 8080, 8, True))
    assert read_check_lines(CONF) == ((9, "cargo.example"),)


def test_the_realm_is_read_from_what_curl_printed() -> None:
    printed = 'HTTP/1.1 401 Unauthorized\r\nWww-Authenticate: Bearer realm="https://a.example/t",service="s"\r\n\r\n{}'
    realm = read_challenge_text(printed)
    assert realm is not None
    assert realm.host == "a.example"
    assert read_challenge_text("HTTP/1.1 200 OK\r\n\r\n") is None

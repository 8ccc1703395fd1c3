"""Edits change the lines that they mean and no byte else, whatever a hand has made of the file."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from cargo_runbook.facts.hosts_file import addresses_of, read_hosts
from cargo_runbook.facts.installation import read_auth, read_compose, read_settings
from cargo_runbook.facts.nginx_conf import read_checked_domains, read_token_upstreams
from cargo_runbook.remedies.edits.domain import set_checked_domain, set_realm
from cargo_runbook.remedies.edits.hosts import set_address
from cargo_runbook.remedies.edits.lines import changed_lines, lines_of
from cargo_runbook.remedies.edits.token_service import set_extra_host, set_setting, set_upstream

NEW = "cargo.example.com"


def changed(old: str, new: str) -> list[tuple[str, str]]:
    """The lines that differ, of texts with as many lines."""
    before, after = lines_of(old), lines_of(new)
    assert len(before) == len(after)
    return [(a, b) for a, b in zip(before, after, strict=True) if a != b]


# --- lines


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_lines_joined_are_the_text(text: str) -> None:
    assert "".join(lines_of(text)) == text
    assert changed_lines(text, lambda line: line) == text


# --- registry config.yml

CONFIGS = {
    "plain": "auth:\n  token:\n    realm: https://old.example.com/service/token\n    service: x\n",
    "tabs before a comment": "auth:\n  token:\n    realm: https://old.example.com/service/token\t# of 2018\n",
    "single quotes": "auth:\n  token:\n    realm: 'https://old.example.com/service/token'\n",
    "double quotes": 'auth:\n  token:\n    realm:   "https://old.example.com/service/token"   # why\n',
    "windows line ends": "auth:\r\n  token:\r\n    realm: https://old.example.com/service/token\r\n    service: x\r\n",
    "no last newline": "auth:\n  token:\n    realm: https://old.example.com/service/token",
    "a comment with a realm": "# realm: https://other.example.com/x\nauth:\n  token:\n    realm: https://old.example.com/service/token\n",
    "http and a port": "auth:\n  token:\n    realm: http://old.example.com:8443/service/token\n",
    "an anchor": "x: &a\n  realm: https://old.example.com/service/token\nauth:\n  token: *a\n",
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_realm_is_set_and_one_line_changes(name: str) -> None:
    old = CONFIGS[name]
    new = set_realm(old, NEW)
    _, realm = read_auth("config.yml", new)
    assert realm is not None
    assert realm.value == f"https://{NEW}/service/token"
    ((was, now),) = changed(old, new)
    assert now.replace(NEW, "*") == was.replace("http://old.example.com:8443", "https://*").replace(
        "old.example.com", "*"
    )
    assert set_realm(new, NEW) == new


# --- nginx.conf

CHECK = 'check_http_send "GET /registryproxy/v2 HTTP/1.0\\r\\nX-Cargo: old.example.com\\r\\n\\r\\n";'
NGINX = {
    "plain": f"upstream token {{\n  server cargo-admin:30099;\n  {CHECK}\n}}\n",
    "tabs": f"upstream token {{\n\tserver\tcargo-admin:30099;\n\t{CHECK}\t# health\n}}\n",
    "windows line ends": f"upstream token {{\r\n  server cargo-admin:30099;\r\n  {CHECK}\r\n}}\r\n",
    "no last newline": f"upstream token {{\n  server cargo-admin:30099;\n  {CHECK}\n}}",
    "a second server block": (
        f"upstream token {{\n  server cargo-admin:30099;\n  {CHECK}\n}}\nserver {{\n  server_name old.example.com;\n}}\n"
    ),
    "a comment": f"# {CHECK}\nupstream token {{\n  server cargo-admin:30099;\n  {CHECK}\n}}\n",
}


@pytest.mark.parametrize("name", NGINX)
def test_the_health_check_asks_for_the_domain_and_its_escapes_stay(name: str) -> None:
    old = NGINX[name]
    new = set_checked_domain(old, NEW)
    assert read_checked_domains(new) == (NEW,)
    ((was, now),) = changed(old, new)
    assert now == was.replace("old.example.com", NEW)
    assert "\\r\\nX-Cargo: " in now
    assert set_checked_domain(new, NEW) == new


@pytest.mark.parametrize("name", NGINX)
def test_an_upstream_gets_name_and_port_and_keeps_the_rest_of_its_line(name: str) -> None:
    old = NGINX[name].replace("cargo-admin:30099;", "cargo-admin:30098 max_fails=1;")
    new = set_upstream(old, "cargo-admin.example.com", 30099)
    (server,) = read_token_upstreams(new)
    assert (server.host, server.port) == ("cargo-admin.example.com", 30099)
    ((was, now),) = changed(old, new)
    assert now == was.replace("cargo-admin:30098", "cargo-admin.example.com:30099")


# --- compose file and settings

HEAD = "version: '2'\nservices:\n  proxy:\n    image: a:1 # tengine\n"
COMPOSE = {
    "list, double quotes": HEAD + '    extra_hosts:\n      - "cargo-admin:127.0.0.1"\n',
    "list, no quotes": HEAD + "    extra_hosts:\n      - cargo-admin:127.0.0.1\n",
    "list, single quotes and a comment": HEAD + "    extra_hosts:\n    - 'cargo-admin:127.0.0.1' # VIP\n",
    "mapping": HEAD + "    extra_hosts:\n      cargo-admin: 127.0.0.1\n",
    "several entries": HEAD
    + '    extra_hosts:\n      - "other:192.0.2.9"\n      - "cargo-admin:127.0.0.1"\n      - "third:192.0.2.8"\n',
    "old host name": HEAD + '    extra_hosts:\n      - "cargo-admin.example.com:127.0.0.1"\n',
    "windows line ends": (HEAD + '    extra_hosts:\n      - "cargo-admin:127.0.0.1"\n').replace("\n", "\r\n"),
    "no last newline": HEAD + '    extra_hosts:\n      - "cargo-admin:127.0.0.1"',
    "an anchor": HEAD + '    extra_hosts: &hosts\n      - "cargo-admin:127.0.0.1"\n  ui:\n    extra_hosts: *hosts\n',
    "two services": HEAD
    + '    extra_hosts:\n      - "cargo-admin:127.0.0.1"\n  ui:\n    extra_hosts:\n      - "else:192.0.2.7"\n',
}


@pytest.mark.parametrize("name", COMPOSE)
def test_extra_hosts_gets_the_address_and_one_line_changes(name: str) -> None:
    old = COMPOSE[name]
    new = set_extra_host(old, "192.0.2.20")
    assert {place.value for place in read_compose("c.yml", new)} == {"192.0.2.20"}
    ((was, now),) = changed(old, new)
    assert now == was.replace("127.0.0.1", "192.0.2.20")
    assert YAML(typ="safe", pure=True).load(new)["services"]["proxy"]["image"] == "a:1"


@pytest.mark.parametrize("key", ["cargo_token_service", "cargo_cluster_master_vip"])
@pytest.mark.parametrize("form", ["{}: 127.0.0.1", "{}: '127.0.0.1'  # VIP", '{}:\t"127.0.0.1"', "{}: "])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_a_setting_gets_the_address_under_either_key(key: str, form: str, end: str) -> None:
    old = f"# {key}: 192.0.2.1\ncargo_domain: x.example.com\n{form.format(key)}{end}"
    new = set_setting(old, "192.0.2.20")
    assert [p.value for p in read_settings("e.yml", new) if p.name == key] == ["192.0.2.20"]
    assert len(changed(old, new)) == 1
    assert new.endswith(end)


# --- hosts files

NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]([a-z0-9]{0,4}))?", fullmatch=True)
ADDRESSES = st.ip_addresses(v=4).map(str)
SPACE = st.sampled_from([" ", "\t", "  ", " \t"])
ENDS = st.sampled_from(["\n", "\r\n"])


@st.composite
def hosts_files(draw: st.DrawFn) -> str:
    lines = []
    for _ in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(["entry", "entry", "comment", "blank"]))
        if kind == "entry":
            words = [draw(ADDRESSES), *draw(st.lists(NAMES, min_size=1, max_size=3))]
            comment = draw(st.sampled_from(["", " # here", "\t#there"]))
            lines.append(draw(SPACE).join(words) + comment)
        else:
            lines.append("# a comment" if kind == "comment" else "")
    text = "".join(line + draw(ENDS) for line in lines)
    return text.rstrip("\r\n") if draw(st.booleans()) else text


@example("10.0.0.0 b\n10.0.0.0 a b\n", "a", "0.0.0.0")
@given(hosts_files(), NAMES, ADDRESSES)
def test_a_name_has_exactly_the_address_and_all_others_keep_theirs(text: str, name: str, address: str) -> None:
    new = set_address(text, name, address)
    assert set(addresses_of(read_hosts(new), name)) == {address}
    for other in {n for entry in read_hosts(text) for n in entry.names} - {name}:
        assert addresses_of(read_hosts(new), other) == addresses_of(read_hosts(text), other)
    assert set_address(new, name, address) == new
    untouched = [line for line in lines_of(text) if name not in line.partition("#")[0].lower().split()]
    kept = [line.rstrip("\r\n") for line in lines_of(new)]
    # What is left of a line that had the name may read as another line does: so in their order, and one line more at most.
    rest = iter(kept)
    assert [line for line in untouched if line.rstrip("\r\n") not in rest] == []
    assert len(kept) <= len(lines_of(text)) + 1


def test_a_last_line_without_an_end_stays_without() -> None:
    assert set_address("127.0.0.1 localhost", "a.example", "192.0.2.1") == "127.0.0.1 localhost\n192.0.2.1 a.example"
    assert set_address("127.0.0.1 localhost\r\n", "a.example", "192.0.2.1").endswith("192.0.2.1 a.example\r\n")

"""Edits of files that a hand has been at: whatever stands around the line that is meant, it alone changes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from cargo_runbook.facts.installation import read_auth, read_compose, read_settings
from cargo_runbook.facts.nginx_conf import read_checked_domains, read_token_upstreams
from cargo_runbook.inventory.credentials import Login
from cargo_runbook.remedies.edits.corefile import set_hosts_entry
from cargo_runbook.remedies.edits.docker_config import set_login
from cargo_runbook.remedies.edits.domain import set_checked_domain, set_realm
from cargo_runbook.remedies.edits.lines import lines_of
from cargo_runbook.remedies.edits.token_service import set_extra_host, set_setting, set_upstream
from cargo_runbook.secret import Secret

pytestmark = pytest.mark.slow
OLD, NEW = "old.example.com", "cargo.example.com"
HERE, THERE = "127.0.0.1", "192.0.2.20"
COMMENTS = st.sampled_from(["", " # of 2018", "\t# note: realm", "  #", " # {"])
QUOTES = st.sampled_from(["", '"', "'"])
BLANKS = st.sampled_from([" ", "  ", "\t", " \t "])
REMARKS = st.lists(
    st.sampled_from(
        ["", "# realm: https://else.example/x", "\t# a tab first", f"# - cargo-admin:{HERE}", f"# X-Cargo: {OLD}", "#"]
    ),
    max_size=3,
)


# A line that begins with a tab is an error to every reader of YAML.
YAML_REMARKS = REMARKS.filter(lambda lines: not any(line.startswith("\t") for line in lines))


@st.composite
def finished(draw: st.DrawFn, lines: list[str], remarks: st.SearchStrategy[list[str]] = REMARKS) -> str:
    """The lines with comments between them, with Unix or Windows line ends, with or without the last one."""
    done: list[str] = []
    for line in lines:
        done += [*draw(remarks), line]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    text = end.join(done)
    return text if draw(st.booleans()) else text + end


@st.composite
def configs(draw: st.DrawFn) -> str:
    quote = draw(QUOTES)
    anchor = draw(st.sampled_from(["", " &token", " &a1"]))
    realm = f"    realm:{draw(st.sampled_from([' ', '   ']))}{quote}https://{OLD}/service/token{quote}{draw(COMMENTS)}"
    token = [realm, "    service: x", "    issuer: 'y'"]
    again = [f"other: *{anchor.strip(' &')}"] if anchor else []
    return draw(
        finished(["version: 0.1", "auth:", f"  token:{anchor}", *draw(st.permutations(token)), *again], YAML_REMARKS)
    )


@st.composite
def fronts(draw: st.DrawFn) -> str:
    blank = draw(BLANKS)
    check = f'{blank}check_http_send "GET /registryproxy/v2 HTTP/1.0\\r\\nX-Cargo: {OLD}\\r\\n\\r\\n";{draw(COMMENTS)}'
    server = (
        f"{blank}server{draw(BLANKS)}cargo-admin:30098{draw(st.sampled_from(['', ' max_fails=1']))};{draw(COMMENTS)}"
    )
    second = ["server {", f"  server_name {OLD};", "}"] if draw(st.booleans()) else []
    return draw(finished([*second, "upstream token {", *draw(st.permutations([check, server])), "}", *second]))


@st.composite
def composes(draw: st.DrawFn) -> str:
    quote, blank = draw(QUOTES), " " * draw(st.integers(4, 8))
    name = draw(st.sampled_from(["cargo-admin", "cargo-admin.example.com"]))
    others = [f"{blank}- other{n}:192.0.2.{n}" for n in range(draw(st.integers(0, 3)))]
    entry = f"{blank}- {quote}{name}:{HERE}{quote}{draw(COMMENTS)}"
    anchor = draw(st.booleans())
    head = ["services:", "  proxy:", "    image: a:1 # tengine", f"    extra_hosts:{' &hosts' if anchor else ''}"]
    tail = ["  ui:", "    image: b", *(["    extra_hosts: *hosts"] if anchor else [])]
    return draw(finished([*head, *draw(st.permutations([*others, entry])), *tail], YAML_REMARKS))


@st.composite
def settings(draw: st.DrawFn) -> str:
    quote, key = draw(QUOTES), draw(st.sampled_from(["cargo_token_service", "cargo_cluster_master_vip"]))
    line = f"{key}:{draw(BLANKS)}{quote}{HERE}{quote}{draw(COMMENTS)}"
    return draw(
        finished(draw(st.permutations([f"cargo_domain: {OLD}", line, "generate_certs_auto: true"])), YAML_REMARKS)
    )


def only_line(old: str, new: str, was: str, now: str) -> None:
    """One line differs, by `now` in the place of `was` alone."""
    before, after = lines_of(old), lines_of(new)
    assert len(before) == len(after)
    ((a, b),) = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert b == a.replace(was, now)


def readable(text: str) -> str:
    """ruamel.yaml takes no tab before a comment; Cargo's own readers do."""
    return text.replace("\t#", " #")


@given(configs())
def test_a_realm_is_the_only_line_that_changes(text: str) -> None:
    new = set_realm(text, NEW)
    only_line(text, new, OLD, NEW)
    _, realm = read_auth("config.yml", readable(new))
    assert YAML(typ="safe", pure=True).load(readable(new))["auth"]["token"]["realm"] == f"https://{NEW}/service/token"
    assert realm is not None
    assert set_realm(new, NEW) == new


@given(fronts())
def test_a_health_check_and_an_upstream_are_the_only_lines_that_change(text: str) -> None:
    new = set_checked_domain(text, NEW)
    only_line(text, new, OLD, NEW)
    assert read_checked_domains(new) == (NEW,)
    newer = set_upstream(new, "cargo-admin", 30099)
    only_line(new, newer, "cargo-admin:30098", "cargo-admin:30099")
    assert [(each.host, each.port) for each in read_token_upstreams(newer)] == [("cargo-admin", 30099)]
    assert set_upstream(set_checked_domain(newer, NEW), "cargo-admin", 30099) == newer


@given(composes())
def test_an_extra_host_is_the_only_line_that_changes(text: str) -> None:
    new = set_extra_host(text, THERE)
    only_line(text, new, HERE, THERE)
    assert {place.value for place in read_compose("c.yml", readable(new))} == {THERE}
    assert set_extra_host(new, THERE) == new


@given(settings())
def test_a_setting_is_the_only_line_that_changes(text: str) -> None:
    new = set_setting(text, THERE)
    only_line(text, new, HERE, THERE)
    assert [
        place.value for place in read_settings("e.yml", new) if place.name.startswith("cargo_") and place.value == THERE
    ]
    assert set_setting(new, THERE) == new


@st.composite
def corefiles(draw: st.DrawFn) -> str:
    remarks = COMMENTS.filter(lambda comment: "{" not in comment)
    others = [f"        192.0.2.{n} other{n}.example{draw(remarks)}" for n in range(draw(st.integers(0, 3)))]
    block = ["    hosts {", *others, "        ttl 60", "        fallthrough", "    }"] if draw(st.booleans()) else []
    health = ["    health {", "       lameduck 5s", "    }"]
    plugins = draw(st.permutations([["    errors"], block, health, ["    reload"]]))
    first = ["stub.example:53 {", "    forward . 192.0.2.1", "}"] if draw(st.booleans()) else []
    head = draw(st.sampled_from([".:53 {", ". {", ".:53  {"]))
    return draw(finished([*first, head, *(line for plugin in plugins for line in plugin), "}"]))


@given(corefiles())
def test_an_entry_of_coredns_is_added_and_every_other_line_stays(text: str) -> None:
    new = set_hosts_entry(text, NEW, THERE)
    left = iter(lines_of(new))
    assert [line for line in lines_of(text) if line not in left] == []
    assert len(lines_of(new)) - len(lines_of(text)) == (1 if "hosts {" in text else 4)
    assert [line.split() for line in new.splitlines() if NEW in line] == [[THERE, NEW]]
    assert set_hosts_entry(new, NEW, THERE) == new


LEAVES = st.one_of(st.booleans(), st.integers(), st.text(max_size=5))
VALUES = st.recursive(LEAVES, lambda inner: st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6)
AUTHS = st.dictionaries(st.sampled_from([NEW, OLD, "https://index.docker.io/v1/"]), st.just({"auth": "eDp5"}))
KEPT = {"credsStore", "credHelpers", "auths"}


@given(st.dictionaries(st.text(max_size=8).filter(lambda key: key not in KEPT), VALUES, max_size=4), AUTHS)
def test_a_login_is_the_only_thing_that_changes_in_dockers_configuration(
    body: dict[str, object], auths: dict[str, object]
) -> None:
    new = set_login(json.dumps({**body, "auths": auths}, indent=4), NEW, Login("alice", Secret("p:w")))
    done = json.loads(new)
    assert done["auths"].pop(NEW) == {"auth": "YWxpY2U6cDp3"}
    auths.pop(NEW, None)
    assert done == {**body, "auths": auths}

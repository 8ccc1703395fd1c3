"""Hosts files, the guide's own examples among them."""

from __future__ import annotations

from cargo_runbook.facts.hosts_file import addresses_of, read_hosts, token_service_entries

TENGINE = """127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
ff02::2\tip6-allrouters
# 192.0.2.9 cargo-admin
192.0.2.20\tcargo-admin   # the VIP

172.19.0.10\ta78fb61e1288
"""


def test_the_token_service_is_read_from_tengines_hosts_file() -> None:
    (entry,) = token_service_entries(read_hosts(TENGINE))
    assert (entry.address, entry.names, entry.line) == ("192.0.2.20", ("cargo-admin",), 5)


def test_older_cargo_has_the_name_with_a_domain() -> None:
    (entry,) = token_service_entries(read_hosts("192.0.2.20 cargo-admin.example.test"))
    assert entry.address == "192.0.2.20"


def test_a_name_that_only_begins_alike_is_another_name() -> None:
    assert token_service_entries(read_hosts("192.0.2.20 cargo-administrator my-cargo-admin")) == ()


def test_names_are_whole_words_in_any_case() -> None:
    entries = read_hosts("192.0.2.1 Cargo.Example. other\n192.0.2.2 notcargo.example\n")
    assert addresses_of(entries, "cargo.example") == ("192.0.2.1",)
    assert addresses_of(entries, "example") == ()


def test_a_line_without_a_name_says_nothing() -> None:
    assert read_hosts("192.0.2.1\n\n   \n#x y\n") == ()

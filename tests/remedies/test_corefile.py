"""An entry in CoreDNS' hosts block, whatever the Corefile looks like."""

from __future__ import annotations

import pytest

from cargo_runbook.remedies.edits.corefile import NoBlock, hosts_file, server_block, set_hosts_entry

NAME, ADDRESS = "cargo.example", "192.0.2.14"
PLAIN = """\
# made by kubeadm
.:53 {
    errors
    health {
       lameduck 5s
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
    }
    forward . /etc/resolv.conf
    reload
}
"""
BLOCK = PLAIN.replace(
    "    forward",
    "    hosts {\n        192.0.2.9 other.example # kept\n        ttl 60\n        fallthrough\n    }\n    forward",
)
FORMS = {
    "no hosts block": PLAIN,
    "a hosts block": BLOCK,
    "NodeHosts of k3s": BLOCK.replace("hosts {", "hosts /etc/coredns/NodeHosts {"),
    "a hosts file without a block": PLAIN.replace("    forward", "    hosts /etc/coredns/NodeHosts\n    forward"),
    "an older address": BLOCK.replace("192.0.2.9 other.example", f"192.0.2.250 {NAME}"),
    "an empty block": BLOCK.replace("        192.0.2.9 other.example # kept\n", ""),
    "tabs": BLOCK.replace("    ", "\t"),
    "Windows line ends": BLOCK.replace("\n", "\r\n"),
    "another server block first": f"stub.example:53 {{\n    forward . 192.0.2.1\n}}\n{BLOCK}",
    "without a port": BLOCK.replace(".:53 {", ". {"),
    "no last newline": BLOCK.rstrip("\n"),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_the_entry_is_in_the_block_for_all_names_and_the_rest_stays(text: str) -> None:
    after = set_hosts_entry(text, NAME, ADDRESS)
    inside = after[after.index("hosts") :]
    inside = inside[: inside.index("}")]
    assert [line.split() for line in inside.splitlines() if NAME in line] == [[ADDRESS, NAME]]
    assert any(line.split() == ["fallthrough"] for line in inside.splitlines())
    kept = iter(after.splitlines())
    stays = [line for line in text.splitlines() if NAME not in line and not line.strip().startswith("hosts")]
    assert [line for line in stays if line not in kept] == []
    assert after.count("{") == after.count("}")
    assert ("\r\n" in text) == ("\r\n" in after)
    assert set_hosts_entry(after, NAME, ADDRESS) == after


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no server block"),
        ("example.org:53 {\n    forward . 192.0.2.1\n}\n", "no server block"),
        (BLOCK.replace("        fallthrough\n", ""), "answers for all names"),
    ],
)
def test_what_would_take_names_away_from_others_is_refused(text: str, why: str) -> None:
    with pytest.raises(NoBlock, match=why):
        set_hosts_entry(text, NAME, ADDRESS)


def test_a_file_of_its_own_answers_for_one_name() -> None:
    assert server_block(NAME, ADDRESS).split() == [f"{NAME}:53", "{", "hosts", "{", ADDRESS, NAME, "}", "}"]


def test_the_file_of_the_hosts_block_is_named_unless_the_name_stands_in_the_block() -> None:
    assert hosts_file(PLAIN, NAME) == ""
    assert hosts_file(BLOCK, NAME) == ""
    assert hosts_file(FORMS["NodeHosts of k3s"], NAME) == "/etc/coredns/NodeHosts"
    assert hosts_file(FORMS["a hosts file without a block"], NAME) == "/etc/coredns/NodeHosts"
    inline = FORMS["an older address"].replace("hosts {", "hosts /etc/coredns/NodeHosts {")
    assert hosts_file(inline, NAME) == "", "it would have two addresses"
    assert hosts_file(f"stub.example {{\n    hosts /other\n}}\n{BLOCK}", NAME) == ""

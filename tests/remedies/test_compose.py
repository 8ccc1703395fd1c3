"""An entry in `extra_hosts` of one service: whatever the file looks like, every other byte stays."""

from __future__ import annotations

import difflib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from cargo_runbook.remedies.edits.compose import CannotEdit, set_extra_host_of

NAME, ADDRESS = "devops.example", "192.0.2.17"
PLAIN = """\
version: '2'
services:
  registry:
    container_name: harbor-registry
    extra_hosts:
      - "other:192.0.2.9"
  # where replication runs
  jobservice:
    image: jobservice:v1   # pinned
    container_name: harbor-jobservice
    networks: [cargo]
  proxy:
    container_name: tengine
networks:
  cargo:
"""
LIST = PLAIN.replace(
    "    networks: [cargo]\n",
    '    extra_hosts:   # names\n      - "a.example:192.0.2.1"\n\n      - b.example:192.0.2.2 # b\n',
)
FORMS = {
    "no extra_hosts": PLAIN,
    "a list": LIST,
    "a list as far left as its key": LIST.replace('      - "a', '    - "a').replace("      - b", "    - b"),
    "a mapping": PLAIN.replace("    networks: [cargo]\n", "    extra_hosts:\n      a.example: 192.0.2.1\n"),
    "an older address": LIST.replace("a.example:192.0.2.1", f"{NAME}:192.0.2.250"),
    "tabs before a comment": LIST.replace(" # b", "\t# b"),
    "Windows line ends": LIST.replace("\n", "\r\n"),
    "no last newline": PLAIN.split("  proxy:")[0].replace(
        "    networks: [cargo]\n", '    extra_hosts:\n      - "a:192.0.2.1"'
    ),
    "an anchor": LIST.replace("  jobservice:", "  jobservice: &job"),
    "quoted keys": LIST.replace("  jobservice:", '  "jobservice":'),
    "deep indentation": PLAIN.replace("\n  ", "\n      ").replace("\n      # ", "\n  # "),
}


def hosts_of(text: str) -> dict[str, dict[str, str]]:
    found = {}
    for name, body in YAML(typ="safe").load(text.replace("\t#", " #"))["services"].items():
        entries = body.get("extra_hosts") or []
        pairs = entries.items() if isinstance(entries, dict) else (entry.split(":", 1) for entry in entries)
        found[name] = {key: value.strip() for key, value in pairs}
    return found


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_the_entry_is_there_and_nothing_else_has_changed(text: str) -> None:
    after = set_extra_host_of(text, "harbor-jobservice", NAME, ADDRESS)
    before = hosts_of(text)
    assert hosts_of(after) == {**before, "jobservice": {**before["jobservice"], NAME: ADDRESS}}
    changed = [line for line in difflib.ndiff(text.splitlines(True), after.splitlines(True)) if line[0] in "+-"]
    assert len(changed) <= 3, "".join(changed)
    assert ("\r\n" in text) == ("\r\n" in after)
    assert after.count("\r\n") in (0, after.count("\n"))
    assert set_extra_host_of(after, "harbor-jobservice", NAME, ADDRESS) == after


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (PLAIN.replace("harbor-jobservice", "x").replace("jobservice:", "y:", 1), "no service"),
        (PLAIN.replace("[cargo]", "[cargo]\n    extra_hosts: ['a:192.0.2.1']"), "one line"),
        ("services: [", "no YAML"),
        ("a: 1", "no services"),
        (PLAIN.replace("  jobservice:", "  jobservice: {container_name: harbor-jobservice}\n  other:"), "form"),
        (PLAIN.replace("  jobservice:\n", "  jobservice:\n    <<: {extra_hosts: ['z:192.0.2.3']}\n"), "form"),
    ],
)
def test_what_lines_can_not_carry_is_refused(text: str, why: str) -> None:
    with pytest.raises(CannotEdit, match=why):
        set_extra_host_of(text, "harbor-jobservice", NAME, ADDRESS)


WORDS = st.text(string.ascii_lowercase, min_size=1, max_size=8)


@given(
    st.lists(st.tuples(WORDS, st.ip_addresses(v=4)), max_size=4, unique_by=lambda pair: pair[0]),
    st.sampled_from(["", '"', "'"]),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(2, 6),
)
def test_any_list_keeps_its_entries(
    entries: list[tuple[str, object]], quote: str, comment: bool, end: str, indent: int
) -> None:
    blank = " " * indent
    lines = ["services:", f"{blank}jobservice:", f"{blank * 2}image: x"]
    if entries:
        lines.append(f"{blank * 2}extra_hosts:")
        lines += [f"{blank * 2}- {quote}{name}:{address}{quote}{' # why' * comment}" for name, address in entries]
    text = end.join([*lines, f"{blank}proxy:", f"{blank * 2}image: y", ""])
    after = set_extra_host_of(text, "jobservice", NAME, ADDRESS)
    assert hosts_of(after)["jobservice"] == {**{n: str(a) for n, a in entries}, NAME: ADDRESS}
    kept = iter(after.splitlines(True))
    assert all(line in kept for line in text.splitlines(True)), "every old line is there, in its order"

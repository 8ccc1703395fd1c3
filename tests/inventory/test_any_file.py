"""Whatever stands in a file, it is an environment or is answered with sentences."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from cargo_runbook.inventory.models import Environment
from cargo_runbook.inventory.source import read_source
from cargo_runbook.inventory.validation import validate


def _read(text: str) -> Environment | None:
    source = read_source(text)
    source.data.setdefault("name", "a")
    environment, problems = validate(source) if source.readable else (None, [])
    for problem in [*source.problems, *problems]:
        assert problem.sentence
        assert 0 <= problem.line <= text.count("\n") + text.count("\r") + 2
    assert environment is not None or source.problems or problems
    return environment


@given(st.text())
def test_any_text_is_an_environment_or_told_as_sentences(text: str) -> None:
    _read(text)


@given(st.lists(st.sampled_from([
    "domain: a.example.com\n", "hosts:\n", "  - name: a\n", "    address: b\n", "accounts: ", "[", "]", "{", "}", "- ",
    "&a ", "*a", "<<: ", "!!map ", "!x ", "? ", ": ", "'", '"', "|\n", "%YAML 1.1\n", "---\n", "...\n", "\t", "~\n", "# c\n",
    "kind: admin\n", "port: 1e3\n", "name: 0o7\n", ",", " ", "\n", "a" * 300, "\x85", "\ufeff", "\\", "@", "`",
])))  # fmt: skip
def test_any_pieces_of_yaml_are_an_environment_or_told_as_sentences(pieces: list[str]) -> None:
    _read("".join(pieces))


_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["name", "address", "hosts", "domain", "password", "context", "x"]), inner),
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*Environment.model_fields, "extra"]), _VALUES))
def test_any_values_under_the_keys_are_an_environment_or_told_as_sentences(data: dict[str, object]) -> None:
    _read(json.dumps(data))

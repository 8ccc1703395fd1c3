"""The table of causes against the guide, the finding codes, the sandbox's faults and the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from cargo_runbook.guide import NOTEBOOKS
from cargo_runbook.rules.catalog import catalog
from cargo_runbook.symptoms import CAUSES, UNKNOWN, explain
from cargo_runbook.symptoms.causes import as_markdown, cause_of, causes
from cargo_runbook.symptoms.context import words

PAGE = Path(__file__).parents[2] / "docs" / "symptoms.md"


def test_every_cause_has_an_entry_and_a_section_of_the_guide() -> None:
    assert tuple(causes()) == (*CAUSES, UNKNOWN)
    for cause in causes().values():
        assert cause.section in NOTEBOOKS
        assert cause.section_in_pod in NOTEBOOKS
        assert cause.tell.fill({"domain": "d", "repository": "r"}).zh


# 排查路径 is about everything, so a code of it may be no cause that a text can name.
@pytest.mark.parametrize(
    "code", [code.code for code in catalog().values() if not code.section.startswith("Cargo 问题")]
)
def test_every_finding_code_of_a_section_is_a_cause(code: str) -> None:
    assert cause_of(code) != UNKNOWN


@pytest.mark.parametrize(
    ("code", "candidates", "cause"),
    [
        ("CRG101", [], "dns-unresolvable"),
        ("CRG403", [], "dns-unresolvable"),
        ("CRG403", ["replication-stuck"], "replication-stuck"),
        ("CRG304", ["bad-credentials", "token-service"], "token-service"),
        ("CRG416", [], "replication-auth"),
        ("CRG439", [], "storage-or-upload"),
    ],
)
def test_a_proven_code_is_told_as_the_cause_that_the_text_suggests(
    code: str, candidates: list[str], cause: str
) -> None:
    assert cause_of(code, candidates) == cause


def test_words_of_contexts_are_small_letters_and_none_is_written_twice() -> None:
    for listed in (
        words().image,
        words().perhaps,
        words().replication,
        words().foreign,
        words().command,
        words().elsewhere,
    ):
        assert all(isinstance(word, str) and word == word.lower() for word in listed)
        assert len(set(listed)) == len(listed)


def test_the_page_has_the_table_of_causes() -> None:
    assert as_markdown() in PAGE.read_text(encoding="utf-8")


# What the docker client and the job service printed in the practice installation, fault by fault; the sandbox's own loop
# holds that they still do.
PRINTED = YAML(typ="safe").load((Path(__file__).parent / "printed_by_clients.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PRINTED)
def test_what_a_client_prints_at_a_fault_is_explained_as_that_fault(name: str) -> None:
    named = [candidate.cause for candidate in explain(PRINTED[name]["text"]).candidates]
    assert {cause_of(code, named) for code in PRINTED[name]["root_causes"]} <= set(named)

"""The tables of patterns, and what is refused in an own one."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from cargo_runbook.data import read_data
from cargo_runbook.errors import UsageError
from cargo_runbook.symptoms import Book, Pattern, explain, read_patterns, shipped
from cargo_runbook.symptoms.parts import Part, first_match
from cargo_runbook.symptoms.regexes import alternatives, literals_of
from tests.symptoms.corpus import TEXTS

OWN = """
wax-seal:
  cause: tls-trust
  weight: 99
  needs: nothing
  regex: 'the wax seal is broken'
  source: our own proxy
  finds: 'pull failed: the wax seal is broken'
  spares: 'the wax seal is fine'
"""


@pytest.mark.parametrize("pattern", shipped(), ids=lambda pattern: pattern.name)
def test_a_pattern_finds_its_positive_example_and_not_the_negative_one(pattern: Pattern) -> None:
    assert pattern.search(pattern.finds)
    assert any(literal in pattern.finds.lower() for literal in pattern.literals)
    assert not pattern.search(pattern.spares)
    assert pattern.source


def test_no_two_patterns_have_one_name() -> None:
    assert [name for name, count in Counter(pattern.name for pattern in shipped()).items() if count > 1] == []


def test_an_own_pattern_names_a_cause_that_nobody_else_knows() -> None:
    text = "pull failed: the wax seal is broken"
    assert explain(text).cause == "unknown"
    found = explain(text, Book((*read_patterns(OWN, "own.yml"), *shipped())))
    assert (found.cause, found.candidates[0].patterns) == ("tls-trust", ("wax-seal",))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ("['seal is broken', 'wax seal']", "wax seal"),
        ("['wax seal is', 'wax seal']", "wax seal is"),
    ],
)
def test_of_several_expressions_the_match_that_begins_first_counts_and_then_the_earlier_one(
    parts: str, words: str
) -> None:
    own = read_patterns(
        OWN.replace("'the wax seal is broken'\n  source", f"{parts}\n  source").replace("seal is fine", "is"), "own.yml"
    )
    assert explain("pull failed: the wax seal is broken", Book(own)).candidates[0].evidence == (words,)


@pytest.mark.parametrize(
    "failed", ["failed to", "unable to", "could not", "couldn't", "cannot", "can't", "not able to"]
)
@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("docker pull: {} resolve host reg.corp.example", "dns-unresolvable"),
        ("docker push: {} connect to reg.corp.example:443", "connection-refused-or-unreachable"),
        ("docker pull: {} verify the server certificate", "tls-trust"),
        ("docker push: {} obtain an oauth token", "token-service"),
        ("docker push: {} register layer: invalid argument", "storage-or-upload"),
        ("docker pull: {} find the image team/app:1", "repository-or-project-missing"),
        ("docker login: {} log in to reg.corp.example", "bad-credentials"),
        ("docker login: {} store credentials", "client-config"),
    ],
)
def test_the_plainest_words_may_have_any_of_their_forms(text: str, failed: str, cause: str) -> None:
    assert explain(text.format(failed)).cause == cause


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("the wax seal is broken'\n  source", "(a+)+ wax seal'\n  source", "repeats a repeat"),
        ("the wax seal is broken'\n  source", "wax.*seal'\n  source", "a wildcard without an end"),
        ("the wax seal is broken'\n  source", "[wx].'\n  source", "without any literal text"),
        ("the wax seal is broken'\n  source", "wax(seal'\n  source", "is no regular expression"),
        ("'the wax seal is broken'\n  source", "['the wax (seal', 'is) broken']\n  source", "is no regular expression"),
        ("cause: tls-trust", "cause: tls", "names the cause 'tls'"),
        ("weight: 99", "weight: 0", "has no weight"),
        ("weight: 99", "weight: heavy", "no number from 1 to 100"),
        ("needs: nothing", "needs: luck", "needs 'luck'"),
        ("needs: nothing", "colour: red", "has a field 'colour'"),
        (
            "finds: 'pull failed: the wax seal is broken'",
            "finds: 'no such thing'",
            "does not find its own positive example",
        ),
        ("spares: 'the wax seal is fine'", "spares: 'the wax seal is broken too'", "finds its negative example too"),
        (OWN, "- a\n- b\n", "holds no patterns"),
        (OWN, "a: [", "is no YAML"),
    ],
)
def test_an_own_pattern_that_can_not_work_is_refused_with_a_sentence(before: str, after: str, sentence: str) -> None:
    assert before in OWN
    with pytest.raises(UsageError) as refused:
        read_patterns(OWN.replace(before, after), "own.yml")
    assert sentence in str(refused.value)
    assert "own.yml" in str(refused.value)


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("one", ("one",)),
        ("one|two", ("one", "two")),
        ("(?:one|two) three|four", ("(?:one|two) three", "four")),
        (r"a\|b|[|)(]c|\(d|e", (r"a\|b", "[|)(]c", r"\(d", "e")),
        (r"[]|]x|[^]|\]]y", ("[]|]x", r"[^]|\]]y")),
    ],
)
def test_the_alternatives_of_an_expression_are_parted_where_a_choice_of_the_whole_is(
    source: str, parts: tuple[str, ...]
) -> None:
    assert alternatives(source) == parts


@pytest.mark.parametrize(
    ("source", "literals"),
    [
        ("status 503", {"status 503"}),
        ("(?:got|with|status) 50[234]", {" 502", " 503", " 504"}),
        ("unauthori[sz]ed", {"unauthorised", "unauthorized"}),
        ("[0-4]xy", {"0xy", "1xy", "2xy", "3xy", "4xy"}),
        (r"[\w]abc", {"abc"}),
        ("[^a]bcd", {"bcd"}),
        ("[a-z]bcd", {"bcd"}),
        ("AbC", {"abc"}),
        ("ab|cde", set()),
    ],
)
def test_the_literals_of_an_expression_are_in_every_match(source: str, literals: set[str]) -> None:
    assert set(literals_of(source)) == literals


def test_an_expression_in_small_letters_finds_what_it_finds_when_case_is_ignored() -> None:
    table = read_data("cargo_runbook.symptoms.tables", "50_access.yml")
    sources = [each for row in table.values() for each in [row["regex"]] if isinstance(each, str) and "<" not in each]
    parts = [(Part.of(source, ("any",)), re.compile(source, re.IGNORECASE)) for source in sources]
    assert len([part for part, _ in parts if not part.exact]) > 10
    for text in (text.text for text in TEXTS[::20] if text.text.isascii()):
        for part, loud in parts:
            small = first_match((part,), text, text.lower(), 0, len(text))
            wanted = loud.search(text)
            assert (small and small.span()) == (wanted and wanted.span()), (loud.pattern, text)


def test_what_tells_large_letters_from_small_ones_is_tried_on_the_text_as_it_is() -> None:
    own = OWN.replace("'the wax seal is broken'", "'the (?-i:WAX) seal is broken'").replace(
        "the wax seal is b", "the WAX seal is b"
    )
    book = Book(read_patterns(own, "own.yml"))
    assert explain("Pull failed: THE WAX SEAL is broken", book).cause == "tls-trust"
    assert explain("pull failed: the wax seal is broken", book).cause == "unknown"


def test_half_of_a_pair_of_surrogates_hides_nothing() -> None:
    assert explain("denied: \ud83d requested access to the resource is denied \udc00").cause == "permission-denied"

"""What a person reads in a terminal, as lines."""

from __future__ import annotations

import pytest

from cargo_runbook.views import words
from cargo_runbook.views.terminal import as_text, named, next_steps, verdict_card, verdict_table
from tests.views.diagnoses import OLD, evidence, healthy, silent, wrong_domain


def test_the_table_shows_each_environment_against_each_check() -> None:
    text = as_text(verdict_table([wrong_domain(), healthy(), silent()], "en"), 80)
    assert text.splitlines() == [
        "environment  dns  tls  challenge  login  token  project  pull",
        "cargo        ●    ●    ✗ 201      ○      ○      ○        ○",
        "devops       ●    ●    ●          ●      ●      ●        ●",
        "dark         ?    ?    ?          ?      ?      ?        ?",
        "",
        "✗ fault   ● ok   ○ not testable   ? could not tell",
    ]


def test_the_card_tells_the_chain_with_its_evidence() -> None:
    lines = as_text(verdict_card(wrong_domain(), evidence(), "en"), 80).splitlines()
    assert lines == [
        "cargo: CRG201 Wrong domain in the challenge   使用错误的域名访问",
        "  the registry answers 401 with realm",
        f"  https://{OLD}/service/token",
        "      E2  operator, GET https://cargo.caicloudprivatetest.com/v2/",
        "  → clients fetch their token from another host",
        f"  the name {OLD} does not exist",
        f"      E3  operator, {OLD} A @203.0.113.53",
        "  → every login fails before a password is sent",
        "  ruled out: The domain does not resolve (CRG101), The certificate is for",
        "  another name (CRG602)",
        "  could not be tested: The token is signed by a key that the registry does not",
        "  trust (CRG304), No right to pull (CRG502)",
    ]


def test_a_wide_terminal_has_the_evidence_beside_the_text() -> None:
    lines = as_text(verdict_card(wrong_domain(), evidence(), "en"), 180).splitlines()
    assert lines[1].startswith(f"  the registry answers 401 with realm https://{OLD}/service/token")
    assert lines[1].endswith("E2  operator, GET https://cargo.caicloudprivatetest.com/v2/")


@pytest.mark.parametrize("width", [60, 80, 150])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    from rich.cells import cell_len

    for diagnosis in (wrong_domain(replayed="replayed evidence of 2026-03-04"), healthy(), silent()):
        for line in as_text(verdict_card(diagnosis, evidence(), "zh"), width).splitlines():
            assert cell_len(line) <= width


def test_a_healthy_environment_and_a_silent_one_read_differently() -> None:
    assert as_text(verdict_card(healthy(), (), "en")) == "devops: No fault on the path of a pull"
    silence = as_text(verdict_card(silent(), (), "en")).splitlines()
    assert silence[0] == "dark: Could not tell whether a pull works"
    assert silence[1:2] == ["  ? The host does not answer"]


def test_replayed_evidence_says_so_in_table_and_card() -> None:
    diagnosis = wrong_domain(replayed="replayed evidence of 2026-03-04")
    assert "replayed evidence of 2026-03-04" in as_text(verdict_table([diagnosis]))
    assert "replayed evidence of 2026-03-04" in as_text(verdict_card(diagnosis))


def test_next_steps_name_the_ill_environments_alone() -> None:
    text = as_text(next_steps([wrong_domain(), healthy()], "en"))
    assert "cargo-runbook run 00_triage --env cargo " in text
    assert text.startswith("Next:   cargo-runbook run 20_wrong_domain --env cargo "), text
    assert "devops" not in text
    assert as_text(next_steps([healthy()], "en")) == ""


def commands(text: str) -> list[str]:
    """The lines that a reader copies."""
    return [line.split("cargo-runbook ", 1)[1] for line in text.splitlines() if "cargo-runbook " in line]


@pytest.mark.parametrize("width", [60, 140])
def test_each_next_step_is_about_the_recording_and_stands_on_one_line(width: int) -> None:
    text = as_text(next_steps([wrong_domain()], "en", replay="wrong-domain"), width)
    told = [line.split("   ")[0] for line in commands(text)]
    assert told == [
        "run 20_wrong_domain --env cargo --replay wrong-domain",
        "run 00_triage --env cargo --replay wrong-domain",
        "notebook --replay wrong-domain",
    ]
    assert "keep it as a record" in text


def test_of_many_codes_one_a_station_is_named() -> None:
    codes = ("CRG101", "CRG102", "CRG701", "CRG604", "CRG202", "CRG301", "CRG501")
    assert named(codes, "en", 2) == (
        "The domain does not resolve (CRG101), Nothing listens at the registry's port (CRG701) and 5 more"
    )


def test_an_escape_sequence_of_a_host_never_reaches_the_terminal() -> None:
    assert words.plain("a\x1b]0;title\x07b\u202ec\td\n") == "a␛]0;title␇b\\u202ec\td\n"
    assert words.one_line("two\n lines") == "two lines"


def test_what_a_replay_says_of_itself_is_told_in_the_readers_language() -> None:
    diagnosis = wrong_domain(replayed="replayed evidence of 2026-03-04")
    assert "⟲ 回放 2026-03-04 的证据" in as_text(verdict_card(diagnosis, language="zh"))
    assert words.replayed("sealed evidence of 2026-03-05 (replayed evidence of 2026-03-04)").zh == (
        "封存于 2026-03-05 的证据 (回放 2026-03-04 的证据)"
    )

"""Views of a notebook: the text, the HTML, and that nothing hostile gets through."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from cargo_runbook.findings import Link
from cargo_runbook.observations import HttpRequest, Observation, Status
from cargo_runbook.texts import Text
from cargo_runbook.views.notebook import VERDICT_TYPE, RecordNote, StepView, VerdictCard, View, result
from tests.views.diagnoses import OLD, STARTED, evidence, healthy, silent, wrong_domain

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'\x1b[31m"


class Page(HTMLParser):
    """Tags, ids, links and visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value or "" for key, value in self.attributes if key == name]


def step(replayed: str = "") -> StepView:
    findings = tuple(f for f in wrong_domain().findings if f.check == "challenge")
    return StepView("cargo", "challenge", findings, evidence()[1:], replayed)


def test_a_step_asks_in_both_languages_and_answers_in_one_line() -> None:
    page = Page(step().to_html())
    for text in (
        "Where does the registry send clients for a token?",
        "仓库让客户端去哪里获取 token？",
        f"The challenge names {OLD}",
        "✗ fault",
    ):
        assert text in page.text
    assert str(step()).splitlines()[1] == f"✗ The challenge names {OLD} · 质询指向 {OLD}"


def test_evidence_tells_where_what_how_when_and_how_long() -> None:
    text = " ".join(Page(step().to_html()).text.split())
    assert "E2 GET https://cargo.caicloudprivatetest.com/v2/ operator · HTTP 401" in text
    assert "operator · answered · 2026-03-04 10:04:11 UTC · 0.040 s · sha256 abababababababab…" in text
    assert f'headers.www-authenticate: Bearer realm="https://{OLD}/service/token"' in text


def test_each_link_of_the_chain_opens_its_evidence() -> None:
    html = VerdictCard(wrong_domain(), evidence()).to_html()
    chain = Page(html[html.index("<ol") : html.index("</ol>")])
    assert chain.values("data-evidence") == ["E2", "E3"]
    assert chain.tags.count("details") == 2
    assert "www-authenticate" in chain.text
    page = Page(html)
    assert page.values("data-evidence")[2:] == ["E1", "E2", "E3"]
    assert "Wrong domain in the challenge" in page.text
    assert "使用错误的域名访问" in page.text
    assert "Its challenge sends clients to the first one to fetch a token." in page.text


def test_a_card_of_a_healthy_environment_says_so_and_one_of_a_silent_one_does_not() -> None:
    assert "No fault on the path of a pull" in Page(VerdictCard(healthy()).to_html()).text
    text = Page(VerdictCard(silent()).to_html()).text
    assert "No fault" not in text
    assert "Could not tell whether a pull works" in text


def hostile_views() -> list[View]:
    observation = Observation(
        question=HttpRequest(url=f"https://h/{HOSTILE}"),
        status=Status.UNREACHABLE,
        output=HOSTILE,
        error=HOSTILE,
        data={"reason": HOSTILE, HOSTILE: [HOSTILE]},
        started=STARTED,
        duration=1,
        id="E2",
    )
    bad = Text(HOSTILE, HOSTILE)
    diagnosis = wrong_domain(environment=HOSTILE, replayed=HOSTILE)
    findings = tuple(
        replace(f, summary=bad, vantage=HOSTILE, title=bad, section=HOSTILE, chain=(Link("E2", bad, bad),))
        for f in diagnosis.findings
    )
    diagnosis = replace(diagnosis, domain=HOSTILE, findings=findings, refuted=(HOSTILE,), untested=(HOSTILE,))
    return [
        StepView(HOSTILE, "challenge", findings, (observation,), HOSTILE),
        VerdictCard(diagnosis, (observation,), HOSTILE),
        RecordNote(HOSTILE, HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), HOSTILE, (HOSTILE,)),
    ]


@pytest.mark.parametrize("view", hostile_views(), ids=lambda v: type(v).__name__)
def test_what_hosts_print_is_text_and_never_markup(view: Any) -> None:
    html = view.to_html()
    page = Page(html)
    assert "alert(1)" in page.text
    assert not {"script", "img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "\x1b" not in html
    assert "\x1b" not in str(view)


@pytest.mark.parametrize("view", [step(), VerdictCard(wrong_domain(), evidence()), RecordNote("r", "p")])
def test_a_view_loads_nothing_and_runs_nothing(view: Any) -> None:
    bundle = view._repr_mimebundle_()
    assert set(bundle) - {VERDICT_TYPE} == {"text/plain", "text/html"}
    page = Page(bundle["text/html"])
    assert not {"script", "link", "iframe", "img"} & set(page.tags)
    assert not page.values("src")
    assert "url(" not in bundle["text/html"]
    assert "@import" not in bundle["text/html"]


def test_every_view_of_a_replay_says_so() -> None:
    banner = "replayed evidence of 2026-03-04"
    card = VerdictCard(wrong_domain(replayed=banner), evidence())
    for view in (step(banner), card, RecordNote("r", "p", replayed=banner)):
        assert banner in Page(view.to_html()).text
        assert banner in str(view)


@pytest.mark.parametrize(
    ("status", "data", "said"),
    [
        (Status.ANSWERED, {"status": 401}, "HTTP 401"),
        (Status.ANSWERED, {"rcode": "NXDOMAIN", "addresses": []}, "NXDOMAIN"),
        (Status.ANSWERED, {"trusted": False, "problem": "expired"}, "not trusted: expired"),
        (Status.UNREACHABLE, {"reason": "refused"}, "unreachable: refused"),
        (Status.TIMEOUT, {}, "timeout"),
    ],
)
def test_how_asking_ended_is_told_in_few_words(status: Status, data: dict[str, Any], said: str) -> None:
    question = HttpRequest(url="https://h/v2/")
    assert result(Observation(question=question, status=status, data=data, started=STARTED, duration=1)) == said

"""The steps of 30_token_service: who answers, where Cargo looks, what the files say, how it is changed."""

from __future__ import annotations

from dataclasses import replace

from cargo_runbook.facts.installation import Place
from cargo_runbook.facts.token_service import Issuer
from cargo_runbook.findings import Verdict
from cargo_runbook.rules.token_setting import SAMPLE
from cargo_runbook.steps.token_service import accounts, addresses, answering, change, health
from tests.rules.path_facts import HEALTHY, KEY, but, token, token_service
from tests.rules.test_installation import COMPOSE, REFUSED, VIP, facts, host
from tests.steps.test_wrong_domain import WHOLE, gathered, rows


def test_the_answering_service_and_its_token_are_shown_and_compared() -> None:
    signed = replace(token("pull"), expires=HEALTHY.token.issued + 1800.0 if HEALTHY.token else 0.0)
    (table,) = answering(gathered(but(token=signed)))
    shown = {row[0].said.en: (row[1].said.en, row[1].verdict) for row in table.rows}
    assert shown == {
        "who answers": ("cargo-token", Verdict.OK),
        "signing key (kid)": (KEY, Verdict.OK),
        "issuer (iss)": ("harbor-token-issuer", Verdict.OK),
        "audience (aud)": ("harbor-registry", Verdict.OK),
        "subject (sub)": ("alice", None),
        "lifetime (exp - iat)": ("30 min", None),
    }


def test_the_built_in_service_and_the_sample_key_are_red() -> None:
    (table,) = answering(gathered(but(token_service=token_service(Issuer.BUILT_IN), token=token("pull", key=SAMPLE))))
    assert [row[1].verdict for row in table.rows][:2] == [Verdict.FAULT, Verdict.FAULT]


def test_what_is_in_effect_stands_beside_what_is_written() -> None:
    path = but(token_service=token_service(Issuer.BUILT_IN, address="127.0.0.1", answer=None))
    (table,) = addresses(gathered(path, facts(host(offered={VIP: (200, "E31")}), node_port=30099)))
    assert rows(table) == [
        [
            "tengine on cargo-1 (in effect)",
            "/etc/hosts, line 8",
            "127.0.0.1 cargo-admin",
            "leads back to tengine itself",
        ],
        ["compose file on cargo-1", f"{COMPOSE}, line 48", f"{VIP} cargo-admin", "200: knows this domain"],
        ["cargo_token_service on cargo-1", "env-single.yml, line 4", VIP, "-"],
        ["upstream on cargo-1", "config/nginx/nginx.conf, line 22", "cargo-admin:30099", "asked first"],
        ["upstream on cargo-1", "config/nginx/nginx.conf, line 23", "ui:8080", "fallback"],
        ["where it should be (inventory)", "-", f"{VIP}:30099", "200: knows this domain"],
        ["Service cargo-token (cluster)", "NodePort", "30099", "-"],
    ]
    assert [row[2].verdict for row in table.rows][1:3] == [Verdict.UNKNOWN, Verdict.UNKNOWN]


def test_dead_and_foreign_token_services_are_told_apart_in_words() -> None:
    for status, said in ((0, "no answer"), (400, "400: does not know this domain")):
        seen = token_service(Issuer.BUILT_IN, address="192.0.2.99", answer=status)
        (table,) = addresses(gathered(but(token_service=seen), facts()))
        assert rows(table)[0][3] == said


def test_the_health_checks_domain_and_the_accounts_are_marked() -> None:
    (table,) = health(gathered(seen=facts(replace(WHOLE, checks=(Place("n", 25, "X-Cargo", "old.example"),)))))
    assert table.rows[0][2].verdict is Verdict.FAULT
    (table,) = accounts(gathered(but(logins=REFUSED)))
    assert [(row[0].text, row[2].verdict) for row in table.rows] == [("admin", Verdict.OK), ("alice", Verdict.FAULT)]


def test_the_change_names_line_script_and_restart() -> None:
    wrong = replace(
        WHOLE,
        compose=(Place(COMPOSE, 48, "cargo-admin", "127.0.0.1"),),
        scripts=("restart.sh", "change-token-servce.sh"),
    )
    (table,) = change(gathered(seen=facts(wrong)))
    root = "/compass/cargo-ansible/cargo"
    assert rows(table) == [
        [f"cargo-1: {root}/{COMPOSE}, line 48", f'becomes "cargo-admin:{VIP}" (now 127.0.0.1)'],
        ["cargo-1: script", "change-token-servce.sh: read it before you run it"],
        ["cargo-1: then", f"cd {root} && ./restart.sh"],
    ]

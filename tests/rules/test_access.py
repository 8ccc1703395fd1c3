"""Rights: facts in, the cause of each `denied` out."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from cargo_runbook.facts.access import AccessFacts, Membership, ProjectFacts, Right
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.token_service import Issuer
from cargo_runbook.findings import Diagnosis, Health, Verdict
from cargo_runbook.rules.access import CODES, judge_access
from cargo_runbook.rules.triage import conclude, explain, judge
from tests.rules.path_facts import HEALTHY, but, login, settings, token, token_service, unasked

REPOSITORY = "devops_test/node"
PRIVATE = ProjectFacts("devops_test", True, "E31", True, "E32", "devops", False, frozenset(), "E33")
PUBLIC = replace(PRIVATE, public=True, anonymous=frozenset({"pull"}))
MEMBER = Membership("alice", "devops", True, "E34")
STRANGER = replace(MEMBER, member=False)
NOBODY_KNOWS = replace(PRIVATE, in_cargo_admin=None, cargo_admin_evidence="", tenant="", public=None)


def right(*actions: str, action: str = "pull", **changes: Any) -> Right:
    """What alice holds on the private repository."""
    alice = Right(
        account="alice",
        user="alice",
        kind="platform",
        saved=False,
        action=action,
        repository=REPOSITORY,
        login=200,
        login_reason="",
        login_evidence="E6",
        status=200,
        subject="alice",
        actions=frozenset(actions),
        evidence="E21",
    )
    return replace(alice, **changes)


def admin(*actions: str, **changes: Any) -> Right:
    return right(*actions, account="admin", user="admin", kind="admin", subject="admin", action="push", **changes)


def docker(*actions: str, **changes: Any) -> Right:
    """What the login that docker has saved gives; it is bob's."""
    fields = {"account": "docker-config", "user": "bob", "saved": True, "subject": "bob"} | changes
    return right(*actions, **fields)


NOT_LOGGED_IN = docker(user="", login=0, login_reason="not_logged_in", status=0, subject="")
STALE = docker(login=401, subject="")


def facts(
    *rights: Right, project: ProjectFacts = PRIVATE, harbor: int = 200, member: Membership = MEMBER
) -> AccessFacts:
    return AccessFacts(harbor, "", "E20", rights, {project.name: project}, (member,))


def diagnose(seen: AccessFacts, path: PathFacts = HEALTHY) -> Diagnosis:
    findings = explain((*judge(path), *judge_access(path, seen)))
    return conclude("cargo", path.domain, findings, started="2026-01-01T00:00:00Z", seconds=1.0)


CASES = [
    ("docker is not logged in", facts(NOT_LOGGED_IN), "CRG505"),
    ("docker is not logged in and must push", facts(replace(NOT_LOGGED_IN, action="push"), project=PUBLIC), "CRG505"),
    ("docker has an old password", facts(STALE), "CRG506"),
    ("an old password, and the image is public", facts(docker("pull", login=401, subject=""), project=PUBLIC), "CRG506"),
    ("Harbor has no database", facts(right(), harbor=500), "CRG507"),
    ("no project in Harbor", facts(right(), project=replace(PRIVATE, in_harbor=False)), "CRG508"),
    ("no project in Harbor, for admin", facts(admin(), project=replace(PRIVATE, in_harbor=False)), "CRG508"),
    ("no project on either side", facts(right(), project=replace(PRIVATE, in_harbor=False, in_cargo_admin=False)), "CRG508"),
    ("no project in Cargo-Admin", facts(right(), project=replace(PRIVATE, in_cargo_admin=False)), "CRG509"),
    ("no role in the tenant", facts(right(), member=STRANGER), "CRG510"),
    ("a member without a role there", facts(right()), "CRG510"),
    ("a guest pushes", facts(right("pull", action="push")), "CRG511"),
    ("a guest pushes, Cargo-Admin is not known", facts(right("pull", action="push"), project=NOBODY_KNOWS), "CRG511"),
    ("a user pushes to a public project", facts(right("pull", action="push"), project=PUBLIC), "CRG512"),
    (
        "a public project, told by a token of nobody",
        facts(right("pull", action="push"), project=replace(PUBLIC, in_cargo_admin=None)),
        "CRG512",
    ),
    ("another tenant's pipeline", facts(right(user="__cyclone__ops", account="__cyclone__ops")), "CRG513"),
    ("Cargo-Admin is not known", facts(right(), project=NOBODY_KNOWS), "CRG514"),
    ("admin lacks a right", facts(admin("pull")), "CRG514"),
    ("admin lacks one, and Cargo-Admin has no project", facts(admin("pull"), project=replace(PRIVATE, in_cargo_admin=False)), "CRG514"),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "code"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_cause_alone_is_the_only_root_cause(seen: AccessFacts, code: str) -> None:
    diagnosis = diagnose(seen)
    assert diagnosis.root_causes == (code,)
    assert diagnosis.status is Health.FAULT
    (found,) = [f for f in diagnosis.findings if f.code == code]
    assert found.chain
    assert all(re.fullmatch(r"E\d+", link.observation) for link in found.chain)
    assert all(re.search(r"[\u4e00-\u9fff]", text.zh) for text in (found.summary, *(k.rule for k in found.chain)))
    assert "{" not in found.summary.en + found.summary.zh


def test_every_code_of_rights_has_a_case() -> None:
    assert {case[2] for case in CASES} == set(CODES)


@pytest.mark.parametrize(
    "seen",
    [
        facts(right("pull"), right("pull", "push", action="push"), docker("pull"), admin("*")),
        facts(right("*", action="push")),
        facts(admin("pull", "push", "*"), project=replace(PRIVATE, in_cargo_admin=False)),
        facts(right("pull"), project=PUBLIC),
        facts(replace(NOT_LOGGED_IN, repository="library/tiny"), project=replace(PUBLIC, name="library")),
        AccessFacts(200, "", "E20", (right("pull"),)),
        AccessFacts(404, "", "E20", (right("pull"),)),
    ],
    ids=["all rights", "star", "admin without Cargo-Admin", "public", "public without a login", "not looked closer", "2.x"],
)  # fmt: skip
def test_rights_that_are_there_are_no_finding_but_ok(seen: AccessFacts) -> None:
    diagnosis = diagnose(seen)
    assert diagnosis.status is Health.HEALTHY
    assert {f.status for f in diagnosis.findings} == {Verdict.OK}
    assert set(CODES) <= set(diagnosis.refuted)


def test_a_refused_account_of_the_inventory_is_unknown_and_holds_nothing_against_cargo() -> None:
    path = but(logins=(login("admin", "admin", 200), login("alice", "platform", 401)))
    diagnosis = diagnose(facts(right(login=401, subject="")), path)
    assert (diagnosis.status, diagnosis.root_causes) == (Health.UNKNOWN, ())


def test_a_refused_login_of_docker_is_a_fault_and_the_inventorys_accounts_stay_ok() -> None:
    saved = replace(login("docker-config", "platform", 401), saved=True)
    diagnosis = diagnose(facts(STALE), but(logins=(login("alice", "platform", 200), saved)))
    assert diagnosis.root_causes == ("CRG506",)
    assert "CRG501" in diagnosis.refuted


BUILT_IN = but(
    token_service=token_service(Issuer.BUILT_IN, address="127.0.0.1", answer=None),
    logins=(login("admin", "admin", 200), login("alice", "platform", 401)),
)
ASKS_FOR_ANOTHER = replace(
    BUILT_IN, token_service=token_service(Issuer.BUILT_IN), settings=(settings(checked="old-cargo.example"),)
)
UNHEARD = {"login": 401, "subject": ""}


@pytest.mark.parametrize(
    ("path", "seen", "roots"),
    [
        (BUILT_IN, facts(right(action="push", **UNHEARD), docker(**UNHEARD)), ("CRG301",)),
        (ASKS_FOR_ANOTHER, facts(right(**UNHEARD)), ("CRG203",)),
        (ASKS_FOR_ANOTHER, facts(right(**UNHEARD), member=STRANGER), ("CRG203", "CRG510")),
        (BUILT_IN, facts(right(**UNHEARD), project=replace(PRIVATE, in_harbor=False)), ("CRG301", "CRG508")),
        (BUILT_IN, facts(right(**UNHEARD), project=replace(PRIVATE, in_cargo_admin=False)), ("CRG301", "CRG509")),
        (BUILT_IN, facts(right(action="push", **UNHEARD), project=PUBLIC), ("CRG301", "CRG512")),
        (BUILT_IN, facts(NOT_LOGGED_IN), ("CRG301", "CRG505")),
        (BUILT_IN, facts(right(**UNHEARD), harbor=500), ("CRG507",)),
        (but(token=token("pull", key="CCCC")), facts(right("pull")), ("CRG304",)),
    ],
)  # fmt: skip
def test_a_token_service_at_fault_explains_missing_rights_but_not_what_others_say(
    path: PathFacts, seen: AccessFacts, roots: tuple[str, ...]
) -> None:
    assert diagnose(seen, path).root_causes == roots


def test_a_saved_password_is_not_called_old_by_a_token_service_that_can_not_know() -> None:
    (told,) = [f for f in judge_access(BUILT_IN, facts(docker(**UNHEARD))) if f.code == "CRG506"]
    assert told.status is Verdict.SKIPPED


def test_a_pull_that_lacks_its_right_follows_from_the_cause() -> None:
    library = replace(PRIVATE, name="library", in_harbor=False)
    diagnosis = diagnose(facts(right(repository="library/tiny"), project=library), but(token=token()))
    assert diagnosis.root_causes == ("CRG508",)
    assert next(f for f in diagnosis.findings if f.code == "CRG502").consequence_of == ("CRG508",)


def test_several_rights_that_one_cause_keeps_away_are_one_finding() -> None:
    gone = replace(PRIVATE, in_cargo_admin=False)
    (found,) = [f for f in judge_access(HEALTHY, facts(right(), docker(), project=gone)) if f.status is Verdict.FAULT]
    assert found.summary.en == "Cargo-Admin has no project devops_test, so only admin can use it"
    assert [link.rule.en for link in found.chain].count("Harbor has the project devops_test") == 1


def test_what_could_not_be_told_names_what_is_left_and_the_question_that_decides() -> None:
    (found,) = [f for f in judge_access(HEALTHY, facts(right(), project=NOBODY_KNOWS)) if f.code == "CRG514"]
    assert "missing in Cargo-Admin (look there, or give cargo_admin in the inventory)" in found.summary.en
    assert "Harbor" not in found.summary.en, "that it is there was asked"


def test_behind_a_broken_path_nothing_is_told_about_rights() -> None:
    found = judge_access(but(challenge=unasked("refused")), AccessFacts(0, "refused", "E4", None))
    assert {f.status for f in found} == {Verdict.SKIPPED}


def test_a_role_is_concluded_from_the_token_and_said_in_both_languages() -> None:
    (found,) = [f for f in judge_access(HEALTHY, facts(right("pull", action="push"))) if f.code == "CRG511"]
    assert "guest (访客), concluded from the token" in found.summary.en
    assert "访客（guest）" in found.summary.zh

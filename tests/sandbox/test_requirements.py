"""What the sandbox says when it can't run here."""

import pytest

from cargo_sandbox import lab, requirements
from cargo_sandbox.errors import SandboxUnavailable
from cargo_sandbox.requirements import Package, can_run, missing_packages, packages


@pytest.fixture
def able(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A computer that has everything."""
    monkeypatch.setattr(requirements.os, "geteuid", lambda: 0)
    monkeypatch.setattr(requirements, "_may_unshare", lambda: True)
    monkeypatch.setattr(requirements, "packages", lambda: (Package("coreutils", "true"),))
    monkeypatch.setattr(requirements.sys, "platform", "linux")
    return monkeypatch


def test_nothing_is_missing_where_everything_is_there(able):
    assert can_run() == []


def test_each_missing_part_is_named(able):
    able.setattr(requirements.os, "geteuid", lambda: 1000)
    able.setattr(requirements, "packages", lambda: (Package("no-such", "no-such-program"), Package("x", "true")))
    assert can_run() == ["root", "the Debian packages no-such"]


def test_a_container_without_the_right_to_make_namespaces_is_told_apart(able):
    able.setattr(requirements, "_may_unshare", lambda: False)
    assert can_run() == ["the right to make Linux namespaces (CAP_SYS_ADMIN)"]


def test_on_another_system_only_the_system_is_named(able):
    able.setattr(requirements.sys, "platform", "darwin")
    able.setattr(requirements.os, "geteuid", lambda: 501)
    assert can_run() == ["Linux"]


def test_a_browser_is_no_part_of_the_sandbox(able):
    able.setattr(requirements, "packages", lambda: (Package("chromium", "no-such-browser", "tests"),))
    assert missing_packages() == []


def test_what_a_cluster_needs_is_asked_for_with_a_cluster_only(able):
    able.setattr(requirements, "packages", lambda: (Package("etcd-server", "no-such-etcd", "kubernetes"),))
    assert missing_packages() == []
    assert missing_packages("kubernetes") == ["etcd-server"]


def test_the_sentence_ends_with_what_to_type(able):
    able.setattr(requirements, "packages", lambda: (Package("no-such", "no-such-program"),))
    with pytest.raises(SandboxUnavailable) as caught:
        lab.require()
    assert caught.value.exit_code == 2
    assert str(caught.value) == (
        "the sandbox can't run here: it needs the Debian packages no-such\n"
        "  apt-get install --no-install-recommends no-such"
    )


def test_every_listed_package_has_a_program_that_proves_it():
    assert {(p.name, p.program) for p in packages()} >= {("docker.io", "dockerd"), ("dnsmasq-base", "dnsmasq")}
    assert {p.when for p in packages()} <= {"", "unless-kubectl", "tests", "kubernetes"}

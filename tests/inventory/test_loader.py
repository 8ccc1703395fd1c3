"""Environment files: what is read of one, and how a mistake is told."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from cargo_runbook.errors import InventoryError
from cargo_runbook.inventory.loader import (
    InventoryProblems,
    each_problem,
    load_all,
    load_environment,
    select,
)
from cargo_runbook.inventory.models import AccountKind, Stage
from tests.inventory.files import GOOD


def problems_of(folder: Path, text: str, name: str = "prod-3") -> list[str]:
    """What is told about one file, a sentence a problem."""
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InventoryError) as caught:
        load_environment(name, folder)
    return [str(problem) for problem in each_problem(caught.value)]


def test_a_good_file_becomes_an_environment_named_after_it(folder: Path) -> None:
    (folder / "prod-1.yaml").write_text(GOOD, encoding="utf-8")
    environment = load_environment("prod-1", folder)
    assert (environment.name, environment.stage, environment.authority) == (
        "prod-1",
        Stage.PRODUCTION,
        "cargo.example.com",
    )
    assert environment.hosts[0].ssh_alias == "192.0.2.14"
    admin = environment.account(AccountKind.ADMIN)
    assert admin is not None
    assert admin.password == "env:CARGO_ADMIN"
    assert environment.path(environment.ca) == folder / "ca.crt"
    assert environment.line_of("accounts[0].password") == 10
    assert environment.line_of("token_service.port") == 0


def test_a_file_is_read_once_as_long_as_it_says_the_same(folder: Path) -> None:
    file = folder / "prod-1.yaml"
    file.write_text(GOOD, encoding="utf-8")
    first = load_environment("prod-1", folder)
    assert load_environment("prod-1", folder) is first
    file.write_text(GOOD.replace("cargo.example.com", "other.example.com"), encoding="utf-8")
    assert load_environment("prod-1", folder).authority == "other.example.com"
    (folder / "prod-2.yaml").write_text(GOOD, encoding="utf-8")
    assert load_environment("prod-2", folder).file == folder / "prod-2.yaml"


def test_values_stay_the_text_that_was_written(folder: Path) -> None:
    text = GOOD.replace("name: cargo-1", "name: 1.10").replace("username: admin", "username: 007")
    (folder / "prod-1.yml").write_text(text, encoding="utf-8")
    environment = load_environment("prod-1", folder)
    assert (environment.hosts[0].name, environment.accounts[0].username) == ("1.10", "007")


USES = """\
uses:
  - account: admin
    action: push
    image: release/base
  - account: docker-config
    image: devops_test/node:1
cargo_admin:
  url: http://192.0.2.20:8080
"""
WITH_USES = GOOD.replace("kubernetes:", "  - password: docker-config\nkubernetes:") + USES


def test_what_must_work_is_read_with_pull_as_the_default(folder: Path) -> None:
    (folder / "prod-1.yaml").write_text(WITH_USES, encoding="utf-8")
    environment = load_environment("prod-1", folder)
    assert [(use.account, str(use.action), use.image) for use in environment.uses] == [
        ("admin", "push", "release/base"),
        ("docker-config", "pull", "devops_test/node:1"),
    ]
    nobody = environment.account_named("docker-config")
    assert nobody is not None
    assert (nobody.username, nobody.kind) == ("", AccountKind.PLATFORM)
    assert environment.cargo_admin is not None
    assert environment.cargo_admin.tenant_header == "X-Tenant"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "account: admin",
            "account: jane",
            '15: uses[0].account is "jane", which is no account here; the accounts are admin, docker-config',
        ),
        ("action: push", "action: write", '16: uses[0].action is "write"; expected pull or push'),
        (
            "image: release/base",
            "image: cargo.example.com:5000/x",
            '17: uses[0].image is "cargo.example.com:5000/x"; expected repository:tag, as in library/tiny:1, '
            "without the domain",
        ),
        ("    image: release/base\n", "", "15: uses[0].image is missing; expected repository:tag, as in "
         "library/tiny:1, without the domain"),
        (
            "  - password: docker-config",
            "  - password: env:JANE",
            "11: accounts[1].username is missing; it may be left out with password: docker-config only",
        ),
        (
            "  - password: docker-config",
            "  - password: docker-config\n  - password: docker-config:other",
            "12: accounts[2].username is missing, and in another one as well",
        ),
        (
            "http://192.0.2.20:8080",
            "192.0.2.20:8080",
            '21: cargo_admin.url is "192.0.2.20:8080"; expected http:// or https://, a host, and a port where it has one',
        ),
        ("http://192.0.2.20:8080", "http://u:p@192.0.2.20", "21: cargo_admin.url: expected http:// or https://, a "
         "host, and a port where it has one"),
    ],
)  # fmt: skip
def test_a_use_that_can_not_be_is_told_with_its_line(folder: Path, old: str, new: str, told: str) -> None:
    assert old in WITH_USES
    assert problems_of(folder, WITH_USES.replace(old, new, 1)) == [f"environments/prod-3.yaml:{told}"]


def test_a_list_whose_items_are_all_commented_out_is_empty(folder: Path) -> None:
    (folder / "a.yaml").write_text(GOOD + "name_servers:\n  # - 192.0.2.53\n", encoding="utf-8")
    assert load_environment("a", folder).name_servers == ()


def test_a_misspelt_key_is_named_with_file_line_and_the_right_one(folder: Path) -> None:
    text = GOOD.replace("  context: prod", "  contxt: prod")
    assert problems_of(folder, text) == [
        'environments/prod-3.yaml:12: kubernetes.contxt is not a key here; did you mean "context"?'
    ]


def test_a_key_like_no_other_gets_the_list_of_keys(folder: Path) -> None:
    [problem] = problems_of(folder, GOOD + "  zzzzzz: 1\n")
    assert problem == (
        "environments/prod-3.yaml:13: kubernetes.zzzzzz is not a key here; the keys are context, namespace, "
        "pipeline, nodes"
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "stage: production",
            "stage: prodution",
            '1: stage is "prodution"; expected sandbox, test, staging or production; did you mean "production"?',
        ),
        (
            "domain: cargo.example.com",
            "domain: https://cargo.example.com",
            '2: domain is "https://cargo.example.com"; expected a domain name, without https:// and without a path',
        ),
        ("ca: ca.crt", "port: 99999", '3: port is "99999"; expected a number from 1 to 65535'),
        ("ca: ca.crt", "port: https", '3: port is "https"; expected a whole number'),
        ("    address: 192.0.2.14\n", "", "5: hosts[0].address is missing; expected an IP address or a name"),
        (
            "address: 192.0.2.14",
            "address:",
            "6: hosts[0].address has no value; expected an IP address or a name",
        ),
        (
            "192.0.2.14",
            "-oProxyCommand=true",
            '6: hosts[0].address is "-oProxyCommand=true"; expected an IP address or a name',
        ),
        (
            "  context: prod",
            "  context: --token=x",
            '12: kubernetes.context is "--token=x"; expected the name of a kubectl context (kubectl config get-contexts)',
        ),
        ("kind: admin", "kind: owner", '9: accounts[0].kind is "owner"; expected admin or platform'),
        ("ca: ca.crt", "contact: me", '3: contact is "me"; expected keys with values'),
        ("ca: ca.crt", "name_servers: 192.0.2.53", '3: name_servers is "192.0.2.53"; expected a list '
         "(lines that begin with -)"),
        ("ca: ca.crt", "name: other", '3: name is "other", but the file is called prod-3.yaml; leave the key out, or '
         "make them the same"),
        ("ca: ca.crt", "domain: a.example.com", "3: domain stands twice (first in line 2)"),
        ("ca: ca.crt", "ca: !!python/name:os.system", "3: tags (a value that begins with !) have no meaning here; "
         "quote the value"),
        ("hosts:\n", "hosts:\n  - name: cargo-1\n    address: 192.0.2.15\n", '7: hosts[1].name "cargo-1" stands twice'),
    ],
)  # fmt: skip
def test_a_wrong_value_says_what_is_expected(folder: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    assert problems_of(folder, GOOD.replace(old, new, 1)) == [f"environments/prod-3.yaml:{told}"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ": the file is empty\n  cargo-runbook env init writes an example"),
        ("# only a comment\n", ": the file is empty\n  cargo-runbook env init writes an example"),
        ("- a\n", ':1: the file must consist of keys with values, as in "domain: ..."'),
        ("hosts:\n\t- name: a\n", ":2: a tab stands where YAML wants spaces"),
        ("domain: a: b\n", ":1: this is not YAML: mapping values are not allowed here"),
        ("a: 1\n---\nb: 1\n", ":2: this is not YAML: but found another document"),
        ("[" * 3000, ": the file is nested too deeply"),
        ("? [a]\n: b\n", ":1: a key must be a word"),
    ],
)
def test_what_is_no_mapping_in_yaml_is_told_with_its_line(folder: Path, text: str, told: str) -> None:
    assert problems_of(folder, text)[0] == f"environments/prod-3.yaml{told}"


def test_a_file_that_is_not_utf_8_is_told_with_its_line(folder: Path) -> None:
    (folder / "prod-3.yaml").write_bytes(b"stage: test\ndomain: \xff\n")
    with pytest.raises(InventoryError, match=r"^environments/prod-3.yaml:2: this is not UTF-8$"):
        load_environment("prod-3", folder)


def test_a_file_that_refers_to_itself_ends_with_a_sentence(folder: Path) -> None:
    assert "refers to itself" in "\n".join(problems_of(folder, "contact: &a\n  name: *a\n"))


def test_aliases_that_double_at_every_level_end_with_a_sentence(folder: Path) -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "holds too much" in "\n".join(problems_of(folder, "\n".join(["l0: &l0 x", *levels])))


@pytest.mark.parametrize(
    "written",
    ["Pwd123456", '"Pwd123456"', "*Pwd123456", "!Pwd123456", "&Pwd123456 env", '"\\Pwd123456"', "{Pwd123456: x}",
     "[Pwd123456]", "@Pwd123456", "%Pwd123456", "'Pwd123456", "envv:Pwd123456", "|\n Pwd123456"],
)  # fmt: skip
def test_a_password_in_the_file_is_refused_and_never_shown(folder: Path, written: str) -> None:
    told = "\n".join(problems_of(folder, GOOD.replace("env:CARGO_ADMIN", written)))
    assert told.startswith("environments/prod-3.yaml:")
    assert "Pwd123456" not in told.replace("accounts[0].password.Pwd123456", "")


def test_a_plain_password_is_answered_with_the_kinds_of_reference(folder: Path) -> None:
    [problem] = problems_of(folder, GOOD.replace("env:CARGO_ADMIN", "Pwd123456"))
    assert problem.startswith(
        "environments/prod-3.yaml:10: accounts[0].password must be a reference (env:NAME, file:PATH, docker-config[:PATH] or "
        "keyring:SERVICE/USER), not the password itself"
    )


def test_a_password_in_a_url_is_not_shown(folder: Path) -> None:
    told = problems_of(folder, GOOD.replace("domain: cargo", "domain: https://admin:Pwd123456@cargo"))
    assert told == ["environments/prod-3.yaml:2: domain: expected a domain name, without https:// and without a path"]


def test_all_mistakes_of_all_files_are_told_at_once(folder: Path) -> None:
    (folder / "a.yaml").write_text(GOOD.replace("stage: production", "stage: p").replace("ca:", "cA:"), "utf-8")
    (folder / "b.yaml").write_text("", "utf-8")
    (folder / "c.yaml").write_text(GOOD, "utf-8")
    with pytest.raises(InventoryProblems) as caught:
        load_all(folder)
    assert [(p.file, p.line, p.key) for p in caught.value.problems] == [
        ("environments/a.yaml", 1, "stage"),
        ("environments/a.yaml", 3, "cA"),
        ("environments/b.yaml", 0, ""),
    ]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_mistake_in_one_file_does_not_touch_the_others(folder: Path) -> None:
    (folder / "broken.yaml").write_text("[", "utf-8")
    (folder / "prod-1.yaml").write_text(GOOD, "utf-8")
    (folder / "prod-2.yaml").write_text(GOOD, "utf-8")
    assert [environment.name for environment in select(folder, ["prod-*", "prod-1"])] == ["prod-1", "prod-2"]

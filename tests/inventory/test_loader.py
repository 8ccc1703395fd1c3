"""Environment files: what is read, and how a mistake is told."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cargo_runbook.errors import InventoryError, UnknownEnvironment, UsageError
from cargo_runbook.inventory import loader
from cargo_runbook.inventory.loader import (
    InventoryProblems,
    each_problem,
    environment_of_domain,
    find_inventory,
    inventory_folder,
    load_all,
    load_environment,
    select,
)
from cargo_runbook.inventory.models import AccountKind, Environment, Stage
from cargo_runbook.inventory.source import read_source
from cargo_runbook.inventory.validation import validate

GOOD = """\
stage: production
domain: cargo.example.com
ca: ca.crt
hosts:
  - name: cargo-1
    address: 192.0.2.14
accounts:
  - username: admin
    kind: admin
    password: env:CARGO_ADMIN
kubernetes:
  context: prod
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty inventory that lies below the working folder, as an engineer has it."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "environments"
    folder.mkdir()
    return folder


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


def test_one_environment_is_found_without_a_list_of_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of ten thousand loads each; with a list for each it would look at a hundred million names."""
    (folder / "prod-1.yml").write_text(GOOD, "utf-8")

    def refuse(path: Path) -> NoReturn:
        raise AssertionError(f"{path} was listed")

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert load_environment("prod-1", folder).name == "prod-1"


def test_an_unknown_environment_is_answered_with_near_names(folder: Path) -> None:
    (folder / "prod-1.yaml").write_text(GOOD, "utf-8")
    with pytest.raises(UnknownEnvironment) as caught:
        load_environment("prod1", folder)
    assert str(caught.value) == f'no environment is called "prod1" in {folder}\n  Did you mean prod-1?'
    with pytest.raises(UnknownEnvironment, match=r"There are: prod-1"):
        select(folder, ["zzz*"])


def test_of_very_many_environments_the_first_are_named(folder: Path) -> None:
    for number in range(300):
        (folder / f"prod-{number:03}.yaml").touch()
    with pytest.raises(UnknownEnvironment) as caught:
        load_environment("zzz", folder)
    step = str(caught.value).splitlines()[1]
    assert step.startswith("  There are 300: prod-000, prod-001, ")
    assert "prod-019 …   All of them: cargo-runbook env list" in step
    assert "prod-020" not in step


def test_the_environment_of_a_domain_is_found_and_only_files_that_name_it_are_looked_into(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, domain in (("a", "a.example.com"), ("b", "B.example.com"), ("c", "c.example.com\nport: 8443")):
        (folder / f"{name}.yaml").write_text(GOOD.replace("cargo.example.com", domain), "utf-8")
    (folder / "0-wrong.yaml").write_text("domain: [a.example.com b.example.com c.example.com", "utf-8")
    opened = []

    def load(name: str, folder: Path) -> Environment:
        opened.append(name)
        return load_environment(name, folder)

    monkeypatch.setattr(loader, "load_environment", load)
    found = {domain: environment_of_domain(domain, folder) for domain in ("b.EXAMPLE.com", "c.example.com:8443", "no")}
    assert {domain: other.name if other else "" for domain, other in found.items()} == {
        "b.EXAMPLE.com": "b",
        "c.example.com:8443": "c",
        "no": "",
    }
    assert opened == ["0-wrong", "b", "0-wrong", "c"]


@pytest.mark.parametrize("name", ["../prod-1", "prod-1.yaml", "", ".", "/etc/passwd", "\x00"])
def test_a_name_never_leads_out_of_the_inventory(folder: Path, name: str) -> None:
    (folder.parent / "prod-1.yaml").write_text(GOOD, "utf-8")
    with pytest.raises(UnknownEnvironment):
        load_environment(name, folder)


def test_an_environment_described_twice_is_refused(folder: Path) -> None:
    for suffix in ("yaml", "yml"):
        (folder / f"a.{suffix}").write_text(GOOD, "utf-8")
    with pytest.raises(InventoryError, match=r"^environments/a.yaml: a is described twice, by a.yml too$"):
        load_environment("a", folder)


def test_the_inventory_is_the_option_then_the_variable_then_here_then_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    users = tmp_path / "config" / "cargo-runbook" / "environments"
    variables = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert inventory_folder(None, variables) == Path("environments")
    users.mkdir(parents=True)
    assert inventory_folder(None, variables) == users
    (tmp_path / "environments").mkdir()
    assert inventory_folder(None, variables) == Path("environments")
    named = {**variables, "CARGO_RUNBOOK_INVENTORY": "/srv/inventory"}
    assert inventory_folder(None, named) == Path("/srv/inventory")
    assert inventory_folder(Path("mine"), named) == Path("mine")


def test_an_inventory_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder\n  Write a first file with: cargo-runbook env init NAME"):
        find_inventory(tmp_path / "none")


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
    import json

    _read(json.dumps(data))

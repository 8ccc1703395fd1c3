"""The faults as data."""

import pytest
from pydantic import ValidationError

from cargo_runbook.rules.catalog import catalog
from cargo_sandbox.errors import UnknownFault
from cargo_sandbox.faults.catalog import DATA, Fault, fault, faults
from cargo_sandbox.faults.engine import replace_content
from cargo_sandbox.material import prepare
from cargo_sandbox.material.cargo_admin_data import cargo_admin_data
from cargo_sandbox.material.installation import render
from cargo_sandbox.paths import StateFolder
from cargo_sandbox.topology import INSTALLATION, SITES, CargoSite, site, site_on

ALL = pytest.mark.parametrize("each", faults(), ids=lambda each: each.name)


@ALL
def test_a_fault_has_the_name_of_its_file(each: Fault):
    assert (DATA / f"{each.name}.yml").exists()


@ALL
def test_each_expected_code_is_in_the_catalog_with_the_faults_section(each: Fault):
    for code in each.expected_root_causes:
        assert catalog()[code].section == each.section


@ALL
def test_the_text_of_the_client_can_be_searched_for_as_it_stands(each: Fault):
    assert each.client.text
    assert not set(each.client.text) & set("\\[](){}*+?|^$")


def _site_of(machine: str) -> CargoSite:
    found = site_on(machine)
    assert found is not None
    return found


@ALL
def test_what_is_replaced_stands_exactly_once_in_the_file_of_a_new_sandbox(each: Fault, tmp_path):
    prepare._dns(tmp_path)
    cargo_admin_data(tmp_path, ca=b"", passwords={f"{known.name}-admin": "" for known in SITES})
    for edit in each.edits:
        if edit.file.startswith(INSTALLATION):
            text = render(_site_of(edit.machine))[edit.file.removeprefix(f"{INSTALLATION}/")]
        else:
            text = (tmp_path / edit.file.lstrip("/")).read_text()
        assert text.count(edit.find) == 1
        assert edit.find != edit.replace


@ALL
def test_what_a_fault_keeps_running_does_not_tell_by_its_command_line_what_it_is(each: Fault):
    for line in "\n".join(word for deed in each.deeds for word in deed.do).splitlines():
        if "setsid" in line and "python3" in line:
            assert "{services}/unnamed.py <<<" in line


@ALL
def test_a_fault_touches_only_its_environments_machine_the_dns_server_or_its_wire(each: Fault):
    touched = {edit.machine for edit in each.edits} | {link.machine for link in each.links}
    assert touched <= {*site(each.environment).hosts, "dns", "master"}
    assert each.environment in {known.name for known in SITES}


def test_the_three_faults_of_the_guide_are_there_with_their_codes():
    for name, code in {
        "domain-unresolved": "CRG101",
        "wrong-domain": "CRG201",
        "token-service-builtin": "CRG301",
    }.items():
        assert fault(name).expected_root_causes == (code,)


def test_an_unknown_fault_names_the_known_ones():
    with pytest.raises(UnknownFault, match="nope") as caught:
        fault("nope")
    assert "wrong-domain" in caught.value.next_step


def test_a_misspelt_key_of_a_fault_is_refused():
    body = fault("wrong-domain").model_dump(by_alias=True) | {"expected_root_cause": ["CRG201"]}
    with pytest.raises(ValidationError, match="expected_root_cause"):
        Fault.model_validate(body)


def test_new_content_keeps_the_files_mode(tmp_path):
    file = tmp_path / "restart.sh"
    file.write_bytes(b"old")
    file.chmod(0o751)
    replace_content(file, b"new")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o751)
    assert [path.name for path in tmp_path.iterdir()] == ["restart.sh"]


def test_the_state_folders_of_equal_names_in_different_places_have_different_control_groups(tmp_path):
    here, there = StateFolder("default", tmp_path / "a"), StateFolder("default", tmp_path / "b")
    assert here.cgroup != there.cgroup

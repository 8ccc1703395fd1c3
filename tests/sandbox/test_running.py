"""A running sandbox, as the engineer on operator meets it."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pytest

from cargo_sandbox.faults.catalog import fault
from cargo_sandbox.machines import processes
from cargo_sandbox.machines.forward import forwarded
from cargo_sandbox.paths import project_root, state_folder
from cargo_sandbox.topology import INSTALLATION, MACHINES
from tests.practice import PracticeSandbox, command_line
from tests.waiting import until

pytestmark = pytest.mark.sandbox

TINY = "cargo.caicloudprivatetest.com/library/tiny:1"
PRIVATE = "cargo.caicloudprivatetest.com/devops_test-cargo/node:8.9-alpine"


def login(sandbox: PracticeSandbox, account: str, user: str) -> subprocess.CompletedProcess[str]:
    words = ["docker", "login", "cargo.caicloudprivatetest.com", "-u", user, "--password-stdin"]
    return sandbox.run(*words, input=sandbox.password(account))


def test_a_public_image_is_pulled_without_login_from_both_registries(sandbox):
    for image in (TINY, TINY.replace("cargo.", "devops.", 1)):
        done = sandbox.run("docker", "pull", image)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, image)


def test_a_private_image_needs_a_login_with_a_role(sandbox):
    refused = sandbox.run("docker", "pull", PRIVATE)
    assert refused.returncode == 1
    assert "pull access denied for cargo.caicloudprivatetest.com/devops_test-cargo/node" in refused.stderr
    assert login(sandbox, "alice", "alice").stdout == "Login Succeeded\n"
    assert sandbox.run("docker", "pull", PRIVATE).stdout.splitlines()[-1] == PRIVATE


def test_an_operator_of_the_tenant_pushes_to_its_project_and_not_to_the_public_one(sandbox):
    login(sandbox, "alice", "alice")
    sandbox.run("docker", "pull", TINY)
    name = f"pushed-{uuid.uuid4().hex[:8]}"
    own, public = (f"cargo.caicloudprivatetest.com/{p}/{name}:1" for p in ("devops_test-cargo", "library"))
    for image in (own, public):
        assert sandbox.run("docker", "tag", TINY, image).returncode == 0
    assert sandbox.run("docker", "push", own).returncode == 0
    refused = sandbox.run("docker", "push", public)
    assert refused.returncode == 1
    assert "denied: requested access to the resource is denied" in refused.stderr


def test_up_twice_says_so_and_changes_nothing(sandbox):
    before = sandbox.on("operator", "cat", "/proc/sys/kernel/hostname", "/proc/1/stat").stdout
    done = sandbox.cli("up")
    assert done.returncode == 0
    assert f'The sandbox "{sandbox.name}" is up already.' in done.stderr
    assert sandbox.on("operator", "cat", "/proc/sys/kernel/hostname", "/proc/1/stat").stdout == before


def test_status_and_faults_speak_json_and_nothing_else_on_standard_output(sandbox):
    status = json.loads(sandbox.cli("status", "--json").stdout)
    assert status["name"] == sandbox.name
    assert (status["up"], status["cluster"], status["environments"]) == (True, False, ["cargo", "devops", "ha"])
    assert status["inventory"] == str(sandbox.inventory)
    sandbox.break_("wrong-domain")
    listed = {entry["name"]: entry for entry in json.loads(sandbox.cli("faults", "--json").stdout)}
    assert listed["wrong-domain"]["expected_root_causes"] == ["CRG201"]
    assert listed["wrong-domain"]["environment"] == "cargo"
    assert [name for name, entry in listed.items() if entry["broken"]] == ["wrong-domain"]


def test_a_command_on_operator_has_the_projects_python_its_folder_and_its_inventory(sandbox):
    script = "import os, sys; print(sys.prefix, os.getcwd(), os.environ['CARGO_RUNBOOK_INVENTORY'])"
    done = sandbox.run("python", "-c", script)
    assert done.stdout.split() == [sys.prefix, str(project_root()), str(sandbox.inventory)]
    names = sandbox.run("cargo-runbook", "env", "list").stdout
    assert "cargo.caicloudprivatetest.com" in names
    assert "devops.caicloudprivatetest.com" in names


def test_exit_code_input_and_both_outputs_pass_through(sandbox):
    done = sandbox.run("sh", "-c", "cat; echo error >&2; exit 41", input="in\n")
    assert (done.returncode, done.stdout, done.stderr) == (41, "in\n", "error\n")
    assert sandbox.run("sh", "-c", "kill -TERM $$").returncode == 143
    assert sandbox.run("not-a-command").returncode == 127


def test_nothing_of_the_callers_environment_reaches_operator(sandbox, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("A_PASSWORD", "hunter2")
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "zh")
    seen = sandbox.run("env").stdout
    assert "CARGO_RUNBOOK_LANG=zh\n" in seen
    assert "proxy.example" not in seen
    assert "hunter2" not in seen


def test_a_command_ends_with_the_person_who_waits_for_it(sandbox):
    mark = f"31{uuid.uuid4().int % 10**6:06d}"
    words = [sys.executable, "-m", "cargo_runbook", "sandbox", "run", "--name", sandbox.name, "--", "sleep", mark]
    process = subprocess.Popen(words, cwd="/")
    until(lambda: processes.with_tail("sleep", mark))
    process.kill()
    process.wait()
    until(lambda: not processes.with_tail("sleep", mark))


def test_what_is_written_below_reports_on_operator_is_there_outside(sandbox):
    name = f"outlives-{uuid.uuid4().hex}"
    file = project_root() / "reports" / name
    try:
        assert sandbox.run("sh", "-c", f"echo seen > reports/{name}").returncode == 0
        assert file.read_text() == "seen\n"
    finally:
        file.unlink(missing_ok=True)


def test_the_project_is_read_only_on_all_machines_but_operator(sandbox):
    for each in MACHINES:
        if each.name != "operator":
            done = sandbox.on(each.name, "touch", f"{project_root()}/reports/x")
            assert "Read-only file system" in done.stderr


def test_the_callers_home_and_the_keys_of_other_machines_are_not_to_be_seen(sandbox):
    state = state_folder(sandbox.name)
    marker = Path.home() / f".marker-{uuid.uuid4().hex}"
    marker.touch()
    try:
        for each in MACHINES:
            assert sandbox.on(each.name, "test", "-e", str(marker)).returncode == 1
            assert sandbox.on(each.name, "test", "-e", str(state.private)).returncode == 1
            assert sandbox.on(each.name, "test", "-e", str(state.path / "machines")).returncode == 1
            seen = sandbox.on(each.name, "test", "-e", str(state.inventory / "cargo.yml")).returncode == 0
            assert seen is (each.name == "operator")
    finally:
        marker.unlink()


def test_every_machine_asks_the_dns_server_and_has_no_way_out(sandbox):
    for each in MACHINES:
        assert sandbox.on(each.name, "cat", "/etc/resolv.conf").stdout == "nameserver 203.0.113.53\n"
        assert "default" not in sandbox.on(each.name, "ip", "route").stdout
        resolved = sandbox.on(each.name, "getent", "ahostsv4", "devops.caicloudprivatetest.com").stdout
        assert resolved.split()[0] == "203.0.113.17"


def test_ssh_checks_host_keys_and_reaches_every_machine(sandbox):
    for each in MACHINES:
        done = sandbox.run("ssh", "-o", "BatchMode=yes", each.name, "hostname")
        assert (done.returncode, done.stdout) == (0, f"{each.name}\n"), done.stderr
    unknown = sandbox.run("ssh", "-o", "BatchMode=yes", "-o", "UserKnownHostsFile=/dev/null", "cargo", "true")
    assert unknown.returncode == 255
    assert "Host key verification failed" in unknown.stderr


def test_the_token_service_in_tengine_is_the_masters(sandbox):
    hosts = sandbox.run("ssh", "cargo", "docker exec tengine cat /etc/hosts").stdout
    assert "203.0.113.20\tcargo-admin\n" in hosts
    names = sandbox.run("ssh", "devops", "docker ps --format '{{.Names}}'").stdout.split()
    assert set(names) == {"tengine", "harbor-registry", "harbor-ui", "harbor-jobservice"}


def test_jobservice_has_no_ping_and_tengine_has(sandbox):
    ping = "ping -c 1 devops.caicloudprivatetest.com"
    assert "1 received" in sandbox.run("ssh", "cargo", f"docker exec tengine {ping}").stdout
    assert sandbox.run("ssh", "cargo", f"docker exec harbor-jobservice {ping}").returncode != 0


def test_restart_sh_makes_the_containers_anew_and_cargo_works_again(sandbox):
    before = sandbox.on("devops", "docker", "inspect", "-f", "{{.Id}}", "tengine").stdout
    done = sandbox.run("ssh", "devops", f"{INSTALLATION}/restart.sh")
    assert done.returncode == 0, done.stderr
    assert sandbox.on("devops", "docker", "inspect", "-f", "{{.Id}}", "tengine").stdout != before
    image = TINY.replace("cargo.", "devops.", 1)
    until(lambda: sandbox.run("docker", "pull", image).returncode == 0)


# The whole last line of each client, as this daemon prints it.
@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        (
            "domain-unresolved",
            r'Error response from daemon: Get "https://cargo\.caicloudprivatetest\.com/v2/": dial tcp: '
            r"lookup cargo\.caicloudprivatetest\.com on 203\.0\.113\.53:53: no such host",
        ),
        (
            "wrong-domain",
            r'Error response from daemon: Get "https://cargo\.caicloudprivatetest\.com/v2/": '
            r'Get "https://old-cargo\.caicloudprivatetest\.com/service/token\?account=admin&client_id=docker'
            r'&offline_token=true&service=harbor-registry": dial tcp: '
            r"lookup old-cargo\.caicloudprivatetest\.com on 203\.0\.113\.53:53: no such host",
        ),
        (
            "token-service-builtin",
            r'Error response from daemon: Get "https://cargo\.caicloudprivatetest\.com/v2/": '
            r"unauthorized: authentication required",
        ),
        (
            "host-down",
            r'Error response from daemon: Get "https://devops\.caicloudprivatetest\.com/v2/": '
            r"dial tcp 203\.0\.113\.17:443: connect: no route to host",
        ),
    ],
)
def test_the_clients_line_is_the_one_that_people_paste(sandbox, name, pattern):
    sandbox.break_(name)
    assert re.fullmatch(pattern, sandbox.client(fault(name).client).stderr.strip())


def test_with_the_built_in_token_service_admin_still_works(sandbox):
    sandbox.break_("token-service-builtin")
    assert login(sandbox, "cargo-admin", "admin").stdout == "Login Succeeded\n"
    assert sandbox.run("docker", "pull", PRIVATE).returncode == 0


def digests(sandbox: PracticeSandbox) -> str:
    files = [f"{INSTALLATION}/{name}" for name in ("config", "env-single.yml", "restart.sh")]
    find = f"find {' '.join(files)} -type f -printf '%m %U %p\\n' -exec sha256sum {{}} +"
    return (
        sandbox.on("cargo", "sh", "-c", find).stdout
        + sandbox.on("dns", "sha256sum", "/etc/cargo-sandbox/records").stdout
    )


def test_faults_combine_and_heal_in_any_order_to_the_very_bytes(sandbox):
    before = digests(sandbox)
    names = ["wrong-domain", "token-service-builtin", "domain-unresolved", "host-down"]
    for name in names:
        sandbox.break_(name)
    assert json.loads(sandbox.cli("status", "--json").stdout)["broken"] == names
    sandbox.heal("wrong-domain")
    sandbox.heal("domain-unresolved")
    assert fault("token-service-builtin").client.text in sandbox.client(fault("token-service-builtin").client).stderr
    sandbox.heal()
    assert json.loads(sandbox.cli("status", "--json").stdout)["broken"] == []
    assert digests(sandbox) == before


def test_breaking_twice_and_healing_what_is_whole_say_so(sandbox):
    sandbox.break_("domain-unresolved")
    assert "domain-unresolved is broken already." in sandbox.cli("break", "domain-unresolved").stderr
    assert "nothing was broken" in sandbox.cli("heal", "wrong-domain").stderr


def test_a_fault_that_does_not_fit_the_files_changes_nothing(sandbox):
    config = f"{INSTALLATION}/config/registry/config.yml"
    assert sandbox.on("cargo", "sed", "-i", "s#https://cargo#https://mine#", config).returncode == 0
    try:
        before = digests(sandbox)
        done = sandbox.cli("break", "wrong-domain")
        assert done.returncode == 3
        assert "is not as the fault expects it" in done.stderr
        assert digests(sandbox) == before
        assert json.loads(sandbox.cli("status", "--json").stdout)["broken"] == []
    finally:
        sandbox.on("cargo", "sed", "-i", "s#https://mine#https://cargo#", config)
        sandbox.on("cargo", "docker", "restart", "-t", "1", "harbor-registry")
        until(lambda: sandbox.run("docker", "pull", TINY).returncode == 0)


def test_a_port_of_operator_is_reached_on_loopback_alone(sandbox):
    port = 18431
    words = ["-m", "http.server", "--bind", "127.0.0.1", "--directory", "/etc/cargo-sandbox-none", str(port)]
    pid = processes.machine_pid(state_folder(sandbox.name), "operator")
    assert pid is not None
    server = subprocess.Popen(processes.command_on(pid, "operator", ["/usr/bin/python3", *words]))
    try:
        with forwarded(pid, port):
            until(lambda: answers(port) == 404)
        assert answers(port) is None
    finally:
        server.kill()
        server.wait()


def answers(port: int) -> int | None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/", timeout=2) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("run", "--name", "not-there", "--", "true"), "the sandbox 'not-there' isn't up"),
        (("break", "nope"), "there is no fault 'nope'"),
        (("heal",), "heal needs the name of a fault, or --all"),
        (("shell", "mainframe"), 'there is no machine "mainframe"'),
        (("status", "--name", "No Name"), "can't be a sandbox's name"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(arguments, sentence):
    done = command_line("sandbox", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr

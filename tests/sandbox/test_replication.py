"""Replication between the two Cargos of a running sandbox, really carried out."""

import json
import re
import uuid
from collections.abc import Callable

import pytest

from tests.practice import PracticeSandbox
from tests.waiting import until

pytestmark = pytest.mark.sandbox

CARGO, DEVOPS = "cargo.caicloudprivatetest.com", "devops.caicloudprivatetest.com"
RECORDS = "/etc/cargo-sandbox/records"
JOBS = "/api/jobs/replication"

Job = dict[str, object]


def harbor(sandbox: PracticeSandbox, path: str, *arguments: str, site: str = "cargo") -> str:
    """What the Harbor of a site answers its admin."""
    ca = str(sandbox.inventory / "ca.crt")
    url = f"https://{site}.caicloudprivatetest.com{path}"
    done = sandbox.run(
        *("curl", "-sS", "-f", "-K", "-", "--cacert", ca, *arguments, url),
        input=f'user = "admin:{sandbox.password(f"{site}-admin")}"\n',
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def send(sandbox: PracticeSandbox, path: str, body: dict[str, object], method: str = "POST") -> None:
    harbor(sandbox, path, "-X", method, "-H", "Content-Type: application/json", "-d", json.dumps(body))


def jobs(sandbox: PracticeSandbox) -> list[Job]:
    return json.loads(harbor(sandbox, f"{JOBS}?policy_id=1"))


def started(sandbox: PracticeSandbox) -> int:
    """Start the replication of `library`; the id of a new job."""
    before = {job["id"] for job in jobs(sandbox)}
    send(sandbox, "/api/replications", {"policy_id": 1})
    until(lambda: {job["id"] for job in jobs(sandbox)} - before != set())
    return max(int(str(job["id"])) for job in jobs(sandbox))


def status_of(sandbox: PracticeSandbox, repository: str, after: int) -> object:
    """The status of a repository's job that was made after the job `after`; empty while there is none."""
    found = (job for job in jobs(sandbox) if job["repository"] == repository and int(str(job["id"])) > after)
    return next((job["status"] for job in found), "")


def becomes(sandbox: PracticeSandbox, number: int, status: str) -> None:
    until(lambda: next(job["status"] for job in jobs(sandbox) if job["id"] == number) == status)


def log(sandbox: PracticeSandbox, number: int) -> list[str]:
    return harbor(sandbox, f"{JOBS}/{number}/log").splitlines()


def names(sandbox: PracticeSandbox, change: Callable[[str], str]) -> None:
    """Change what the name server knows."""
    records = sandbox.on("dns", "cat", RECORDS).stdout
    known = change(records)
    script = f"cat > {RECORDS} <<'END'\n{known}END\npkill -HUP -F /run/dnsmasq.pid"
    assert sandbox.on("dns", "sh", "-c", script).returncode == 0
    # dnsmasq has been told, and reads when it gets to it.
    until(lambda: (sandbox.on("cargo", "getent", "hosts", DEVOPS).returncode == 0) is (DEVOPS in known))


@pytest.fixture
def without_devops(sandbox: PracticeSandbox):
    """The name of devops does not resolve; called, it does again."""
    before = sandbox.on("dns", "cat", RECORDS).stdout
    names(sandbox, lambda text: "".join(line for line in text.splitlines(True) if DEVOPS not in line))

    def heal() -> None:
        names(sandbox, lambda _: before)

    yield heal
    heal()
    send(sandbox, JOBS, {"policy_id": 1, "status": "stop"}, "PUT")


def test_a_sandbox_that_is_up_has_one_finished_replication_behind_it(sandbox: PracticeSandbox):
    first = jobs(sandbox)[-1]
    assert (first["id"], first["status"], first["repository"]) == (1, "finished", "library/tiny")


def test_a_replication_that_finished_has_brought_the_tag_to_the_other_cargo(sandbox: PracticeSandbox):
    tag = f"t{uuid.uuid4().hex[:8]}"
    sandbox.run("docker", "login", CARGO, "-u", "admin", "--password-stdin", input=sandbox.password("cargo-admin"))
    assert sandbox.run("docker", "pull", f"{CARGO}/library/tiny:1").returncode == 0
    sandbox.run("docker", "tag", f"{CARGO}/library/tiny:1", f"{CARGO}/library/brought:{tag}")
    # A repository that docker pushes becomes known to Harbor, and so a part of the replication.
    assert sandbox.run("docker", "push", f"{CARGO}/library/brought:{tag}").returncode == 0
    until(lambda: "library/brought" in harbor(sandbox, "/api/repositories?project_id=1"))
    assert sandbox.run("docker", "pull", f"{DEVOPS}/library/brought:{tag}").returncode == 1
    # Jobs of before may have been stopped, and stay so.
    before = max(int(str(job["id"])) for job in jobs(sandbox))
    started(sandbox)
    # Harbor makes the jobs one after the other.
    until(lambda: status_of(sandbox, "library/brought", before) == "finished")
    assert sandbox.run("docker", "pull", f"{DEVOPS}/library/brought:{tag}").returncode == 0
    assert "library/brought" in harbor(sandbox, "/api/repositories?project_id=1", site="devops")


def test_a_name_that_does_not_resolve_is_retried_until_it_does(sandbox: PracticeSandbox, without_devops):
    number = started(sandbox)
    becomes(sandbox, number, "retrying")
    error, waiting = log(sandbox, number)[-2:]
    assert re.fullmatch(
        r"\S+Z \[ERROR\] \[transfer\.go:205\]: an error occurred while creating project library on "
        rf"https://{DEVOPS} with user admin : "
        rf'Post "https://{DEVOPS}/api/projects/": dial tcp: lookup {DEVOPS}: no such host',
        error,
    )
    assert waiting.endswith("[INFO] waiting for retrying...")
    without_devops()
    becomes(sandbox, number, "finished")


def test_a_job_that_is_stopped_while_it_waits_is_not_tried_again(sandbox: PracticeSandbox, without_devops):
    number = started(sandbox)
    becomes(sandbox, number, "retrying")
    send(sandbox, JOBS, {"policy_id": 1, "status": "stop"}, "PUT")
    becomes(sandbox, number, "stopped")


def test_jobs_outlive_their_containers(sandbox: PracticeSandbox):
    before = jobs(sandbox)
    assert sandbox.on("cargo", "docker", "restart", "-t", "1", "harbor-ui", "harbor-jobservice").returncode == 0

    def there() -> bool:
        try:
            return jobs(sandbox) == before
        except AssertionError:
            return False

    until(there)
    assert log(sandbox, 1)[-1].endswith('next state is "finished"')


def test_cargo_admin_starts_the_replication_and_says_how_it_ended(sandbox: PracticeSandbox):
    base = "http://203.0.113.20:8080/api/v2/replications/cargo-library-to-devops"
    replication = json.loads(sandbox.run("curl", "-sS", base).stdout)
    assert replication["spec"]["target"] == "devops"
    before = len(json.loads(sandbox.run("curl", "-sS", f"{base}/records").stdout)["items"])
    sandbox.run("curl", "-sS", "-d", '{"action": "Start"}', f"{base}/action")

    def newest() -> dict[str, object]:
        records = json.loads(sandbox.run("curl", "-sS", f"{base}/records").stdout)["items"]
        return records[0] if len(records) > before else {}

    until(lambda: newest().get("status") == "Success")

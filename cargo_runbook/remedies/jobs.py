"""Replication jobs that a plan stops and starts: what the API's 200 does not say is waited for, within a bound.

Recorded of Harbor 1.4: a stop answers 200 at once, pending and retrying jobs are `stopped` at the next look, running
ones when their network call ends; a start answers 200 whether or not a job comes of it.
"""

from __future__ import annotations

import time

from cargo_runbook.connections.api_calls import ApiCalls, Service
from cargo_runbook.connections.client import ClientCall
from cargo_runbook.errors import ConnectionFailed
from cargo_runbook.facts.harbor.jobs import ENDED, Job, read_jobs
from cargo_runbook.remedies.actions import STOPPED, ApiCall, Jobs

TRIED_AGAIN = frozenset({"pending", "scheduled", "retrying"})
APPEARS = 3.0
"""Seconds in which a job of a start is there; then the start came to nothing, and is sent once more."""
_LOOK_AGAIN = 0.3


def send_and_wait(action: ApiCall, apis: ApiCalls) -> None:
    """Sends the request, and waits for the jobs that it is about.

    Raises:
        ConnectionFailed: it was refused, or what it was meant to bring about did not come within the bound.
    """
    jobs = action.waits
    if jobs is None:
        apis.send(action.request)
    elif jobs.until == STOPPED:
        apis.send(action.request)
        _wait_until_stopped(action, jobs, apis)
    else:
        _start(action, jobs, apis)


def _wait_until_stopped(action: ApiCall, jobs: Jobs, apis: ApiCalls) -> None:
    until = time.monotonic() + jobs.seconds
    while left := [j for j in jobs_of(apis, action.request.environment, jobs.policy) if j.status in TRIED_AGAIN]:
        if time.monotonic() > until:
            raise ConnectionFailed(
                f"{action.target}: jobs are still {', '.join(sorted({job.status for job in left}))} after the stop",
                vantage=str(action.vantage),
                next_step="Is harbor-jobservice up? Look at it, then resume or roll back.",
            )
        time.sleep(_LOOK_AGAIN)


def _start(action: ApiCall, jobs: Jobs, apis: ApiCalls) -> None:
    environment, until = action.request.environment, time.monotonic() + jobs.seconds
    before = max((job.id for job in jobs_of(apis, environment, jobs.policy)), default=0)
    while True:
        apis.send(action.request)
        appears = time.monotonic() + APPEARS
        while time.monotonic() < appears:
            if any(job.id > before for job in jobs_of(apis, environment, jobs.policy)):
                return
            time.sleep(_LOOK_AGAIN)
        if time.monotonic() > until:
            raise ConnectionFailed(
                f"{action.target}: the start was accepted and led to no new job",
                vantage=str(action.vantage),
                next_step="Is harbor-jobservice up, and is the repository in Harbor's list? Then resume.",
            )


def jobs_of(apis: ApiCalls, environment: str, policy: int) -> tuple[Job, ...]:
    """The newest jobs of a policy, a page of them.

    Raises:
        ConnectionFailed: they could not be listed.
    """
    path = f"/api/jobs/replication?policy_id={policy}&page=1&page_size=100"
    seen = apis.look(Service.HARBOR, environment, path)
    listed = read_jobs(seen)
    if listed.jobs is None:
        raise ConnectionFailed(
            f"the jobs of policy {policy} could not be listed",
            vantage=f"Harbor of {environment}",
            seen=f"answered {listed.status}" if listed.status else listed.said,
        )
    return listed.jobs


def as_client_call(apis: ApiCalls, environment: str, policy: int, name: str) -> ClientCall:
    """The replication as a call that works or not: the newest job of each repository. `exit_code` is None while one is
    under way, and 1 when one ended badly or waits to be tried again."""
    try:
        found = jobs_of(apis, environment, policy)
    except ConnectionFailed as error:
        return ClientCall(name, 1, str(error))
    newest: dict[str, Job] = {}
    for job in sorted(found, key=lambda job: job.id):
        newest[job.repository] = job
    states = {job.status for job in newest.values()}
    under_way = bool(states - ENDED - {"retrying"})
    code = None if under_way else 0 if states == {"finished"} else 1
    said = "\n".join(f"{job.repository} (job {job.id}): {job.status}" for job in newest.values())
    return ClientCall(name, code, said or "there is no job")

"""Replication jobs that a plan stops and starts: what the API's 200 does not say is waited for, within a bound.

Recorded of Harbor 1.4: a stop answers 200 at once, pending and retrying jobs are `stopped` at the next look, running
ones when their network call ends; a start answers 200 whether or not a job comes of it. Cargo-Admin puts Harbor's jobs
together into records of its own (`/records`), which is where people look for a start.
"""

from __future__ import annotations

import time

from cargo_runbook.connections.api_calls import ApiCalls, ApiRequest, Service
from cargo_runbook.connections.client import ClientCall
from cargo_runbook.errors import ConnectionFailed
from cargo_runbook.facts.admin_records import AdminRecord, read_records
from cargo_runbook.facts.harbor.jobs import ENDED, Job, read_jobs
from cargo_runbook.remedies.actions import STOPPED, ApiCall, Jobs
from cargo_runbook.texts import tell

TRIED_AGAIN = frozenset({"pending", "scheduled", "retrying"})
APPEARS = 3.0
"""Seconds in which a job of a start is there; then the start came to nothing, and is sent once more."""
SHOWN = 10.0
"""Seconds in which Cargo-Admin shows its record of a start that Harbor has jobs of."""
_LOOK_AGAIN = 0.3


def send_and_wait(action: ApiCall, apis: ApiCalls) -> str:
    """Sends the request, and waits for the jobs that it is about; what was seen that is worth telling.

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
        return _start(action, jobs, apis)
    return ""


def _wait_until_stopped(action: ApiCall, jobs: Jobs, apis: ApiCalls) -> None:
    until = time.monotonic() + jobs.seconds
    while left := [j for j in jobs_of(apis, action.request.environment, jobs.policy) if j.status in TRIED_AGAIN]:
        if time.monotonic() > until:
            raise ConnectionFailed(
                tell(
                    f"{action.target}: jobs are still {', '.join(sorted({job.status for job in left}))} after the stop",
                    f"{action.target}：停止之后仍有任务处于 {', '.join(sorted({job.status for job in left}))}",
                ),
                vantage=str(action.vantage),
                next_step=tell(
                    "Is harbor-jobservice up? Look at it, then resume or roll back.",
                    "harbor-jobservice 是否在运行？请检查后再继续或撤销。",
                ),
            )
        time.sleep(_LOOK_AGAIN)


def _start(action: ApiCall, jobs: Jobs, apis: ApiCalls) -> str:
    in_admin = action.request.service is Service.CARGO_ADMIN
    records = _records_of(apis, action.request) if in_admin else None
    environment, until = action.request.environment, time.monotonic() + jobs.seconds
    before = max((job.id for job in jobs_of(apis, environment, jobs.policy)), default=0)
    while True:
        apis.send(action.request)
        appears = time.monotonic() + APPEARS
        while time.monotonic() < appears:
            if any(job.id > before for job in jobs_of(apis, environment, jobs.policy)):
                return "" if records is None else _record_of_start(action.request, records, apis)
            time.sleep(_LOOK_AGAIN)
        if time.monotonic() > until:
            raise ConnectionFailed(
                tell(
                    f"{action.target}: the start was accepted and led to no new job",
                    f"{action.target}：触发被接受，但没有产生新任务",
                ),
                vantage=str(action.vantage),
                next_step=tell(
                    "Is harbor-jobservice up, and is the repository in Harbor's list? Then resume.",
                    "harbor-jobservice 是否在运行？该镜像仓库是否在 Harbor 的列表中？然后继续（--resume）。",
                ),
            )


def _records_of(apis: ApiCalls, start: ApiRequest) -> tuple[AdminRecord, ...] | None:
    """Cargo-Admin's records of the replication that is started; None where they can't be read."""
    path = f"{start.path.removesuffix('/action')}/records"
    return read_records(apis.look(Service.CARGO_ADMIN, start.environment, path))


def _record_of_start(start: ApiRequest, before: tuple[AdminRecord, ...], apis: ApiCalls) -> str:
    """Waits for the record of a start. The replication goes on whether or not it is shown: that is told, and no error."""
    until = time.monotonic() + SHOWN
    while True:
        found = _records_of(apis, start) or ()
        # Of jobs that came right after those of an earlier start, Cargo-Admin makes no record but counts them there.
        if found and _mark(found) != _mark(before):
            return tell(
                f"Cargo-Admin has its record of this start ({found[0].time}): {found[0].status}",
                f"Cargo-Admin 已有本次触发的记录（{found[0].time}）：{found[0].status}",
            )
        if time.monotonic() > until:
            return tell(
                f"Harbor has the job of this start, but Cargo-Admin shows no new record after {SHOWN:.0f} s: it puts jobs "
                "into records by their times, so compare the clocks of the Cargo host and of the control cluster",
                f"Harbor 已有本次触发的任务，但 {SHOWN:.0f} 秒后 Cargo-Admin 仍没有新记录：它按时间归并任务，"
                "请比较 Cargo 主机与控制集群的时钟",
            )
        time.sleep(_LOOK_AGAIN)


def _mark(records: tuple[AdminRecord, ...]) -> tuple[object, ...]:
    """What a new start changes in the records, and the end of an earlier one does not."""
    return (len(records), records[0].time, records[0].total) if records else ()


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
            tell(f"the jobs of policy {policy} could not be listed", f"无法列出策略 {policy} 的任务"),
            vantage=f"Harbor of {environment}",
            seen=tell(f"answered {listed.status}", f"返回 {listed.status}") if listed.status else listed.said,
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
    return ClientCall(name, code, said or tell("there is no job", "没有任务"))

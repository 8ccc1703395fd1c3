"""Harbor's API: replication policies, and starting them."""

from __future__ import annotations

from dataclasses import dataclass

from cargo_sandbox.services import harbor_targets
from cargo_sandbox.services.harbor_api import Call, Refused, administers, created, pretty
from cargo_sandbox.services.harbor_database import Database, Row, Tables, insert, now, row
from cargo_sandbox.services.harbor_jobs import UNDER_WAY, JobQueue
from cargo_sandbox.services.harbor_projects import shown as shown_project
from cargo_sandbox.services.web import Response

TRIGGERS = ("Manual", "Immediate", "Scheduled")
FILTERS = ("repository", "tag")


@dataclass(frozen=True)
class Policies:
    database: Database
    jobs: JobQueue

    def all(self, call: Call) -> Response:
        account, tables = call.signed_in(), self.database.read()
        name, project = call.request.parameter("name"), call.request.parameter("project_id")
        found = [
            each
            for each in tables["policies"]
            if name in each["name"] and (not project or str(each["project_id"]) == project)
        ]
        page, headers = call.page(found)
        projects = {each["project_id"]: each for each in tables["projects"]}
        seen = [_shown(each, tables) for each in page if administers(projects[each["project_id"]], account)]
        return pretty(seen, headers=headers)

    def one(self, call: Call) -> Response:
        account, tables = call.signed_in(), self.database.read()
        policy = self._policy(tables, call.number())
        project = row(tables["projects"], "project_id", policy["project_id"])
        if project is None or not administers(project, account):
            raise Refused(403)
        return pretty(_shown(policy, tables))

    def create(self, call: Call) -> Response:
        call.admin()
        wanted = call.body()
        _check(wanted)
        with self.database.change() as tables:
            number = insert(tables, "policies", "id", _values(wanted, tables))
        if wanted.get("replicate_existing_image_now"):
            self.jobs.start(number)
        return created(f"/api/policies/replication/{number}")

    def change(self, call: Call) -> Response:
        call.admin()
        wanted = call.body()
        _check(wanted)
        with self.database.change() as tables:
            policy = self._policy(tables, call.number())
            policy |= {**_values(wanted, tables), "update_time": now()}
        return Response(200)

    def delete(self, call: Call) -> Response:
        call.admin()
        with self.database.change() as tables:
            policy = self._policy(tables, call.number())
            if any(job["policy_id"] == policy["id"] and job["status"] in UNDER_WAY for job in tables["jobs"]):
                raise Refused(412, "policy has running/retrying/pending jobs, can not be deleted")
            tables["policies"].remove(policy)
        return Response(200)

    def start(self, call: Call) -> Response:
        """Start now. 200 says nothing about whether jobs will appear."""
        call.admin()
        number = int(call.body().get("policy_id", 0))
        if row(self.database.read()["policies"], "id", number) is None:
            raise Refused(404, f"replication policy {number} not found\n")
        self.jobs.start(number)
        return Response(200)

    @staticmethod
    def _policy(tables: Tables, number: int) -> Row:
        policy = row(tables["policies"], "id", number)
        if policy is None:
            raise Refused(404, "Not Found")
        return policy


def _check(wanted: Row) -> None:
    """Name the first mistake of a body."""
    if not wanted.get("name"):
        raise Refused(400, "name can not be empty \n")
    kind = (wanted.get("trigger") or {}).get("kind", "")
    for each in wanted.get("filters") or []:
        if each.get("kind") not in FILTERS:
            raise Refused(400, f"kind invalid filter kind: {each.get('kind')} \n")
        if not each.get("pattern"):
            raise Refused(400, "pattern filter pattern can not be empty \n")
    if kind not in TRIGGERS:
        raise Refused(400, f"kind invalid trigger kind: {kind} \n")


def _values(wanted: Row, tables: Tables) -> Row:
    project, target = wanted["projects"][0]["project_id"], wanted["targets"][0]["id"]
    if row(tables["projects"], "project_id", project) is None:
        raise Refused(404, f"project {project} not found\n")
    if row(tables["targets"], "id", target) is None:
        raise Refused(404, f"target {target} not found\n")
    schedule = wanted["trigger"].get("schedule_param")
    if schedule:
        schedule = {"type": schedule.get("type"), "weekday": schedule.get("weekday", 0), "offtime": schedule["offtime"]}
    return {
        "name": wanted["name"],
        "description": wanted.get("description", ""),
        "filters": [{"kind": each["kind"], "pattern": each["pattern"]} for each in wanted.get("filters") or []],
        "replicate_deletion": bool(wanted.get("replicate_deletion")),
        "trigger": {"kind": wanted["trigger"]["kind"], "schedule_param": schedule or None},
        "project_id": project,
        "target_id": target,
    }


def _shown(policy: Row, tables: Tables) -> Row:
    project = row(tables["projects"], "project_id", policy["project_id"])
    target = row(tables["targets"], "id", policy["target_id"])
    failed = sum(job["policy_id"] == policy["id"] and job["status"] == "error" for job in tables["jobs"])
    return {
        **{key: policy[key] for key in ("id", "name", "description")},
        "filters": policy["filters"] or None,
        **{key: policy[key] for key in ("replicate_deletion", "trigger")},
        "projects": [shown_project(project, tables)] if project else [],
        "targets": [harbor_targets.shown(target)] if target else [],
        **{key: policy[key] for key in ("creation_time", "update_time")},
        "replicate_existing_image_now": False,
        "error_job_count": failed,
    }

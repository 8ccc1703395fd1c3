"""The states that the recorded Harbor had when an exchange was recorded: what its database held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cargo_sandbox.services.harbor_database import Tables, fresh, insert, insert_project, insert_repository
from cargo_sandbox.services.jobservice import log_file

USERS = ("alice", "bob", "carol", "dave")
ROLES = {"alice": 1, "bob": 2, "carol": 3}
SOURCE_IMAGES = ("devops_test/node:1", "devops_test/node:2", "devops_test/redis:1", "devops_test/redis:2")
OLD = "2026-10-15T10:27:53Z"
LATER = "2026-11-24T10:24:04Z"


def empty(password: str) -> Tables:
    """A new Harbor whose first targets and policies were deleted again."""
    tables = fresh(password, {"library": True})
    tables["next"] |= {"targets": 4, "policies": 4}
    return tables


def with_members(password: str) -> Tables:
    """Four users, and the private project devops_test with a member of each role."""
    tables = fresh(password, {"library": True})
    for name in USERS:
        values = {"username": name, "email": f"{name}@example.com", "password": password, "realname": name}
        insert(tables, "users", "user_id", {**values, "comment": "", "has_admin_role": 0})
    insert_project(tables, "devops_test", 1, public=False)
    numbers = {user["username"]: user["user_id"] for user in tables["users"]}
    tables["projects"][1]["members"] += [{"user_id": numbers[name], "role": role} for name, role in ROLES.items()]
    for name in ("node", "redis"):
        insert_repository(tables, f"devops_test/{name}")
    return tables


def policy(tables: Tables, name: str, target: int) -> int:
    values = {"name": name, "description": "", "filters": [], "replicate_deletion": False}
    trigger = {"kind": "Manual", "schedule_param": None}
    return insert(tables, "policies", "id", {**values, "trigger": trigger, "project_id": 2, "target_id": target})


def job(number: int, of: int, repository: str, status: str, created: str = LATER) -> dict[str, Any]:
    fields = {"id": number, "status": status, "repository": f"devops_test/{repository}", "policy_id": of}
    return {**fields, "operation": "transfer", "tags": ["1"], "creation_time": created, "update_time": created}


def busy(password: str, closed_port: int) -> Tables:
    """Four projects, twelve targets, 37 policies and some jobs. Nothing answers at the targets."""
    tables = with_members(password)
    for name in ("onlysource", "other"):
        insert_project(tables, name, 1, public=False)
    for number in range(1, 13):
        endpoint = {1: "https://cargo-b.example", 4: "https://alias-b.example"}.get(
            number, f"http://127.0.0.{number}:{closed_port}"
        )
        values = {"name": f"target-{number}", "endpoint": endpoint, "username": "admin", "password": password}
        insert(tables, "targets", "id", {**values, "insecure": True})
    for number, name in enumerate(("to-good", "to-unresolvable", "to-refused", "to-x509"), start=1):
        policy(tables, name, number)
    while tables["next"]["policies"] < 38:
        policy(tables, f"case-{tables['next']['policies']}", 5)
    for each in tables["policies"][-3:]:
        each["project_id"] = 3
    tables["jobs"] = [
        *(job(3, 3, "node", "retrying"), job(4, 3, "redis", "retrying")),
        *(job(5, 4, "node", "retrying"), job(6, 4, "redis", "retrying")),
        *(job(7, 1, "redis", "finished", OLD), job(8, 1, "node", "finished")),
        *(job(42, 1, "node", "finished"), job(43, 1, "redis", "finished")),
    ]
    tables["next"]["jobs"] = 44
    return tables


def many_jobs(password: str, closed_port: int) -> Tables:
    """620 finished jobs of policy 6."""
    tables = busy(password, closed_port)
    tables["jobs"] = [job(number, 6, "node", "finished") for number in range(1, 621)]
    return tables


def blocked(password: str, closed_port: int) -> Tables:
    """Policy 43 with six finished jobs, policy 4 with two that are retried."""
    tables = busy(password, closed_port)
    while tables["next"]["policies"] < 44:
        policy(tables, f"case-{tables['next']['policies']}", 1)
    tables["jobs"] += [job(number, 43, "node", "finished") for number in range(50, 56)]
    return tables


def write_logs(folder: Path, tables: Tables) -> None:
    for each in tables["jobs"]:
        file = log_file(folder, each["id"])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("2026-11-24T10:24:04Z [INFO] waiting for retrying...\n")

"""Harbor's API: projects and their members."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cargo_sandbox.services.harbor_api import (
    DEVELOPER,
    GUEST,
    PROJECT_ADMIN,
    Account,
    Call,
    Refused,
    administers,
    created,
    may_see,
    pretty,
    project_of,
    role_in,
)
from cargo_sandbox.services.harbor_database import Database, Row, Tables, insert_project, now, row
from cargo_sandbox.services.web import Response

NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
ROLES = {PROJECT_ADMIN: ("projectAdmin", "MDRWS"), DEVELOPER: ("developer", "RWS"), GUEST: ("guest", "RS")}


def shown(project: Row, tables: Tables, *, role: int = 0) -> Row:
    """A project as the API writes it; lists tell the caller's role, single projects do not."""
    known = sum(each["project_id"] == project["project_id"] for each in tables["repositories"])
    return {
        **{key: project[key] for key in ("project_id", "owner_id", "name", "creation_time", "update_time")},
        "deleted": 0,
        "owner_name": "",
        "togglable": role == PROJECT_ADMIN,
        "current_user_role_id": role,
        "repo_count": known,
        "metadata": {"public": "true" if project["public"] else "false"},
    }


@dataclass(frozen=True)
class Projects:
    database: Database

    def exists(self, call: Call) -> Response:
        """HEAD: tells even the anonymous."""
        name = call.request.parameter("project_name")
        if not name:
            raise Refused(400, "project_name is needed\n")
        if row(self.database.read()["projects"], "name", name) is None:
            raise Refused(404, f"project {name} not found\n")
        return Response(200)

    def all(self, call: Call) -> Response:
        tables, account = self.database.read(), call.account
        wanted = call.request.parameter("public")
        found = [
            shown(project, tables, role=_listed_role(project, account))
            for project in tables["projects"]
            if call.request.parameter("name") in project["name"]
            and may_see(project, account)
            and (not wanted or (wanted in {"1", "true"}) == project["public"])
        ]
        page, headers = call.page(sorted(found, key=lambda project: str(project["name"])))
        return pretty(page or None, headers=headers)

    def create(self, call: Call) -> Response:
        account, wanted = call.signed_in(), call.body()
        name = str(wanted.get("project_name", ""))
        public = wanted.get("metadata", {}).get("public", wanted.get("public", 0)) in {"true", 1}
        with self.database.change() as tables:
            if tables["settings"]["project_creation_restriction"] == "adminonly" and not account.admin:
                raise Refused(403, "Only system admin can create project\n")
            if NAME.fullmatch(name) is None:
                words = "project name is not in lower case or contains illegal characters"
                raise Refused(400, f"invalid request: {words}\n")
            if row(tables["projects"], "name", name):
                raise Refused(409)
            number = insert_project(tables, name, account.user_id, public=public)
        return created(f"/api/projects/{number}")

    def delete(self, call: Call) -> Response:
        """Only while nothing is in it and no policy is about it (swagger.yaml of 1.4: 412)."""
        account = call.signed_in()
        with self.database.change() as tables:
            project = project_of(tables, call.number())
            if not administers(project, account):
                raise Refused(403)
            for table, words in (("repositories", "repositories"), ("policies", "policies")):
                if row(tables[table], "project_id", project["project_id"]):
                    raise Refused(412, f"the project contains {words}, can not be deleted\n")
            tables["projects"].remove(project)
        return Response(200)

    def one(self, call: Call) -> Response:
        tables = self.database.read()
        project = project_of(tables, call.number())
        if not may_see(project, call.account):
            call.signed_in()
            raise Refused(403)
        return pretty(shown(project, tables))

    def members(self, call: Call) -> Response:
        tables = self.database.read()
        project = self._project(call, tables)
        return pretty([{"user_id": user["user_id"], **_member(user, role)} for user, role in _members(project, tables)])

    def member(self, call: Call) -> Response:
        tables = self.database.read()
        project = self._project(call, tables)
        for user, role in _members(project, tables):
            if user["user_id"] == call.number(1):
                name, code = ROLES[role]
                held = {"role_id": role, "role_code": code, "role_name": name, "role_mask": 0}
                return pretty({"roles": [held], "user_id": user["user_id"], "username": user["username"]})
        raise Refused(404, f"member {call.number(1)} not found\n")

    def add_member(self, call: Call) -> Response:
        with self.database.change() as tables:
            project, wanted = self._project(call, tables, change=True), call.body()
            name = wanted.get("username")
            if not name:
                raise Refused(500, "Failed to search user\n")
            user = row(tables["users"], "username", name)
            if user is None:
                raise Refused(404, f"Failed to search user: {name}\n")
            if row(project["members"], "user_id", user["user_id"]):
                raise Refused(409, "user is ready in project\n")
            roles = _roles(wanted)
            project["members"].append({"user_id": user["user_id"], "role": roles[0] if roles else GUEST})
        return Response(200)

    def change_member(self, call: Call) -> Response:
        with self.database.change() as tables:
            project = self._project(call, tables, change=True)
            member = row(project["members"], "user_id", call.number(1))
            if member is None:
                raise Refused(404, f"member {call.number(1)} not found\n")
            roles = _roles(call.body())
            if roles:
                member["role"] = roles[0]
            else:
                project["members"].remove(member)
            project["update_time"] = now()
        return Response(200)

    def remove_member(self, call: Call) -> Response:
        with self.database.change() as tables:
            project = self._project(call, tables, change=True)
            project["members"] = [each for each in project["members"] if each["user_id"] != call.number(1)]
        return Response(200)

    @staticmethod
    def _project(call: Call, tables: Tables, *, change: bool = False) -> Row:
        """The project whose members are asked for or changed, if the caller may do that."""
        account = call.signed_in()
        project = project_of(tables, call.number())
        if not administers(project, account) and (change or not role_in(project, account)):
            raise Refused(403)
        return project


def _listed_role(project: Row, account: Account | None) -> int:
    return PROJECT_ADMIN if account and account.admin else role_in(project, account)


def _members(project: Row, tables: Tables) -> list[tuple[Row, int]]:
    users = {user["user_id"]: user for user in tables["users"]}
    held = sorted(project["members"], key=lambda member: int(member["user_id"]))
    return [(users[member["user_id"]], int(member["role"])) for member in held]


def _member(user: Row, role: int) -> Row:
    return {"username": user["username"], "role_name": ROLES[role][0], "role_id": role}


def _roles(wanted: Row) -> list[int]:
    roles = list(wanted.get("roles") or [])
    if any(role not in ROLES for role in roles):
        raise Refused(400, "invalid role")
    return roles

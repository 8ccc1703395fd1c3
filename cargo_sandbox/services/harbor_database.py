"""What Harbor keeps in its database: users, projects, targets, policies, repositories and jobs, in one JSON file.

harbor-ui and harbor-jobservice both work on the file, one at a time; whoever changes it writes it anew in one step.
A file that can't be read is a database that is down.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Tables = dict[str, Any]

FIRST_USER = 3  # 1 is admin, 2 is Harbor's own anonymous


class DatabaseDown(Exception):
    """The database does not answer."""


@dataclass(frozen=True)
class Database:
    """The file of one Harbor."""

    file: Path

    def read(self) -> Tables:
        """All tables, as they are now.

        Raises:
            DatabaseDown: the file is not there or holds no tables.
        """
        try:
            tables = json.loads(self.file.read_bytes())
        except (OSError, ValueError) as error:
            raise DatabaseDown(str(error)) from error
        if not isinstance(tables, dict):
            raise DatabaseDown(f"{self.file} holds no tables")
        return tables

    @contextmanager
    def change(self) -> Iterator[Tables]:
        """The tables, to be changed; written when the block ends well.

        Raises:
            DatabaseDown: see `read`.
        """
        try:
            lock = self.file.with_suffix(".lock").open("w")
        except OSError as error:
            raise DatabaseDown(str(error)) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tables = self.read()
            yield tables
            draft = self.file.with_suffix(f".{os.getpid()}")
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as file:
                json.dump(tables, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self.file)


def now() -> str:
    """The time as Harbor's API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def row(rows: Iterable[Row], key: str, value: object) -> Row | None:
    """The first row with `value` under `key`."""
    return next((each for each in rows if each[key] == value), None)


def insert(tables: Tables, table: str, key: str, values: Row) -> int:
    """Add a row with the next id, and the times of its making; the id is returned."""
    number = int(tables["next"][table])
    tables["next"][table] = number + 1
    tables[table].append({key: number, **values, "creation_time": now(), "update_time": now()})
    return number


def fresh(admin_password: str, projects: Mapping[str, bool], *, repositories: Iterable[str] = ()) -> Tables:
    """The tables of a new Harbor.

    Args:
        projects: name -> whether it is public; all belong to admin.
        repositories: those that Harbor knows from the start.
    """
    tables: Tables = {
        "settings": {"project_creation_restriction": "everyone"},
        "next": {"users": 1, "projects": 1, "repositories": 1, "targets": 1, "policies": 1, "jobs": 1},
        "users": [],
        "projects": [],
        "repositories": [],
        "targets": [],
        "policies": [],
        "jobs": [],
    }
    admin = {"username": "admin", "email": "admin@example.com", "password": admin_password, "realname": "system admin"}
    insert(tables, "users", "user_id", {**admin, "comment": "admin user", "has_admin_role": 1})
    tables["next"]["users"] = FIRST_USER
    for name, public in projects.items():
        insert_project(tables, name, 1, public=public)
    for name in repositories:
        insert_repository(tables, name)
    return tables


def insert_project(tables: Tables, name: str, owner: int, *, public: bool) -> int:
    """Add a project, whose owner is its first administrator."""
    values = {"name": name, "owner_id": owner, "public": public, "members": [{"user_id": owner, "role": 1}]}
    return insert(tables, "projects", "project_id", values)


def insert_repository(tables: Tables, name: str) -> bool:
    """Make a repository known; False when it is already, or when it has no project."""
    project = row(tables["projects"], "name", name.partition("/")[0])
    if project is None or row(tables["repositories"], "name", name) is not None:
        return False
    insert(tables, "repositories", "id", {"name": name, "project_id": project["project_id"]})
    return True

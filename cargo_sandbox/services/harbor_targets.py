"""Harbor's API: replication targets, the other registries that images go to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from cargo_sandbox.services.go_http import BadStatus, Client, NetworkError
from cargo_sandbox.services.harbor_api import Call, Refused, created, pretty
from cargo_sandbox.services.harbor_database import Database, Row, Tables, insert, now, row
from cargo_sandbox.services.registry_client import Registry, basic
from cargo_sandbox.services.web import Response

SHOWN = ("id", "endpoint", "name", "username")


def shown(target: Row) -> Row:
    """A target as the API writes it: without its password."""
    times = {key: target[key] for key in ("creation_time", "update_time")}
    return {**{key: target[key] for key in SHOWN}, "password": "", "type": 0, "insecure": target["insecure"], **times}


def endpoint_of(text: str) -> str:
    """An endpoint as Harbor keeps it: `http://` is put before a name without a scheme, the last slash goes."""
    scheme, mark, _ = text.partition("://")
    if not mark:
        return f"http://{text}".rstrip("/")
    if scheme not in {"http", "https"}:
        raise Refused(400, f"endpoint invalid scheme: {scheme} \n")
    return text.rstrip("/")


@dataclass(frozen=True)
class Targets:
    """`authorities`: see `go_http`."""

    database: Database
    authorities: Path

    def all(self, call: Call) -> Response:
        call.admin()
        part = call.request.parameter("name")
        return pretty([shown(each) for each in self.database.read()["targets"] if part in each["name"]])

    def one(self, call: Call) -> Response:
        call.admin()
        return pretty(shown(self._target(self.database.read(), call.number())))

    def create(self, call: Call) -> Response:
        call.admin()
        wanted = call.body()
        endpoint = endpoint_of(str(wanted.get("endpoint", "")))
        values = {key: str(wanted.get(key, "")) for key in ("name", "username", "password")}
        with self.database.change() as tables:
            _unique(tables, values["name"], endpoint)
            values_of = {**values, "endpoint": endpoint, "insecure": bool(wanted.get("insecure", False))}
            number = insert(tables, "targets", "id", values_of)
        return created(f"/api/targets/{number}")

    def change(self, call: Call) -> Response:
        call.admin()
        wanted = call.body()
        with self.database.change() as tables:
            target = self._target(tables, call.number())
            new: Row = {key: wanted[key] for key in ("name", "username", "password", "insecure") if key in wanted}
            if "endpoint" in wanted:
                new["endpoint"] = endpoint_of(str(wanted["endpoint"]))
            merged = target | new
            _unique(tables, merged["name"], merged["endpoint"], but=call.number())
            target |= {**new, "update_time": now()}
        return Response(200)

    def delete(self, call: Call) -> Response:
        call.admin()
        with self.database.change() as tables:
            target = self._target(tables, call.number())
            if row(tables["policies"], "target_id", target["id"]):
                raise Refused(412, "the target is used by policies, can not be deleted")
            tables["targets"].remove(target)
        return Response(200)

    def ping(self, call: Call) -> Response:
        """200 proves that the credentials are taken, not that they may do anything; every failure is 400."""
        call.admin()
        wanted = call.body()
        target: Row = {"endpoint": "", "username": "", "password": "", "insecure": False}
        if wanted.get("id") is not None:
            target = target | self._target(self.database.read(), int(wanted["id"]))
        target = target | {key: wanted[key] for key in target if key in wanted}
        try:
            if not target["endpoint"]:
                raise Refused(400, "failed to ping target\n")
            client = Client(insecure=bool(target["insecure"]), authorities=self.authorities)
            endpoint = endpoint_of(str(target["endpoint"]))
            Registry(endpoint, client, basic(target["username"], target["password"])).ping()
        except (NetworkError, BadStatus) as error:
            print(f"failed to ping target: {error}", flush=True)
            raise Refused(400, "failed to ping target\n") from error
        return Response(200)

    def policies(self, call: Call) -> Response:
        """The policies that use a target, with the names of the database's own fields."""
        call.admin()
        tables = self.database.read()
        self._target(tables, call.number())
        return pretty([_stored(each) for each in tables["policies"] if each["target_id"] == call.number()])

    @staticmethod
    def _target(tables: Tables, number: int) -> Row:
        target = row(tables["targets"], "id", number)
        if target is None:
            raise Refused(404, f"target {number} not found\n")
        return target


def _unique(tables: Tables, name: str, endpoint: str, *, but: int = 0) -> None:
    others = [each for each in tables["targets"] if each["id"] != but]
    if row(others, "name", name):
        raise Refused(409, "name is already used")
    if row(others, "endpoint", endpoint):
        raise Refused(409, f"the target whose endpoint is {endpoint} already exists")


def _stored(policy: Row) -> Row:
    return {
        "ID": policy["id"],
        "ProjectID": policy["project_id"],
        "TargetID": policy["target_id"],
        "Name": policy["name"],
        "Description": policy["description"],
        "Trigger": json.dumps(policy["trigger"], separators=(",", ":")),
        "Filters": json.dumps(policy["filters"], separators=(",", ":")) if policy["filters"] else "",
        "ReplicateDeletion": policy["replicate_deletion"],
        "CreationTime": policy["creation_time"],
        "UpdateTime": policy["update_time"],
        "Deleted": 0,
    }

"""What a look was about, kept so that it can be judged again: what was asked for, the inventory, who was looked at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cargo_runbook.archive.files import write_json, write_text
from cargo_runbook.archive.record import EVIDENCE, LOOK, VERDICT
from cargo_runbook.errors import InventoryError
from cargo_runbook.facts.targets import read_targets
from cargo_runbook.findings import Diagnosis, diagnosis_to_json
from cargo_runbook.inventory.loader import load_environment
from cargo_runbook.inventory.models import DOCKER_LOGIN
from cargo_runbook.observations import Observation, observation_to_json
from cargo_runbook.texts import Text

if TYPE_CHECKING:
    from cargo_runbook.inventory.models import Environment
    from cargo_runbook.investigation import Investigation

_REFERENCE = "env:NOT_KEPT"
_TARGETS = {
    "hosts": Text("host key", "主机密钥"),
    "clocks": Text("clock, seconds ahead of the operator's", "时钟（比操作机快的秒数）"),
    "registries": Text("Harbor", "Harbor"),
    "certificates": Text("certificate", "证书"),
    "clusters": Text("cluster", "集群"),
}


def file_look(folder: Path, investigation: Investigation, diagnosis: Diagnosis) -> None:
    """Writes verdict, evidence and what they came from into a draft, each file whole or not at all."""
    evidence = investigation.evidence
    write_findings(folder, diagnosis, evidence)
    write_json(folder / LOOK, _look(investigation, evidence))


def write_findings(folder: Path, diagnosis: Diagnosis, evidence: Iterable[Observation]) -> None:
    """Writes `verdict.json` and `evidence.jsonl` into a draft, each whole or not at all."""
    write_json(folder / VERDICT, diagnosis_to_json(diagnosis))
    file_evidence(folder, evidence)


def file_evidence(folder: Path, evidence: Iterable[Observation]) -> None:
    """Writes `evidence.jsonl` into a draft, whole or not at all."""
    lines = [json.dumps(observation_to_json(o), ensure_ascii=False, sort_keys=True) for o in evidence]
    write_text(folder / EVIDENCE, "".join(f"{line}\n" for line in lines))


def _look(investigation: Investigation, evidence: Iterable[Observation]) -> dict[str, Any]:
    environment, wanted = investigation.environment, investigation.wanted
    asked = {o.question.environment for o in evidence} - {"", environment.name}
    return {
        "image": f"{wanted.repository}:{wanted.tag}" if wanted.narrowed else "",
        "account": wanted.account,
        "action": wanted.action if wanted.narrowed else "",
        "policy": wanted.policy,
        "operation": investigation.operation,
        "concerns": list(investigation.concerns),
        "inventory": {each.name: _kept(each) for each in (environment, *_others(environment, sorted(asked)))},
        "targets": read_targets(evidence),
    }


def _others(environment: Environment, names: Iterable[str]) -> Iterator[Environment]:
    for name in names:
        try:
            yield load_environment(name, environment.folder)
        except InventoryError:
            # It was whole when it was asked, and is being edited now: judged again, its side is unknown.
            continue


def _kept(environment: Environment) -> dict[str, Any]:
    """An environment as it was read, without the references to credentials: they lead nowhere on another machine."""
    body: dict[str, Any] = environment.model_dump(mode="json", exclude_defaults=True)
    for account in body.get("accounts", ()):
        reference = str(account.pop("password", ""))
        account["login"] = DOCKER_LOGIN if reference.startswith(DOCKER_LOGIN) else "reference"
    file = environment.file
    digest = sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
    return {"file": file.name, "sha256": digest, "environment": body}


def target_rows(look: Mapping[str, Any]) -> Iterator[tuple[Text, str, str]]:
    """Who was looked at, a row each: kind (host key, clock and so on), name, and what is known of it."""
    for kind, found in dict(look.get("targets") or {}).items():
        # Of clusters, older records have the context alone.
        for name, value in (found if isinstance(found, Mapping) else dict.fromkeys(map(str, found), "")).items():
            told = " ".join(f"{what} {which}" for what, which in value.items()) if isinstance(value, Mapping) else value
            yield _TARGETS.get(kind, Text(kind, kind)), name, str(told)


@contextmanager
def inventory_of(look: Mapping[str, Any]) -> Iterator[Path]:
    """The inventory of a look as a folder that `load_environment` reads, while the context lasts.

    Raises:
        KeyError, TypeError, AttributeError: the look holds none.
    """
    with TemporaryDirectory(prefix="cargo-runbook-") as name:
        folder = Path(name)
        for environment, kept in look["inventory"].items():
            body = dict(kept["environment"])
            body["accounts"] = [_account(account) for account in body.get("accounts", ())]
            # JSON is YAML as well.
            (folder / f"{Path(environment).name}.yaml").write_text(json.dumps(body), encoding="utf-8")
        yield folder


def _account(kept: Mapping[str, Any]) -> dict[str, Any]:
    account = dict(kept)
    account["password"] = DOCKER_LOGIN if account.pop("login", "") == DOCKER_LOGIN else _REFERENCE
    return account

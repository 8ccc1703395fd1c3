"""The JSON Schema for editors says the same as the loader."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from cargo_runbook.inventory.loader import load_environment
from cargo_runbook.inventory.models import Environment
from cargo_runbook.inventory.schema import json_schema

EXAMPLE = files("cargo_runbook.inventory").joinpath("example.yaml").read_text("utf-8")


def switched_on(text: str) -> str:
    """The example with its commented-out keys in use: a `#` that begins a line and has no space after it."""
    return re.sub(r"^( *)#(?=(  )?(- )?\w+: | {2}\w+:|\w+:$|- \d)", r"\1", text, flags=re.MULTILINE)


def test_the_schema_is_valid_and_does_not_ask_for_the_name() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["domain", "hosts"]
    assert schema["additionalProperties"] is False


def test_every_key_is_described() -> None:
    undescribed = [key for key, field in Environment.model_fields.items() if not field.description]
    assert undescribed == []


def test_the_example_is_right_for_the_loader_and_for_the_schema(tmp_path: Path) -> None:
    (tmp_path / "cargo.yaml").write_text(EXAMPLE, "utf-8")
    assert load_environment("cargo", tmp_path).domain == "cargo.example.com"
    data = {key: value for key, value in YAML(typ="safe").load(EXAMPLE).items() if value is not None}
    jsonschema.validate(data, json_schema())


def test_the_example_with_everything_switched_on_is_right_and_shows_every_key(tmp_path: Path) -> None:
    text = switched_on(EXAMPLE)
    (tmp_path / "cargo.yaml").write_text(text, "utf-8")
    environment = load_environment("cargo", tmp_path)
    assert environment.contact is not None
    assert [account.name for account in environment.accounts] == ["admin", "jane", "docker-config"]
    assert sorted(key for key in Environment.model_fields if not environment.line_of(key)) == ["name"]
    jsonschema.validate(YAML(typ="safe").load(text), json_schema())


@pytest.mark.parametrize("change", [{"domain": "https://x"}, {"port": 0}, {"contxt": "a"}, {"hosts": []}])
def test_the_schema_refuses_what_the_loader_refuses(change: dict[str, object]) -> None:
    good = {"domain": "a.example.com", "hosts": [{"name": "a", "address": "192.0.2.1"}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**good, **change}, json_schema())

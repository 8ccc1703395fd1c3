"""JSON Schema of an environment file, for editors."""

from __future__ import annotations

from typing import Any

from cargo_runbook.inventory.models import Environment


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of an environment file. `name` may be left out there: it is the file's name."""
    schema = Environment.model_json_schema()
    schema["required"] = [key for key in schema["required"] if key != "name"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cargo-runbook environment",
        **{key: value for key, value in schema.items() if key != "title"},
    }

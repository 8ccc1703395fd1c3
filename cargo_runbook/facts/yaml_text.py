"""YAML that stands on hosts: configuration of the registry, compose files.

By libyaml, since a triage reads four such texts, and a parser in Python took half of the time of all its parsing and judging.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import yaml

from cargo_runbook.data import parse_yaml


@lru_cache(maxsize=32)
def read_yaml(text: str) -> Any:
    """What a text says, to be read and not changed; None when it is no YAML. Of a key that is there twice the last counts,
    as for the registry (gopkg.in/yaml.v2)."""
    try:
        return parse_yaml(text)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError):
        # Beside its own errors there are those of what it makes: a date with a 13th month, a key that is a list.
        return None

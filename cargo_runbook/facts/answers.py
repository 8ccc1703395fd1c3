"""The body of an HTTP answer."""

from __future__ import annotations

import json
from typing import Any

from cargo_runbook.observations import Observation


def read_json(observation: Observation) -> Any:
    """The JSON of an answer with status 200; None for any other."""
    if not observation.answered or observation.data.get("status") != 200:
        return None
    try:
        return json.loads(observation.output)
    except ValueError:
        return None

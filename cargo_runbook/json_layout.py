"""JSON for people: laid out as the json module does it, in a fraction of the time.

That one does without its C part as soon as it indents, and hands each text up through a generator for each level: that was
a third of what a run cost the runner, and a twelfth of a triage's kernel.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any


def laid_out(
    data: Any, *, indent: int = 2, sort_keys: bool = False, default: Callable[[Any], Any] | None = None
) -> str:
    """What `json.dumps(data, ensure_ascii=False, ...)` gives with the same options.

    Raises:
        TypeError: something in it is no JSON, and there is no `default`.
    """
    return _layout(" " * indent, sort_keys, default)(data, "\n")


@lru_cache(maxsize=8)
def _layout(step: str, sort_keys: bool, default: Callable[[Any], Any] | None) -> Callable[[Any, str], str]:
    # Made once: it knows itself, and so each would stay until garbage is looked for.
    def lay(item: Any, outer: str) -> str:
        if isinstance(item, str):
            return encode_basestring(item)
        inner = outer + step
        if isinstance(item, dict):
            if not item:
                return "{}"
            pairs = [f"{_key(key)}: {lay(item[key], inner)}" for key in (sorted(item) if sort_keys else item)]
            return "{" + inner + f",{inner}".join(pairs) + outer + "}"
        if isinstance(item, list | tuple):
            if not item:
                return "[]"
            if isinstance(item[0], str):
                # Most lists of a notebook are lines of text.
                with suppress(TypeError):
                    return "[" + inner + f",{inner}".join(map(encode_basestring, item)) + outer + "]"
            return "[" + inner + f",{inner}".join([lay(each, inner) for each in item]) + outer + "]"
        return json.dumps(item, ensure_ascii=False, default=default)

    return lay


def _key(key: Any) -> str:
    if isinstance(key, str):
        return encode_basestring(key)
    # Numbers, truth values and nothing are keys by their names.
    return next(iter(json.dumps({key: 0})[1:].rsplit(": ", 1)))

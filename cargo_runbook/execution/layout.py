"""Notebooks as nbformat makes them, and the text of their files as it lays it out, in a fraction of the time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

from nbformat import NotebookNode


def nodes(data: Any) -> Any:
    """What nbformat's `from_dict` gives: a copy whose dicts are `NotebookNode`s.

    That one sets each key by itself, and looks at each value twice.
    """
    if isinstance(data, dict):
        node = NotebookNode()  # type: ignore[no-untyped-call]
        dict.update(node, {key: value if type(value) is str else nodes(value) for key, value in data.items()})
        return node
    if isinstance(data, list | tuple):
        return [value if type(value) is str else nodes(value) for value in data]
    return data


def plain_output(message: Mapping[str, Any]) -> NotebookNode | None:
    """The output that a message of a kernel stands for, where it is plain to see that it is a valid one; else None.

    Args:
        message: a result, something displayed, or a piece of a stream, as Jupyter's messages have it.
    """
    kind, content = message["header"]["msg_type"], message["content"]
    match content:
        case {"name": str(name), "text": str(text)} if kind == "stream":
            output = {"output_type": kind, "name": name, "text": text}
        case {"data": dict(data), "metadata": dict(metadata)} if kind in ("execute_result", "display_data"):
            output = {"output_type": kind, "metadata": metadata, "data": data}
            count = content.get("execution_count")
            if kind == "execute_result":
                output["execution_count"] = count
            if not (all(isinstance(value, str) for value in data.values()) and (count is None or type(count) is int)):
                return None
        case _:
            return None
    node: NotebookNode = nodes(output)
    return node


def laid_out(data: Any, indent: str = "\n") -> str:
    """JSON as `json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True, default=str)` gives it.

    Python's own encoder does without its C part as soon as it indents, and hands each text up through a generator for
    each level: that was a third of what a run cost the runner.

    Args:
        data: JSON-like; the keys of its dicts are texts.
        indent: a new line and the blanks that the surroundings are indented by.
    """
    if isinstance(data, str):
        return encode_basestring(data)
    inner = f"{indent} "
    if isinstance(data, dict):
        if not data:
            return "{}"
        pairs = [f"{encode_basestring(key)}: {laid_out(data[key], inner)}" for key in sorted(data)]
        return "{" + inner + f",{inner}".join(pairs) + indent + "}"
    if isinstance(data, list | tuple):
        if not data:
            return "[]"
        return "[" + inner + f",{inner}".join([laid_out(item, inner) for item in data]) + indent + "]"
    return json.dumps(data, ensure_ascii=False, default=str)

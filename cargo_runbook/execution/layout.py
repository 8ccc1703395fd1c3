"""Notebooks as nbformat makes them, in a fraction of the time."""

from __future__ import annotations

from collections.abc import Mapping
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

"""`extra_hosts` of one service in a compose file: an entry more, every other byte as it was.

Lines are edited, so that comments, quoting and order stay; what comes out is read again, and refused if it says
anything but what was asked for. Forms that lines can't carry safely (flow style, a service merged from an anchor) are
refused, and a person does them.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cargo_runbook.remedies.edits.lines import ending_of, lines_of
from cargo_runbook.texts import tell

_KEY = re.compile(r"^( *)([\w.-]+|\"[^\"]+\"|'[^']+'):[ \t]*(&\S+[ \t]*)?(#.*)?$")
_ITEM = re.compile(r"^( *)-[ \t]+([\"']?)([A-Za-z0-9.-]+):[ \t]?([^\"'#\s]+)([\"']?)[ \t]*(#.*)?$")
_TAB = re.compile(r"\t+(?=#)")
_PAIR = re.compile(r"^( *)([\"']?)([A-Za-z0-9.-]+)([\"']?):[ \t]+([\"']?)([^\"'#\s]+)([\"']?)[ \t]*(#.*)?$")


class CannotEdit(ValueError):
    """The file has a form that is not edited from here; the text says which."""


def set_extra_host_of(text: str, container: str, name: str, address: str) -> str:
    """The compose file with `name` at `address` in `extra_hosts` of the service that makes `container`.

    Raises:
        CannotEdit: there is no such service, or its form is not one of those that are edited.
    """
    before = _services(text)
    service = next((key for key, body in before.items() if container in (key, _named(body))), "")
    if not service:
        raise CannotEdit(tell(f"no service makes the container {container}", f"没有服务创建容器 {container}"))
    wanted = copy.deepcopy(before)
    hosts = _hosts(before[service].get("extra_hosts"))
    if hosts.get(name) == address:
        return text
    lines = lines_of(text)
    body = _block(lines, _line_of(lines, service))
    after = "".join(_edited(lines, body, name, address, ending_of(text)))
    now = _services(after)
    wanted[service]["extra_hosts"] = {**hosts, name: address}
    got = copy.deepcopy(now)
    got[service]["extra_hosts"] = _hosts(now[service].get("extra_hosts"))
    if got != wanted:
        raise CannotEdit(
            tell(
                f"extra_hosts of {service} has a form that is not edited from here",
                f"{service} 的 extra_hosts 写法无法在这里修改",
            )
        )
    return after


def _services(text: str) -> dict[str, Any]:
    try:
        # Compose's own parser takes a tab before a comment, this one does not.
        body = YAML(typ="safe").load(_TAB.sub(" ", text))
    except YAMLError as error:
        raise CannotEdit(
            tell(f"it is no YAML: {str(error).splitlines()[0]}", f"不是有效的 YAML：{str(error).splitlines()[0]}")
        ) from error
    services = body.get("services") if isinstance(body, dict) else None
    if not isinstance(services, dict):
        raise CannotEdit(tell("it has no services", "其中没有 services"))
    return {str(key): each for key, each in services.items() if isinstance(each, dict)}


def _named(body: dict[str, Any]) -> str:
    return str(body.get("container_name", ""))


def _hosts(value: Any) -> dict[str, str]:
    """`extra_hosts` as a list or a mapping: name -> address."""
    if isinstance(value, dict):
        return {str(name): str(address) for name, address in value.items()}
    pairs = (str(entry).partition(":") for entry in value or ())
    return {name: address.strip() for name, _, address in pairs}


def _line_of(lines: list[str], service: str) -> int:
    """The line that opens the service below `services:`."""
    inside, depth = False, -1
    for number, line in enumerate(lines):
        match = _KEY.match(line.rstrip("\r\n"))
        if match is None:
            continue
        indent, key = len(match[1]), match[2].strip("\"'")
        if indent == 0:
            inside = key == "services"
        elif inside and (depth < 0 or indent == depth):
            depth = indent
            if key == service:
                return number
    raise CannotEdit(
        tell(f"the service {service} has a form that is not edited from here", f"服务 {service} 的写法无法在这里修改")
    )


def _block(lines: list[str], start: int) -> tuple[int, int]:
    """The lines that belong to the key of line `start`: those after it that are indented further."""
    indent = _indent(lines[start])
    end = start + 1
    for number in range(start + 1, len(lines)):
        if not lines[number].strip() or lines[number].lstrip().startswith("#"):
            continue
        opened = _indent(lines[number])
        # A list may stand as far left as its key.
        if opened < indent or (opened == indent and not lines[number].lstrip().startswith("- ")):
            break
        end = number + 1
    return start + 1, end


def _edited(lines: list[str], body: tuple[int, int], name: str, address: str, end: str) -> list[str]:
    first, last = body
    inner = next((_indent(line) for line in lines[first:last] if line.strip() and line.lstrip()[0] != "#"), 0)
    for number in range(first, last):
        match = _KEY.match(lines[number].rstrip("\r\n"))
        if match and len(match[1]) == inner and match[2].strip("\"'") == "extra_hosts":
            return _in_list(lines, _block(lines, number), name, address, end)
    if any(line.strip().startswith("extra_hosts") and _indent(line) == inner for line in lines[first:last]):
        raise CannotEdit(tell("extra_hosts is written in one line", "extra_hosts 写在一行内"))
    blank = " " * inner
    return [*lines[:first], f"{blank}extra_hosts:{end}", f'{blank}  - "{name}:{address}"{end}', *lines[first:]]


def _in_list(lines: list[str], body: tuple[int, int], name: str, address: str, end: str) -> list[str]:
    """An entry changed where the name has one, else one more after the last, in the form of that one."""
    form: re.Pattern[str] | None = None
    last, done = body[0] - 1, list(lines)
    for number in range(*body):
        line = lines[number].rstrip("\r\n")
        match, form_here = (_ITEM.match(line), _ITEM) if line.lstrip().startswith("-") else (_PAIR.match(line), _PAIR)
        if match is None:
            continue
        form, last = form_here, number
        if match[3] == name:
            at = match.span(4 if form is _ITEM else 6)
            done[number] = lines[number][: at[0]] + address + lines[number][at[1] :]
            return done
    if form is None:
        raise CannotEdit(
            tell("extra_hosts has a form that is not edited from here", "extra_hosts 的写法无法在这里修改")
        )
    line = lines[last]
    match = form.match(line.rstrip("\r\n"))
    assert match is not None
    if form is _ITEM:
        new = f"{line[: match.start(2)]}{match[2]}{name}:{address}{match[5]}"
    else:
        new = f"{match[1]}{match[2]}{name}{match[4]}: {match[5]}{address}{match[7]}"
    if not line.endswith("\n"):
        done[last], new = f"{line}{end}", new
        return [*done[: last + 1], new, *done[last + 1 :]]
    return [*done[: last + 1], new + end, *done[last + 1 :]]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))

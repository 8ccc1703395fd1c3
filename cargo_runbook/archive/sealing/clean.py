"""The last look at a draft before it is sealed: what was masked is listed, and a secret that is left refuses it.

Everything in a draft was redacted before it was written. That is checked here on the bytes that are to be sealed, by
the same redactor, over every file, whoever wrote it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from cargo_runbook.archive.files import files_in, parse, write_json, write_text
from cargo_runbook.archive.places import MANIFEST
from cargo_runbook.errors import RunbookError
from cargo_runbook.redaction.notebook import redacted_notebook
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Text, tell

MASKED = "masked.json"
"""Name of the list in a record."""
MASKED_IN_KERNEL = "masked-in-kernel.json"
"""The kernel's part of the list, which is taken into it."""
_TOKEN = re.compile(r"‹secret (\w+) ([^›]*)›")
_UNTOLD = "masked before it came to the runner"
# Made by the sealing itself out of what was looked through.
_OWN = ("record.json", MANIFEST, MASKED)


class SecretInRecord(RunbookError):
    """A record was refused since a secret stands in one of its files. `file` and `line` say where, nothing says what."""

    def __init__(self, draft: Path, file: str, line: int, why: Text) -> None:
        super().__init__(
            tell(
                f"no record was made: {draft / file}, line {line}, holds a secret ({why.en})",
                f"未生成记录：{draft / file} 第 {line} 行含有密码（{why.zh}）",
            ),
            next_step=tell(
                "Look where it comes from, then remove the folder; the run itself was not changed by this.",
                "请查明来源，然后删除该目录；运行本身不受影响。",
            ),
        )
        self.file = file
        self.line = line


def note_masked(draft: Path, redactor: Redactor) -> None:
    """Leaves in a draft what the kernel masked and why, for the runner's list."""
    listed = {masked.token: [masked.label, sorted(masked.reasons)] for masked in redactor.masked}
    write_json(draft / MASKED_IN_KERNEL, listed)


def clean(draft: Path, redactor: Redactor) -> None:
    """Redacts the draft's JSON files once more, since the runner may know what the kernel did not yet know when it
    wrote them, and lists every token with its reasons and places in `masked.json`."""
    for name in _names(draft):
        kind = Path(name).suffix
        if name not in _OWN and kind in (".json", ".jsonl"):
            _clean_file(draft / name, redactor)
    list_masked(draft, redactor)


def list_masked(draft: Path, redactor: Redactor) -> None:
    """Writes `masked.json`: each token that stands in the draft, its label, why it is there, how often in which file."""
    reasons = {masked.token: masked.reasons for masked in redactor.masked}
    for token, (_, why) in _told_by_kernel(draft).items():
        reasons.setdefault(token, set()).update(why)
    places: dict[str, dict[str, Any]] = {}
    for name in _names(draft):
        for (number, label), count in sorted(Counter(_TOKEN.findall(_text(draft / name))).items()):
            token = f"‹secret {number} {label}›"
            entry = places.setdefault(token, {"label": label, "reasons": sorted(reasons.get(token) or {_UNTOLD})})
            entry.setdefault("places", {})[name] = count
    write_json(draft / MASKED, {"masked": [{"token": token, **entry} for token, entry in sorted(places.items())]})


def refuse_secrets(draft: Path, redactor: Redactor) -> None:
    """Looks through every file of a draft for secrets, by value and by shape.

    Raises:
        SecretInRecord: one is there.
    """
    for name in _names(draft):
        text = _text(draft / name)
        if redactor.holds_value(text):
            line = next((n for n, part in enumerate(text.split("\n"), 1) if redactor.holds_value(part)), 1)
            raise SecretInRecord(draft, name, line, Text("its value is known", "与已知的值相同"))
        if name not in _OWN:
            for line, same in _looked_through(name, text, redactor):
                if not same:
                    raise SecretInRecord(draft, name, line, Text("it looks like one", "格式像密码"))


def _looked_through(name: str, text: str, redactor: Redactor) -> Iterator[tuple[int, bool]]:
    """Line by line, or for a JSON text as a whole: whether redacting it changes nothing."""
    parts: Iterable[tuple[int, str]] = [(1, text)]
    redact: Callable[[Any], Any] = redactor.redact_data
    if name.endswith(".jsonl"):
        parts = [(number, part) for number, part in enumerate(text.split("\n"), 1) if part]
    elif name.endswith(".ipynb"):
        redact = lambda notebook: redacted_notebook(notebook, redactor)  # noqa: E731 - a name for either way
    for number, part in parts:
        try:
            data = parse(part) if Path(name).suffix in (".json", ".jsonl", ".ipynb") else None
        except ValueError:
            data = None
        if data is None:
            yield number, redactor.redact(part) == part
        else:
            yield number, _plain(redact(data)) == _plain(data)


def _plain(data: Any) -> Any:
    """Texts that may be written as one or as a list of lines, as one."""
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, list):
        if data and isinstance(data[0], str):
            with suppress(TypeError):
                return "".join(data)
        return [_plain(item) for item in data]
    return data


def _clean_file(path: Path, redactor: Redactor) -> None:
    text = _text(path)
    lines = text.split("\n") if path.suffix == ".jsonl" else [text]
    try:
        before = [parse(line) for line in lines if line.strip()]
    except ValueError:
        # Not ours; the look at the end sees it as text.
        return
    after = [redactor.redact_data(body) for body in before]
    if after == before:
        return
    if path.suffix == ".json":
        write_json(path, after[0])
    else:
        write_text(path, "".join(json.dumps(body, ensure_ascii=False, sort_keys=True) + "\n" for body in after))


def _told_by_kernel(draft: Path) -> dict[str, Any]:
    path = draft / MASKED_IN_KERNEL
    if not path.exists():
        return {}
    told: dict[str, Any] = parse(path.read_text(encoding="utf-8"))
    path.unlink()
    return told


def _names(draft: Path) -> list[str]:
    return sorted(files_in(draft))


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")

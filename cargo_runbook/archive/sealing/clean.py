"""The last look at a draft before it is sealed: what was masked is listed, and a secret that is left refuses it.

Everything in a draft was redacted before it was written. That is checked here on the bytes that are to be sealed, by
the same redactor, over every file, whoever wrote it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
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


class Contents:
    """What stands in the files of a draft while it is sealed; each is read and parsed once.

    Args:
        draft: its folder.
    """

    def __init__(self, draft: Path) -> None:
        self.draft = draft
        self._texts: dict[str, str] = {}
        self._parts: dict[str, list[Part]] = {}
        self.same: set[str] = set()
        """Files of which it was seen that redacting them changes nothing."""

    @property
    def names(self) -> list[str]:
        """The files that are there now."""
        return sorted(files_in(self.draft))

    def text(self, name: str) -> str:
        """A file's text; what is no UTF-8 is replaced."""
        if name not in self._texts:
            self._texts[name] = (self.draft / name).read_bytes().decode("utf-8", "replace")
        return self._texts[name]

    def parts(self, name: str) -> list[Part]:
        """A file's lines where each is JSON by itself, else the file as one."""
        if name not in self._parts:
            self._parts[name] = list(_parts(name, self.text(name)))
        return self._parts[name]

    def written(self, name: str) -> None:
        """To be called by whoever writes a file anew."""
        self._texts.pop(name, None)
        self._parts.pop(name, None)
        self.same.discard(name)


@dataclass(frozen=True)
class Part:
    """A piece of a file: the number of its first line, its text, and its data where it is JSON."""

    line: int
    text: str
    data: Any


def _parts(name: str, text: str) -> Iterator[Part]:
    kind = Path(name).suffix
    pieces = [(1, text)]
    if kind == ".jsonl":
        pieces = [(number, part) for number, part in enumerate(text.split("\n"), 1) if part]
    for number, piece in pieces:
        try:
            data = parse(piece) if kind in (".json", ".jsonl", ".ipynb") else None
        except ValueError:
            data = None
        yield Part(number, piece, data)


def clean(contents: Contents, redactor: Redactor) -> None:
    """Redacts the draft's JSON files once more, since the runner may know what the kernel did not yet know when it
    wrote them, and lists every token with its reasons and places in `masked.json`."""
    for name in contents.names:
        if name not in _OWN and Path(name).suffix in (".json", ".jsonl"):
            _clean_file(contents, name, redactor)
    _list_masked(contents, redactor)


def _list_masked(contents: Contents, redactor: Redactor) -> None:
    """Writes `masked.json`: each token that stands in the draft, its label, why it is there, how often in which file."""
    reasons = {masked.token: masked.reasons for masked in redactor.masked}
    for token, (_, why) in _told_by_kernel(contents.draft).items():
        reasons.setdefault(token, set()).update(why)
    places: dict[str, dict[str, Any]] = {}
    for name in contents.names:
        for (number, label), count in sorted(Counter(_TOKEN.findall(contents.text(name))).items()):
            token = f"‹secret {number} {label}›"
            entry = places.setdefault(token, {"label": label, "reasons": sorted(reasons.get(token) or {_UNTOLD})})
            entry.setdefault("places", {})[name] = count
    listed = [{"token": token, **entry} for token, entry in sorted(places.items())]
    write_json(contents.draft / MASKED, {"masked": listed})
    contents.written(MASKED)


def refuse_secrets(contents: Contents, redactor: Redactor) -> None:
    """Looks through every file of a draft for secrets, by value and by shape.

    Raises:
        SecretInRecord: one is there.
    """
    for name in contents.names:
        text = contents.text(name)
        if redactor.holds_value(text):
            line = next((n for n, part in enumerate(text.split("\n"), 1) if redactor.holds_value(part)), 1)
            raise SecretInRecord(contents.draft, name, line, Text("its value is known", "与已知的值相同"))
        # What became known by value meanwhile was looked for above.
        if name in _OWN or name in contents.same:
            continue
        for part in contents.parts(name):
            if not _same(name, part, redactor):
                raise SecretInRecord(contents.draft, name, part.line, Text("it looks like one", "格式像密码"))


def _same(name: str, part: Part, redactor: Redactor) -> bool:
    """Whether redacting it changes nothing."""
    if part.data is None:
        return redactor.redact(part.text) == part.text
    notebook = name.endswith(".ipynb")
    redacted = redacted_notebook(part.data, redactor) if notebook else redactor.redact_data(part.data)
    return bool(_plain(redacted) == _plain(part.data))


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


def _clean_file(contents: Contents, name: str, redactor: Redactor) -> None:
    parts = [part for part in contents.parts(name) if part.text.strip()]
    if any(part.data is None for part in parts):
        # Not ours; the look at the end sees it as text.
        return
    before = [part.data for part in parts]
    after = [redactor.redact_data(body) for body in before]
    if after == before:
        contents.same.add(name)
        return
    path = contents.draft / name
    if path.suffix == ".json":
        write_json(path, after[0])
    else:
        write_text(path, "".join(json.dumps(body, ensure_ascii=False, sort_keys=True) + "\n" for body in after))
    contents.written(name)


def _told_by_kernel(draft: Path) -> dict[str, Any]:
    path = draft / MASKED_IN_KERNEL
    if not path.exists():
        return {}
    told: dict[str, Any] = parse(path.read_text(encoding="utf-8"))
    path.unlink()
    return told

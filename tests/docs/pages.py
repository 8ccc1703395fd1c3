"""Pages whose commands are run: what stands after `$ ` in a ```console block is typed into a shell, the rest is what must come.

`...` on a line of its own stands for any lines, within a line for any characters. Times, dates, durations and the numbers of
observations are not compared. A record's id or a digest may be another than on the page; a later command of the page that has
it gets the real one, as a reader would type it.

Blocks are found by markdown-it, which rich brings along. The tools made for this (cram and its kin, byexample, sybil) have no
such second thought: what one command prints must be known before the next is typed.

    python -m tests.docs.pages PAGE...      types all commands, on recordings, and writes what came where it is not as the
                                            page says; look at `git diff` then
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
# The installation of all packages on a computer that is busy with other tests.
PATIENCE = 900.0
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Bound: the reader's own differs from the page's, and is typed again later.
_BOUND = r"\d{8}T\d{6}Z-(?:[a-z][\w*-]*-)?[0-9a-f]{6}|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{12,64}\b"
_LOOSE = {
    "date": r"\d{4}([-/])\d\d\1\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?)?",
    "clock": r"\d\d:\d\d:\d\d",
    "duration": r"\d+(?:\.\d+)? ?(?:ms|s|min|秒|分)(?![\w])",
    "observation": r"\bE\d+\b",
}
_PLACE = re.compile(
    "|".join([f"(?P<bound>{_BOUND})", *(f"(?P<{n}>{p.replace(chr(92) + '1', '[-/]')})" for n, p in _LOOSE.items())])
)


@dataclass(frozen=True)
class Example:
    """A command of a page, and what the page says that it prints."""

    command: str
    printed: str
    line: int
    block: int


def examples(text: str) -> Iterator[Example]:
    """The commands of all console blocks, in order."""
    fences = [t for t in MarkdownIt().parse(text) if t.type == "fence" and t.info.split()[:1] == ["console"]]
    for number, fence in enumerate(fences):
        assert fence.map
        first = fence.map[0] + 2
        command, printed, begun = "", [], 0
        for offset, line in enumerate(fence.content.splitlines()):
            if line.startswith("$ "):
                if command:
                    yield Example(command, "\n".join(printed), begun, number)
                command, printed, begun = line[2:], [], first + offset
            elif line.startswith("> ") and not printed:
                command += "\n" + line[2:]
            else:
                printed.append(line)
        if command:
            yield Example(command, "\n".join(printed), begun, number)


class Terminal:
    """A shell that lives from the first command of a page to its last."""

    def __init__(self, argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> None:
        self._shell = subprocess.Popen(
            [*argv, "bash", "--norc", "--noprofile"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={"COLUMNS": "80", "LANG": "C.UTF-8", **environment},
            start_new_session=True,
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._shell.stdin
        self._shell.stdin.close()
        try:
            self._shell.wait(10)
        except subprocess.TimeoutExpired:
            self._shell.kill()
            self._shell.wait()

    def type(self, command: str, timeout: float = PATIENCE) -> str:
        """What the command prints, on both streams, as a screen shows it at the end."""
        assert self._shell.stdin
        assert self._shell.stdout
        mark = f"--done-{os.urandom(6).hex()}--"
        self._shell.stdin.write(f"{{ {command}\n}} </dev/null\necho; echo {mark}\n".encode())
        self._shell.stdin.flush()
        read, until, end = b"", time.monotonic() + timeout, f"\n{mark}\n".encode()
        while not read.endswith(end):
            ready, _, _ = select.select([self._shell.stdout], [], [], max(0, until - time.monotonic()))
            more = os.read(self._shell.stdout.fileno(), 65536) if ready else b""
            if not more:
                why = "ended the shell" if ready else f"took longer than {timeout:.0f} s"
                raise AssertionError(f"$ {command}\n{why}, after:\n{read.decode(errors='replace')[-3000:]}")
            read += more
        return as_seen(read.removesuffix(end).decode(errors="replace"))


def as_seen(printed: str) -> str:
    """Without colours, overwritten text and spaces at the ends of lines."""
    lines = (line.rstrip("\r").rpartition("\r")[2].rstrip() for line in _ANSI.sub("", printed).split("\n"))
    return "\n".join(lines).rstrip("\n")


@dataclass
class Reader:
    """Somebody who follows a page."""

    terminal: Terminal
    own: dict[str, str] = field(default_factory=dict)
    """What the page calls by one id or digest, and the reader's own in its place."""

    def follow(self, example: Example) -> tuple[bool, str]:
        """Type a command; whether it prints what the page says, and what it does print."""
        command = example.command
        for word, real in self.own.items():
            command = command.replace(word, real)
        came = self.terminal.type(command)
        return self.agrees(example.printed, came), came

    def agrees(self, printed: str, came: str) -> bool:
        """Whether what came is what the page says; remembers what goes by another name here."""
        names: list[str] = []
        lines = []
        for line in printed.splitlines():
            lines.append(r"(?:[^\n]*\n)*?" if line.strip() == "..." else self._line(line.rstrip(), names) + r"\n")
        found = re.fullmatch("".join(lines), came + "\n" if came else "")
        if found:
            self.own.update(zip(names, found.groups(), strict=True))
        return found is not None

    def _line(self, line: str, names: list[str]) -> str:
        parts, at = [], 0
        for place in _PLACE.finditer(line):
            parts.append(_words(line[at : place.start()]))
            at, word = place.end(), place[0]
            if place.lastgroup != "bound":
                parts.append(
                    f"(?:{_LOOSE[str(place.lastgroup)].replace('([-/])', '[-/]').replace(chr(92) + '1', '[-/]')})"
                )
            elif word in self.own:
                parts.append(re.escape(self.own[word]))
            elif word in names:
                parts.append(rf"(?:\{names.index(word) + 1})")
            else:
                names.append(word)
                parts.append(f"({_BOUND})")
        return "".join([*parts, _words(line[at:])])


def _words(text: str) -> str:
    return r"[^\n]*?".join(re.escape(part) for part in text.split("..."))


def follow(page: Path, terminal: Terminal, *, skip_blocks: int = 0) -> None:
    """Follow a page from its first command to its last.

    Raises:
        AssertionError: a command printed something else than the page says.
    """
    reader = Reader(terminal)
    there = [example for example in examples(page.read_text("utf-8")) if example.block >= skip_blocks]
    assert there, f"{page.name} has no command"
    for example in there:
        agrees, came = reader.follow(example)
        assert agrees, (
            f"{page.name}:{example.line}\n$ {example.command}\n{came}\n--- where the page says ---\n{example.printed}"
        )


def rewrite(page: Path, terminal: Terminal) -> int:
    """Write what came into a page wherever it says something else; gives the number of those places."""
    reader, lines, changed = Reader(terminal), page.read_text("utf-8").splitlines(), 0
    replaced = []
    for example in examples(page.read_text("utf-8")):
        agrees, came = reader.follow(example)
        if not agrees:
            replaced.append((example, came))
            # The page will call things as they are called here.
            reader.own.update({word: word for word in re.findall(_BOUND, came)})
    for example, came in reversed(replaced):
        begin = example.line + example.command.count("\n")
        lines[begin : begin + len(example.printed.splitlines())] = came.splitlines()
        changed += 1
    page.write_text("\n".join(lines) + "\n", "utf-8")
    return changed


def on_recordings(folder: Path) -> Terminal:
    """A shell in `folder` with cargo-runbook on its PATH, and nothing of the one who runs the tests."""
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    return Terminal([], cwd=folder, environment={"PATH": path, "HOME": str(folder)})


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as empty, on_recordings(Path(empty)) as shell:
            print(f"{name}: {rewrite(Path(name), shell)} written")

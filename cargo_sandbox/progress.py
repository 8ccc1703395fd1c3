"""How `up` shows what it is doing: one line on standard error, a word for each part."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cargo_sandbox.bringup import Progress
from cargo_sandbox.topology import MACHINES

BUILD = "kubernetes"


class _Line:
    """The line. It counts up by itself; `ready` turns a part into a tick."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.doing: dict[str, str] = {}
        self.lock = Lock()

    def note(self, part: str, doing: str) -> None:
        with self.lock:
            self.doing[part] = doing

    def __rich__(self) -> Text:
        with self.lock:
            known = dict(self.doing)
        building = known.pop(BUILD, None)
        # The machines are named from the start, unless only Kubernetes is built.
        parts = dict.fromkeys(("image", *(machine.name for machine in MACHINES)), "…") | known if known else {}
        if building:
            parts = {BUILD: building} | parts
        text = Text("sandbox  ") if parts else Text("")
        for part, doing in parts.items():
            ready = doing == "ready"
            text.append(f"{part} {'✓' if ready else doing}  ", style="green" if ready else "dim")
        if parts:
            text.append(f"{time.monotonic() - self.started:.1f} s")
        return text


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Progress for people on standard error; where that is no terminal, a build's tenths and the last state."""
    line = _Line()
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        with Live(line, console=console, refresh_per_second=10):
            yield line.note
    else:
        told = ""

        def note(part: str, doing: str) -> None:
            # A log hears of a build, which takes minutes, at every tenth of it.
            nonlocal told
            if part == BUILD and doing != "ready" and told != doing[:-3]:
                told = doing[:-3]
                console.print(f"{part}  {doing}", soft_wrap=True)
            line.note(part, doing)

        yield note
        if line.doing:
            console.print(line, soft_wrap=True)

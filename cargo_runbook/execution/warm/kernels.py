"""Hands out kernels: forked ones as long as that works, ordinary ones where it does not."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from cargo_runbook.execution.warm.forge import FORK, Order
from cargo_runbook.execution.warm.open_files import allow_many
from cargo_runbook.execution.warm.process import ForkedProcess
from cargo_runbook.execution.warm.starting import start
from cargo_runbook.texts import Text

if TYPE_CHECKING:
    from cargo_runbook.execution.kernel import RunbookKernel
    from cargo_runbook.execution.warm.kernel import WarmKernel

START_DEADLINE = 60.0
"""Seconds for the forge to import everything, and for one kernel to be forked."""
_FORGES = 4
_END_DEADLINE = 2.0
_NO_ROOM = 0.1
# Niceness more than the runner's: a third of the share of others, and a sixth.
_STANDS_BACK, _STANDS_BACK_LAST = 5, 8
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class WarmKernels:
    """Kernels for many runs, each a process of its own. Used as a context manager, from any number of threads.

    A forge that dies takes no kernel with it: those that run go on, and another forge is started. Where no kernel can
    be forked, or the forge died too often, ordinary kernels are handed out and `notice` is called once, with the reason.

    Args:
        ahead: kernels that are kept ready.
        notice: told why kernels are not forked.
        order: what is known of the notebooks that will run.
    """

    def __init__(
        self, ahead: int = 2, notice: Callable[[Text], None] = lambda text: None, *, order: Order | None = None
    ) -> None:
        self._ahead = ahead
        self._order = order or Order()
        self._notice = notice
        self._changed = threading.Condition()
        self._ready: deque[ForkedProcess] = deque()
        # In the order in which they were taken.
        self._taken: dict[ForkedProcess, None] = {}
        self._ending = False
        self._handed_out = 0
        self._forge: _Forge | None = None
        self._started = 0
        self._why_not = ""
        self._closed = False

    def __enter__(self) -> Self:
        with self._changed:
            self._start()
        # Now: what kernels are forked from keeps what the system gives, and so does each notebook.
        allow_many()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._changed:
            self._closed = True
            if self._forge is not None:
                self._forge.close()
            while self._ready:
                self._ready.popleft().close()
            forge = self._forge
            self._changed.notify_all()
        if forge is not None:
            forge.join()

    @property
    def forge_pid(self) -> int:
        """Process that kernels are forked from; 0 when there is none."""
        return self._forge.pid if self._forge is not None else 0

    def kernel(self) -> WarmKernel | RunbookKernel:
        """A kernel that is not started yet, as nbclient's manager."""
        # Late: the forge has begun to import by then, and this takes its time as well.
        from cargo_runbook.execution.kernel import OrdinaryKernels
        from cargo_runbook.execution.warm.kernel import WarmKernel

        with self._changed:
            self._changed.wait_for(self._decided, START_DEADLINE)
            if self._why_not:
                return OrdinaryKernels().kernel()
        return WarmKernel(self.take)

    def take(self) -> ForkedProcess:
        """A forked kernel that lives, the next one being made.

        Raises:
            RuntimeError: there is none, and none comes.
        """
        with self._changed:
            while self._changed.wait_for(lambda: self._ready or self._why_not or self._closed, START_DEADLINE):
                if not self._ready:
                    break
                process = self._ready.popleft()
                if self._forge is not None:
                    self._forge.ask()
                if process.alive():
                    self._taken[process] = None
                    self._handed_out += 1
                    if self._handed_out % 2 == 0 and not self._ending:
                        process.stand_back(_STANDS_BACK)
                    return process
                process.close()
        raise RuntimeError(self._why_not or "no kernel was forked in time")

    def crowded(self, running: int) -> bool:
        """Whether one run more would only take a core from others.

        Kernels that compute take turns on the cores, each with the caches full of another's data: sixteen at once cost a
        sixth more than three on two cores. So there is one for each core, and one that is about to begin.

        Args:
            running: how many runs go on; those without a kernel yet, or with none any more, compute here.
        """
        with self._changed:
            if self._why_not:
                return False
            taken = self._alive()
        room = _CORES + 1 - (running - len(taken))
        # It is asked several times for each run: one more than there is room for is enough to know.
        return room < 0 or sum(1 for _ in islice(filter(ForkedProcess.computing, taken), room + 1)) > room

    def end_together(self) -> None:
        """To be told when no more runs will begin: which began first, stands back most.

        It has the least left to do. Where all have the same share, those that began last end last, one after the other, and
        leave cores idle.
        """
        with self._changed:
            self._ending = True
            taken = self._alive()
        for later, process in enumerate(reversed(taken), 1):
            process.stand_back(round(_STANDS_BACK_LAST * later / len(taken)))

    def _alive(self) -> tuple[ForkedProcess, ...]:
        self._taken = {process: None for process in self._taken if not process.closed}
        return tuple(self._taken)

    def _decided(self) -> bool:
        return bool(self._ready or self._why_not or self._closed)

    def _start(self) -> None:
        self._started += 1
        self._forge = _Forge(self._arrived, self._gone, self._order)
        for _ in range(self._ahead):
            self._forge.ask()

    def _arrived(self, process: ForkedProcess) -> None:
        with self._changed:
            if self._closed:
                process.close()
                return
            self._ready.append(process)
            self._changed.notify()

    def _gone(self, forge: _Forge, reason: str) -> None:
        with self._changed:
            if self._closed or forge is not self._forge:
                return
            self._forge = None
            if not reason and self._started < _FORGES:
                self._start()
                return
            self._why_not = reason or "the process that forks them died again and again"
        self._notice(
            Text(
                f"kernels are started one by one, which takes longer: {self._why_not}",
                f"内核将逐个启动（较慢）：{self._why_not}",
            )
        )
        with self._changed:
            self._changed.notify_all()


class _Forge:
    """The process that forks, and the thread that takes what it makes."""

    def __init__(
        self, arrived: Callable[[ForkedProcess], None], gone: Callable[[_Forge, str], None], order: Order
    ) -> None:
        self._arrived = arrived
        self._gone = gone
        self._process, self._control = start()
        # It may be gone already; the thread that listens says so.
        with suppress(OSError):
            self._control.sendall(order.to_line())
        self.pid = self._process.pid
        self._listener = threading.Thread(target=self._listen, name="forge", daemon=True)
        self._listener.start()

    def ask(self) -> None:
        """Asks for one more kernel; it comes by `arrived`."""
        try:
            self._control.sendall(FORK)
        except OSError:
            # It died; the thread that listens says so.
            return

    def close(self) -> None:
        """The forge ends when nobody asks any more."""
        try:
            self._control.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def join(self) -> None:
        """Waits for its end, which comes soon after `close`."""
        self._listener.join(_END_DEADLINE)

    def _listen(self) -> None:
        reason = ""
        while True:
            try:
                text, numbers, flags, _ = socket.recv_fds(self._control, 4096, 2)
            except OSError:
                break
            if not text:
                break
            if flags & socket.MSG_CTRUNC:
                # This process has as many files open as it may, and the kernel, unheard of, ends. Another may find room.
                for number in numbers:
                    os.close(number)
                time.sleep(_NO_ROOM)
                self.ask()
                continue
            # A message never joins the next: what carries file descriptors ends a read.
            for line in text.splitlines():
                body: dict[str, Any] = json.loads(line)
                reason = body.get("impossible", reason)
                if "pid" in body:
                    wire, process = numbers
                    self._arrived(ForkedProcess(body["pid"], socket.socket(fileno=wire), process))
        self._control.close()
        self._process.wait()
        self._gone(self, reason)

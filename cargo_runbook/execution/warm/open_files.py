"""How many files this process may have open. A run that goes on needs some, and most systems allow 1,024 until asked."""

from __future__ import annotations

import resource
from collections.abc import Callable

from cargo_runbook.texts import Text

WANTED = 16_384
_A_RUN = 5
"""Its kernel's socket, pidfd and status, its ledger, and what it writes."""
_OTHERS = 64


def allow_many() -> int:
    """Lets this process, and what it starts from here on, have more files open, as far as the system lets it.

    Returns:
        How many.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return WANTED if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):
        # macOS names no bound and has one all the same.
        return soft
    return most


def slots_that_fit(slots: int, notice: Callable[[Text], None]) -> int:
    """How many runs may go on at the same time with the files that this process may have open.

    Args:
        slots: how many are wanted; each may have a silent run beside it.
        notice: told when fewer fit.
    """
    files = allow_many()
    fitting = max(1, (files - _OTHERS) // (2 * _A_RUN))
    if fitting >= slots:
        return slots
    notice(
        Text(
            f"{fitting} runs at the same time instead of {slots}: no more than {files} files can be open (ulimit -Hn)",
            f"同时运行 {fitting} 个而不是 {slots} 个：最多只能打开 {files} 个文件（ulimit -Hn）",
        )
    )
    return fitting

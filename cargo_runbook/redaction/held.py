"""What a process knows by value of its secrets."""

from __future__ import annotations

import secrets
import threading


class Held:
    """All values that a Secret ever held in this process, and the numbers of the tokens that stand for them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.values: dict[str, None] = {}
        # Only a keyed digest is kept of what was known by shape alone: this must not become a list of passwords.
        self.salt = secrets.token_bytes(16)
        self.numbers: dict[bytes, int] = {}

    def add(self, value: str) -> None:
        with self.lock:
            self.values.setdefault(value)

    def number(self, digest: bytes) -> int:
        with self.lock:
            return self.numbers.setdefault(digest, len(self.numbers) + 1)

"""Jupyter messages over a pair of connected sockets.

A pair of sockets that both sides inherit needs no port, no connection file and no key: nobody else can open it. A frame
is the channel (one byte), the length of the JSON, the number of buffers, the length of each, then JSON and buffers.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

SHELL, IOPUB, CONTROL = b"s", b"i", b"c"
"""Channels: requests and replies, what a kernel publishes, and what is ours alone (`start`, `ready`)."""

_HEAD = struct.Struct(">cII")
_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True)
class Frame:
    """One message. `body` is the Jupyter message without its buffers, or a dict of ours on CONTROL."""

    channel: bytes
    body: dict[str, Any]
    buffers: tuple[bytes, ...] = ()


def pack(channel: bytes, text: bytes, buffers: Sequence[bytes | memoryview[Any]] = ()) -> bytes:
    """The bytes of a frame; `text` is its JSON."""
    views = [memoryview(buffer).cast("B") for buffer in buffers]
    lengths = [_LENGTH.pack(len(view)) for view in views]
    return b"".join((_HEAD.pack(channel, len(text), len(views)), *lengths, text, *views))


def pack_body(channel: bytes, body: dict[str, Any]) -> bytes:
    """The bytes of a frame of plain values without buffers."""
    return pack(channel, json.dumps(body, ensure_ascii=False).encode())


class Unpacker:
    """Turns the bytes of a stream into frames, however they were cut.

    Args:
        unpack: reads the JSON of one; a Jupyter session has a function for it.
    """

    def __init__(self, unpack: Callable[[bytes], Any]) -> None:
        self._bytes = bytearray()
        self._unpack = unpack

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with these bytes."""
        self._bytes += data
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> Frame | None:
        have = len(self._bytes)
        if have < _HEAD.size:
            return None
        channel, length, count = _HEAD.unpack_from(self._bytes)
        start = _HEAD.size + count * _LENGTH.size
        if have < start:
            return None
        sizes = [_LENGTH.unpack_from(self._bytes, _HEAD.size + n * _LENGTH.size)[0] for n in range(count)]
        end = start + length + sum(sizes)
        if have < end:
            return None
        body = self._unpack(bytes(self._bytes[start : start + length]))
        buffers, at = [], start + length
        for size in sizes:
            buffers.append(bytes(self._bytes[at : at + size]))
            at += size
        del self._bytes[:end]
        return Frame(channel, body, tuple(buffers))

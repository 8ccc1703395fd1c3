"""A port of operator on this computer's loopback, for a browser.

The listening socket is made here and handed to a process that has operator's network: what connects to it comes out
at the same port of operator's loopback. Nothing else can be reached through it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cargo_runbook.texts import tell
from cargo_sandbox.errors import SandboxUnavailable

LOOPBACK = "127.0.0.1"
_CHUNK = 65536


@contextmanager
def forwarded(pid: int, port: int) -> Iterator[None]:
    """While it lasts, 127.0.0.1:`port` leads to the same port on the machine whose pid 1 is `pid`.

    Raises:
        SandboxUnavailable: the port is taken here.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError as error:
        listener.close()
        raise SandboxUnavailable(
            tell(
                f"port {port} of {LOOPBACK} can't be used here: {os.strerror(error.errno or 0)}",
                f"无法使用 {LOOPBACK} 的端口 {port}：{os.strerror(error.errno or 0)}",
            ),
            next_step=tell("Take another one with --port.", "用 --port 指定其他端口。"),
        ) from None
    with listener:
        listener.listen(64)
        process = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "KILL", "nsenter", "-t", str(pid), "-n"),
                *(sys.executable, "-m", "cargo_sandbox.machines.forward", str(listener.fileno()), str(port)),
            ],
            pass_fds=[listener.fileno()],
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield
        finally:
            process.kill()
            process.wait()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        # One side went away; the other pump sees it too.
        writer.close()


async def _serve(descriptor: int, port: int) -> None:
    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
        inner_writer.close()
        writer.close()

    server = await asyncio.start_server(join, sock=socket.socket(fileno=descriptor))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))

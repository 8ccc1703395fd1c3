"""`cargo-runbook notebook`: JupyterLab on the runbooks, on this machine alone."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import typer

from cargo_runbook.archive.record import reports_folder
from cargo_runbook.cli.choice import ReplayOption
from cargo_runbook.cli.console import InventoryOption, ReportsOption, message, tell
from cargo_runbook.errors import RunFailed, UsageError
from cargo_runbook.execution.runbooks import runbooks_folder
from cargo_runbook.recordings import REPLAY_VARIABLE

_ADDRESS = "127.0.0.1"
_PORTS = range(8888, 8908)
_START_SECONDS = 60.0
# Asked to end, JupyterLab answers when its kernels have ended, which keep their records, or were made to: after
# `shutdown_wait_time` in server.json. A signal on the way would have it begin anew.
_ANSWER_SECONDS = 20.0
_STOP_SECONDS = 10.0
# Among others: nothing that looks for updates, news or extensions elsewhere.
_CONFIGURATION = Path(__file__).with_name("jupyterlab")

_INDEX = _CONFIGURATION / "index.json"

_HELP = tell(
    """Open JupyterLab on the runbooks, on 127.0.0.1 and with a token. Ctrl-C ends it.

What you open is a copy below the reports folder: outputs never get into the project's files. It begins with an index:
what is the symptom, which runbook, recent records of the environment. With --edit it is the runbooks themselves.

\b
Examples:
  cargo-runbook notebook
  cargo-runbook notebook --port 9000 --no-browser
  cargo-runbook notebook --replay wrong-domain
""",
    """在 JupyterLab 中打开 Runbook，仅监听 127.0.0.1，并使用令牌。按 Ctrl-C 结束。

打开的是 reports 目录下的副本，输出不会写入项目文件。首先打开索引：按现象选择 Runbook，并列出该环境的近期记录。加 --edit 则直接打开原文件。

\b
示例：
  cargo-runbook notebook
  cargo-runbook notebook --port 9000 --no-browser
  cargo-runbook notebook --replay wrong-domain
""",
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("notebook", help=_HELP)(notebook)


def notebook(
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, help=tell("Port (default: the first free from 8888).", "端口。")),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help=tell("Only print the address.", "只打印地址，不打开浏览器。"))
    ] = False,
    edit: Annotated[
        bool, typer.Option("--edit", help=tell("Open the runbooks themselves, no copy.", "直接打开原文件，不用副本。"))
    ] = False,
    inventory: InventoryOption = None,
    reports: ReportsOption = None,
    replay: ReplayOption = "",
) -> None:
    """Starts JupyterLab, says where it is, and stays until it is stopped."""
    source = runbooks_folder()
    chosen = _free_port(port)
    records = reports_folder(reports).absolute()
    root = source if edit else _copy(source, records)
    token = secrets.token_urlsafe(24)
    variables = {**os.environ, **_variables(inventory, records, replay), "JUPYTER_TOKEN": token}
    with _server(chosen, root, variables) as server:
        _wait_until_it_answers(server, chosen, token)
        first = sorted(path.name for path in root.glob("*.ipynb"))[0] if edit else "index.ipynb"
        url = f"http://{_ADDRESS}:{chosen}/lab/tree/{first}?token={token}"
        print(url, flush=True)
        message(tell(f"JupyterLab on {root}; Ctrl-C ends it", f"JupyterLab 目录 {root}；按 Ctrl-C 结束"))
        if not no_browser:
            import webbrowser

            webbrowser.open(url)
        # Ctrl-C leaves the wait: whoever comes after it did not end it.
        if server.wait() not in (0, -signal.SIGTERM):
            raise RunFailed(
                tell(
                    f"JupyterLab ended by itself with exit code {server.returncode}",
                    f"JupyterLab 自行退出，退出码 {server.returncode}",
                )
            )


def _variables(inventory: Path | None, records: Path, replay: str) -> Mapping[str, str]:
    """What kernels need to find the same inventory and records, whatever folder they are started in."""
    from cargo_runbook.inventory.loader import inventory_folder

    values = {"CARGO_RUNBOOK_REPORTS": str(records), REPLAY_VARIABLE: replay}
    return {**values, "CARGO_RUNBOOK_INVENTORY": str(inventory_folder(inventory).absolute())}


def _copy(source: Path, records: Path) -> Path:
    """A fresh copy of the runbooks for this start; those of earlier starts stay as they were left."""
    # Late: it brings IPython, and help texts need nothing of it.
    from cargo_runbook.execution.stepping.origin import keep_pristine

    target = records / "notebooks" / f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    try:
        target.mkdir(parents=True)
        runbooks = list(source.glob("*.ipynb"))
        for path in runbooks:
            shutil.copyfile(path, target / path.name)
        # The record of what is stepped through says which runbook that was.
        keep_pristine(target, runbooks)
        # The place to begin; it lies among the copies only, since it is no runbook.
        shutil.copyfile(_INDEX, target / "index.ipynb")
    except OSError as error:
        raise UsageError(
            tell(
                f"the runbooks can't be copied to {target}: {error.strerror}",
                f"无法把 Runbook 复制到 {target}：{error.strerror}",
            ),
            next_step=tell(
                "Name another folder with --reports, or open the runbooks themselves with --edit.",
                "用 --reports 指定其他目录，或用 --edit 直接打开原文件。",
            ),
        ) from None
    return target


def _free_port(wanted: int | None) -> int:
    for port in [wanted] if wanted else _PORTS:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((_ADDRESS, port))
            return port
    shown = str(wanted) if wanted else f"{_PORTS.start} to {_PORTS.stop - 1}"
    raise UsageError(
        tell(f"port {shown} of {_ADDRESS} is in use", f"{_ADDRESS} 的端口 {shown} 已被占用"),
        next_step=tell("Choose another one with --port.", "用 --port 指定其他端口。"),
    )


@contextlib.contextmanager
def _server(port: int, root: Path, variables: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    # On this port or on none: the address is told by us.
    options = {
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": root,
        "LabApp.app_settings_dir": _CONFIGURATION,
    }
    settings = [f"--{name}={value}" for name, value in options.items()]
    # Where Linux' setpriv is there, JupyterLab does not outlive us even when we are killed.
    tied = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
    command = [*tied, sys.executable, "-m", "jupyterlab", f"--config={_CONFIGURATION / 'server.json'}", *settings]
    # A session of its own: Ctrl-C reaches us alone, and JupyterLab never gets to ask whether one is sure.
    server = subprocess.Popen(command, env=dict(variables), stdin=subprocess.DEVNULL, start_new_session=True)
    before = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield server
    except KeyboardInterrupt:
        message("")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if not _asked_to_end(port, variables["JUPYTER_TOKEN"]):
            server.terminate()
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _asked_to_end(port: int, token: str) -> bool:
    """Asks JupyterLab to end itself and its kernels, which it does without a word; after a signal it would log."""
    return _answers(port, token, "POST", "/api/shutdown")


def _answers(port: int, token: str, method: str, path: str) -> bool:
    # Late: no other command speaks HTTP before it knows what it was asked.
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(_ADDRESS, port, timeout=_ANSWER_SECONDS)
    try:
        connection.request(method, path, headers={"Authorization": f"token {token}"})
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _end(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _wait_until_it_answers(server: subprocess.Popen[bytes], port: int, token: str) -> None:
    """Until it is ours that answers: another one may have taken the port meanwhile."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RunFailed(
                tell(
                    f"JupyterLab did not start, exit code {server.returncode}",
                    f"JupyterLab 没有启动，退出码 {server.returncode}",
                )
            )
        if _answers(port, token, "GET", "/api/status"):
            return
        time.sleep(0.1)
    raise RunFailed(
        tell(
            f"JupyterLab did not start within {_START_SECONDS:.0f} s",
            f"JupyterLab 在 {_START_SECONDS:.0f} 秒内没有启动",
        )
    )

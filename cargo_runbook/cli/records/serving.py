"""`cargo-runbook records serve`: the archive in a browser, on this machine alone."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from cargo_runbook.archive.record import reports_folder
from cargo_runbook.cli.console import ReportsOption, message, tell
from cargo_runbook.light_start import goes_on_for_long

_HELP = tell(
    """Open the records in a browser: list, search, one record, comparison, incident, verification. Ctrl-C ends it.

It listens on 127.0.0.1 and asks for a token, which stands in the address that is printed. It only reads.

\b
Examples:
  cargo-runbook records serve
  cargo-runbook records serve --reports /srv/records --port 9100 --no-browser
""",
    """在浏览器中查看记录：列表、搜索、单条记录、比较、事件、校验。按 Ctrl-C 结束。

仅监听 127.0.0.1，并要求令牌（包含在打印的地址中）。只读。

\b
示例：
  cargo-runbook records serve
  cargo-runbook records serve --reports /srv/records --port 9100 --no-browser
""",
)


def register(records: typer.Typer) -> None:
    """Adds the command."""
    records.command("serve", help=_HELP)(serve)


def serve(
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, help=tell("Port (default: the first free from 8910).", "端口。")),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help=tell("Only print the address.", "只打印地址，不打开浏览器。"))
    ] = False,
    reports: ReportsOption = None,
) -> None:
    """Serves the archive until it is stopped."""
    from cargo_runbook.pages.server import serve as serve_pages

    folder = reports_folder(reports).absolute()

    def ready(url: str) -> None:
        goes_on_for_long()
        print(url, flush=True)
        message(tell(f"Records of {folder}; Ctrl-C ends it", f"记录目录 {folder}；按 Ctrl-C 结束"))
        if not no_browser:
            webbrowser.open(url)

    serve_pages(folder, port, ready)

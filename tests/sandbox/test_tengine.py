"""tengine's stand-in, over a real nginx on the loopback."""

import os
import signal
import socket
import subprocess
import threading

import pytest

from cargo_sandbox.services.tengine import _accepting, reload
from tests.waiting import until

pytestmark = pytest.mark.services


@pytest.fixture
def nginx(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    master, configuration = tmp_path / "nginx.pid", tmp_path / "nginx.conf"
    configuration.write_text(
        f"worker_processes 1; pid {master}; error_log {tmp_path}/error.log; daemon off; events {{}}\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:{port}; location / {{ return 204; }} }} }}\n"
    )
    # Its own error log: without -e it would write of its start to the host's.
    process = subprocess.Popen(["nginx", "-e", f"{tmp_path}/error.log", "-c", str(configuration)])
    until(lambda: master.exists() and master.read_text() and _accepting(process.pid))
    yield configuration, master
    process.terminate()
    process.wait(timeout=20)


def test_a_reload_ends_when_no_worker_of_before_accepts_connections_any_more(nginx):
    configuration, master = nginx
    (before,) = _accepting(int(master.read_text()))
    # As one that a busy machine does not let run: it would answer when it is let again, with what it read before.
    os.kill(before, signal.SIGSTOP)
    ended = threading.Event()
    thread = threading.Thread(target=lambda: (reload(configuration, master), ended.set()))
    thread.start()
    until(lambda: len(_accepting(int(master.read_text()))) == 2)
    assert not ended.wait(0.3)
    os.kill(before, signal.SIGCONT)
    assert ended.wait(20)
    thread.join()
    assert before not in _accepting(int(master.read_text()))


def test_a_reload_of_a_wrong_configuration_says_so_at_once(nginx):
    configuration, master = nginx
    configuration.write_text("nonsense")
    assert reload(configuration, master) == 1

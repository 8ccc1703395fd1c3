"""A question that is stopped ends at once, whatever it waits for: nothing of it goes on to its deadline."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from cargo_runbook.connections import LiveConnections
from cargo_runbook.connections.base import Stop
from cargo_runbook.inventory.models import Environment, Host
from cargo_runbook.observations import DnsQuery, HttpRequest, Observation, Question, TlsHandshake
from cargo_runbook.secret import Redactor

DEADLINE = 60.0


@pytest.fixture
def silent() -> Iterator[Callable[..., int]]:
    """Starts what takes everything in and never says a word; its port on loopback."""
    with ExitStack() as stack:

        def start(kind: socket.SocketKind = socket.SOCK_STREAM, *, full: bool = False) -> int:
            server = stack.enter_context(socket.socket(socket.AF_INET, kind))
            server.bind(("127.0.0.1", 0))
            port = int(server.getsockname()[1])
            if kind is socket.SOCK_STREAM:
                server.listen(0 if full else 8)
            for _ in range(2 if full else 0):
                # Who comes after these is not answered at all, as behind a firewall that drops.
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", port))
            return port

        yield start


def stops(question: Question) -> None:
    """The question ends when it is stopped, long before its deadline."""
    stop, answers = Stop(), list[Observation]()
    environment = Environment(name="test", domain="cargo.test", hosts=(Host(name="cargo", address="127.0.0.1"),))
    live = LiveConnections(environment, lambda _: pytest.fail("nobody logs in"), Redactor(), stop=stop)
    asking = threading.Thread(target=lambda: answers.append(live.ask(question)), daemon=True)
    asking.start()
    asking.join(0.2)
    assert asking.is_alive(), answers
    stop.set()
    asking.join(DEADLINE / 6)
    assert not asking.is_alive()
    assert answers[0].status != "answered"


def test_a_name_server_that_is_silent(silent: Callable[..., int]) -> None:
    server = f"127.0.0.1:{silent(socket.SOCK_DGRAM)}"
    stops(DnsQuery(name="cargo.test", server=server, deadline=DEADLINE))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_registry_that_takes_the_connection_and_is_silent(scheme: str, silent: Callable[..., int]) -> None:
    stops(HttpRequest(url=f"{scheme}://127.0.0.1:{silent()}/v2/", deadline=DEADLINE))


def test_a_tls_handshake_that_comes_to_no_end(silent: Callable[..., int]) -> None:
    asked = TlsHandshake(address="127.0.0.1", server_name="cargo.test", port=silent(), deadline=DEADLINE)
    stops(asked)


def test_a_connection_that_is_not_answered(silent: Callable[..., int]) -> None:
    stops(HttpRequest(url=f"http://127.0.0.1:{silent(full=True)}/v2/", deadline=DEADLINE))


def test_what_is_asked_after_a_stop_that_was_taken_back_has_its_time_again(silent: Callable[..., int]) -> None:
    stop = Stop()
    with socket.create_connection(("127.0.0.1", silent())) as before:
        stop.ends(before)
        stop.set()
        assert before.recv(1) == b""
    stop.clear()
    with socket.create_connection(("127.0.0.1", silent())) as after:
        stop.ends(after)
        after.settimeout(0.05)
        with pytest.raises(TimeoutError):
            after.recv(1)

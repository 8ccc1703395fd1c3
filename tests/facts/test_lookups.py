"""What getent and nslookup print, and what it means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cargo_runbook.facts.lookups import Found, read_ahosts, read_getent, read_nslookup
from cargo_runbook.facts.names import Lookup
from cargo_runbook.observations import Command, Observation, Status

NAME = "cargo.example"


def said(output: str = "", code: int | None = 0, error: str = "", status: Status = Status.ANSWERED, **data: object):
    question = Command(argv=("getent", "hosts", NAME))
    return Observation(
        question=question,
        status=status,
        exit_code=code,
        output=output,
        error=error,
        data=data,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        duration=0.01,
        id="E7",
    )


@pytest.mark.parametrize(
    ("output", "addresses"),
    [
        ("203.0.113.14    cargo.example\n", ("203.0.113.14",)),
        ("203.0.113.14 cargo.example registry\n203.0.113.15 cargo.example\n", ("203.0.113.14", "203.0.113.15")),
        ("192.0.2.1 other.example\n203.0.113.14 front.example CARGO.example.\n", ("203.0.113.14",)),
        ("2001:db8::14 cargo.example\n", ("2001:db8::14",)),
    ],
)
def test_getent_gives_the_addresses_of_the_name_that_was_asked_for(output: str, addresses: tuple[str, ...]):
    found = read_getent(said(output), NAME)
    assert (found.lookup, found.addresses, found.evidence) == (Lookup.RESOLVED, addresses, "E7")


@pytest.mark.parametrize(
    ("observation", "lookup"),
    [
        (said("192.0.2.1 other.example\n", 2), Lookup.NO_SUCH_NAME),
        (said("", 2, "command terminated with exit code 2"), Lookup.NO_SUCH_NAME),
        (said("", 127, "getent: not found"), Lookup.UNTOLD),
        (said("", 1, 'Error from server (NotFound): pods "x" not found'), Lookup.UNTOLD),
        (said("", 2, "No such container: tengine", reason="no_container"), Lookup.UNTOLD),
        (said("", None, status=Status.TIMEOUT, reason="timeout"), Lookup.SILENT),
        (said("", None, status=Status.TIMEOUT, reason="timeout", phase="command"), Lookup.SILENT),
        (said("", None, status=Status.TIMEOUT, reason="timeout", phase="connect"), Lookup.UNTOLD),
        (said("", None, status=Status.TIMEOUT, reason="timeout", phase="handshake"), Lookup.UNTOLD),
        (said("", None, status=Status.TIMEOUT, reason="timeout", phase="login"), Lookup.UNTOLD),
        (said("", None, status=Status.UNREACHABLE, reason="refused"), Lookup.UNTOLD),
        (said("", None, status=Status.ERROR, reason="not_recorded"), Lookup.UNTOLD),
    ],
)
def test_getent_without_an_address_tells_no_from_not_asked(observation: Observation, lookup: Lookup):
    found = read_getent(observation, NAME)
    assert (found.lookup, found.addresses) == (lookup, ())


BUSYBOX = "Server:\t\t198.51.100.100\nAddress:\t198.51.100.100:53\n\n"


@pytest.mark.parametrize(
    ("observation", "lookup", "addresses", "server"),
    [
        (
            said(f"{BUSYBOX}Name:\tcargo.example\nAddress: 203.0.113.14\n\nNon-authoritative answer:\n\n"),
            Lookup.RESOLVED,
            ("203.0.113.14",),
            "198.51.100.100",
        ),
        (
            said(
                "Server:    10.254.0.100\nAddress 1: 10.254.0.100 kube-dns.kube-system.svc.cluster.local\n\n"
                "Name:      cargo.example\nAddress 1: 203.0.113.14 cargo.example\n"
            ),
            Lookup.RESOLVED,
            ("203.0.113.14",),
            "10.254.0.100",
        ),
        (
            said(
                "Server:\t\t10.0.0.2\nAddress:\t10.0.0.2#53\n\nNon-authoritative answer:\n"
                "Name:\tcargo.example\nAddress: 203.0.113.14\nName:\tcargo.example\nAddress: 203.0.113.15\n"
            ),
            Lookup.RESOLVED,
            ("203.0.113.14", "203.0.113.15"),
            "10.0.0.2",
        ),
        (
            said(f"{BUSYBOX}** server can't find cargo.example: NXDOMAIN\n", 1),
            Lookup.NO_SUCH_NAME,
            (),
            "198.51.100.100",
        ),
        (
            said(f"{BUSYBOX}** server can't find cargo.example: SERVFAIL\n", 1),
            Lookup.SERVER_FAILURE,
            (),
            "198.51.100.100",
        ),
        (said(f"{BUSYBOX}** server can't find cargo.example: REFUSED\n", 1), Lookup.REFUSED, (), "198.51.100.100"),
        (said(f"{BUSYBOX}*** Can't find cargo.example: No answer\n", 1), Lookup.NO_ADDRESS, (), "198.51.100.100"),
        (said("", 1, "nslookup: can't resolve 'cargo.example': Name does not resolve"), Lookup.NO_SUCH_NAME, (), ""),
        (said(";; connection timed out; no servers could be reached\n", 1), Lookup.SILENT, (), ""),
        (said("", None, status=Status.TIMEOUT, reason="timeout"), Lookup.SILENT, (), ""),
        (said("", 127, "nslookup: not found"), Lookup.UNTOLD, (), ""),
        (said("", None, status=Status.UNREACHABLE, reason="no_route"), Lookup.UNTOLD, (), ""),
    ],
)
def test_nslookup_tells_why(observation: Observation, lookup: Lookup, addresses: tuple[str, ...], server: str):
    found = read_nslookup(observation)
    assert (found.lookup, found.addresses, found.server) == (lookup, addresses, server)


@pytest.mark.parametrize(
    ("observation", "lookup", "addresses"),
    [
        (said(f"203.0.113.14    STREAM {NAME}\n203.0.113.14    DGRAM  \n203.0.113.14    RAW    \n"), Lookup.RESOLVED, ("203.0.113.14",)),
        (said("203.0.113.14 STREAM a\n203.0.113.15 STREAM \n"), Lookup.RESOLVED, ("203.0.113.14", "203.0.113.15")),
        (said("", 2), Lookup.UNTOLD, ()),
        (said("", 1, "Unknown database: ahostsv4"), Lookup.UNTOLD, ()),
        (said("", None, status=Status.TIMEOUT, reason="timeout", phase="command"), Lookup.SILENT, ()),
        (said("", None, status=Status.TIMEOUT, reason="timeout", phase="connect"), Lookup.UNTOLD, ()),
    ],
)  # fmt: skip
def test_what_getaddrinfo_gives_to_clients_is_read_whatever_the_canonical_name_is(
    observation: Observation, lookup: Lookup, addresses: tuple[str, ...]
):
    assert read_ahosts(observation) == Found(lookup, addresses, "E7")

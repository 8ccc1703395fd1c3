"""Look-ups: each kind of failure stays apart."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cargo_runbook.facts.names import Lookup, read_answer
from cargo_runbook.observations import Command, DnsQuery, Observation, Status


def observed(status: Status, **data: object) -> Observation:
    return Observation(
        question=DnsQuery(name="cargo.example", server="192.0.2.53"),
        status=status,
        data=data,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        duration=0.1,
        id="E1",
    )


@pytest.mark.parametrize(
    ("observation", "lookup"),
    [
        (observed(Status.ANSWERED, rcode="NOERROR", addresses=["192.0.2.14"]), Lookup.RESOLVED),
        (observed(Status.ANSWERED, rcode="NOERROR", addresses=[]), Lookup.NO_ADDRESS),
        (observed(Status.ANSWERED, rcode="NXDOMAIN"), Lookup.NO_SUCH_NAME),
        (observed(Status.ANSWERED, rcode="SERVFAIL"), Lookup.SERVER_FAILURE),
        (observed(Status.ANSWERED, rcode="REFUSED"), Lookup.REFUSED),
        (observed(Status.ANSWERED, rcode="TRYAGAIN"), Lookup.SILENT),
        (observed(Status.TIMEOUT), Lookup.SILENT),
        (observed(Status.UNREACHABLE, reason="refused"), Lookup.SILENT),
        (observed(Status.ERROR, reason="not_recorded"), Lookup.UNTOLD),
    ],
)
def test_each_way_a_look_up_ends_is_told_apart(observation: Observation, lookup: Lookup) -> None:
    assert read_answer(observation).lookup is lookup


def test_only_an_answer_to_a_dns_query_can_be_read() -> None:
    command = Observation(
        question=Command(argv=("true",)), status=Status.ANSWERED, started=datetime.now(UTC), duration=0
    )
    with pytest.raises(TypeError):
        read_answer(command)

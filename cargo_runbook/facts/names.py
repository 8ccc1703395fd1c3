"""What a name resolves to, and why not, at each place that was asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cargo_runbook.observations import DnsQuery, Observation, Status


class Lookup(StrEnum):
    """How a look-up ended. The kinds stay apart, for each has another cause and another cure."""

    RESOLVED = "resolved"
    NO_SUCH_NAME = "NXDOMAIN"
    NO_ADDRESS = "no address"
    SERVER_FAILURE = "SERVFAIL"
    REFUSED = "REFUSED"
    SILENT = "no answer"
    UNTOLD = "could not be asked"


@dataclass(frozen=True)
class Answer:
    """One answer to the question for a name. `server` is empty for the operator's own resolver."""

    server: str
    lookup: Lookup
    addresses: tuple[str, ...]
    evidence: str
    source: str = ""

    @property
    def says_no(self) -> bool:
        """A definite no: somebody who knows says that there is no such address."""
        return self.lookup in (Lookup.NO_SUCH_NAME, Lookup.NO_ADDRESS)


@dataclass(frozen=True)
class NameFacts:
    """What was said about `name`, by the operator's own resolver and by each name server."""

    name: str
    system: Answer
    servers: tuple[Answer, ...]

    @property
    def resolves(self) -> bool:
        return self.system.lookup is Lookup.RESOLVED

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.system.addresses


_RCODES = {
    "NXDOMAIN": Lookup.NO_SUCH_NAME,
    "SERVFAIL": Lookup.SERVER_FAILURE,
    "REFUSED": Lookup.REFUSED,
    "TRYAGAIN": Lookup.SILENT,
}


def read_answer(observation: Observation) -> Answer:
    """The answer in one DNS observation.

    Raises:
        TypeError: the observation is not the answer to a DnsQuery.
    """
    question = observation.question
    if not isinstance(question, DnsQuery):
        raise TypeError(f"not a DNS observation: {question.kind}")
    addresses = tuple(observation.data.get("addresses", ()))
    if observation.status is Status.TIMEOUT or observation.status is Status.UNREACHABLE:
        lookup = Lookup.SILENT
    elif not observation.answered:
        lookup = Lookup.UNTOLD
    elif addresses:
        lookup = Lookup.RESOLVED
    else:
        rcode = str(observation.data.get("rcode", ""))
        lookup = Lookup.NO_ADDRESS if rcode == "NOERROR" else _RCODES.get(rcode, Lookup.SERVER_FAILURE)
    return Answer(question.server, lookup, addresses, observation.id, str(observation.data.get("source", "")))


def read_names(name: str, system: Observation, servers: list[Observation]) -> NameFacts:
    """The facts about one name out of the answers to it."""
    return NameFacts(name, read_answer(system), tuple(read_answer(o) for o in servers))

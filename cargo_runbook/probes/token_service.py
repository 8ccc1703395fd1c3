"""Which token service answers through the domain, and does the configured one live?

Everything here is asked without credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cargo_runbook.facts.hosts_file import is_loopback
from cargo_runbook.facts.token_service import TokenServiceFacts, read_entries, read_token_service
from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import Command, HttpRequest, Observation, Place, Question, Vantage
from cargo_runbook.probes.asking import DEADLINE, Ask, together
from cargo_runbook.probes.registry import token_request

HEALTH_PATH = "/registryproxy/v2"
DEFAULT_PORT = 30099


def ask_token_service(
    ask: Ask, environment: Environment, connect_to: str, tengines: Callable[[], Mapping[str, Observation]]
) -> TokenServiceFacts:
    """Asks the domain's token endpoint with a service name that nobody knows, and the token services for their health.

    The one that the inventory names is asked from the operator, those that the fronts are pointed to from their
    hosts, as tengine does (`check_http_send`). `tengines` is called after the first questions, for the hosts files.
    """
    questions: list[Question] = [token_request(environment, connect_to, None, service="probe")]
    service = environment.token_service
    if service is not None:
        questions.append(
            HttpRequest(
                url=f"http://{service.address}:{service.port}{HEALTH_PATH}",
                headers=(("x-cargo", environment.domain),),
                deadline=DEADLINE,
            )
        )
    probe, *health = together(ask, questions)
    hosts_files = tengines()
    places = {(host, entry.address) for host, entry in read_entries(hosts_files) if not is_loopback(entry.address)}
    asked = {place: health_from(environment, *place) for place in sorted(places)}
    answers = dict(zip(asked, together(ask, list(asked.values())), strict=True))
    return read_token_service(probe, hosts_files, health[0] if health else None, answers)


def health_from(environment: Environment, host: str, address: str) -> Command:
    """tengine's own check of the token service at `address`, asked from the Cargo host."""
    port = environment.token_service.port if environment.token_service else DEFAULT_PORT
    authority = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    url = f"http://{authority}{HEALTH_PATH}"
    argv = ("curl", "-s", "-S", "-i", "-m", "4", "-H", f"X-Cargo: {environment.domain}", url)
    return Command(vantage=Vantage(Place.CARGO_HOST, host), argv=argv, deadline=DEADLINE)

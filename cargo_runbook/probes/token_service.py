"""Which token service answers through the domain, and does the configured one live?

Everything here is asked without credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cargo_runbook.facts.token_service import TokenServiceFacts, read_token_service
from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import HttpRequest, Observation, Question
from cargo_runbook.probes.asking import DEADLINE, Ask, together
from cargo_runbook.probes.registry import token_request

HEALTH_PATH = "/registryproxy/v2"


def ask_token_service(
    ask: Ask, environment: Environment, connect_to: str, tengines: Callable[[], Mapping[str, Observation]]
) -> TokenServiceFacts:
    """Asks the domain's token endpoint with a service name that nobody knows, and the configured token service for
    its health (as tengine does, `check_http_send`). `tengines` is called after asking, for the hosts files of the fronts."""
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
    return read_token_service(probe, dict(tengines()), health[0] if health else None)

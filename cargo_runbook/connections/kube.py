"""kubectl, always with the context named: the operator's current context is neither used nor changed."""

from __future__ import annotations

import math
import re

from cargo_runbook.connections.base import Failure, Look
from cargo_runbook.connections.local import Outcome, observe_outcome, run
from cargo_runbook.observations import KubeCommand, Observation, Status
from cargo_runbook.texts import Text

# kubectl tells failures to connect apart in prose only; these are texts of client-go and of kubectl 1.20 to 1.33.
_NO_CONTEXT = re.compile(r'context "[^"]*" does not exist|context was not found for specified context')
_UNREACHABLE = (
    (re.compile(r"no such host"), "name_not_resolved"),
    (re.compile(r"connection refused|was refused - did you specify the right host"), "refused"),
    (re.compile(r"no route to host|network is unreachable"), "no_route"),
    (re.compile(r"x509: |tls: |certificate"), "tls"),
    (re.compile(r"server gave HTTP response to HTTPS client"), "not_tls"),
    (re.compile(r"connection reset by peer|: EOF\b"), "reset"),
    (re.compile(r"must be logged in to the server|\(Unauthorized\)"), "authentication"),
)
_SLOW = re.compile(r"i/o timeout|deadline exceeded|Client\.Timeout exceeded|TLS handshake timeout")
_CONNECTING = re.compile(
    r"^(?:Unable to connect|The connection to the server|error: You must be logged in|E\d{4} )", re.M
)


def kubectl_argv(question: KubeCommand) -> tuple[str, ...]:
    """The words of the command."""
    seconds = max(1, math.ceil(question.deadline))
    return ("kubectl", f"--context={question.vantage.host}", f"--request-timeout={seconds}s", *question.args)


def ask_kubectl(look: Look, question: KubeCommand) -> Observation:
    """Runs `kubectl --context CONTEXT ARGS`; a missing context and an API server out of reach have reasons."""
    context = question.vantage.host
    if not context:
        return look.failed(
            Failure(Status.ERROR, "no_context", Text("no kubectl context is named", "没有指定 kubectl context"))
        )
    argv = kubectl_argv(question)
    data: dict[str, object] = {"argv": list(argv)}
    try:
        outcome = run(argv, look.deadline)
    except Failure as failure:
        return look.failed(failure, data=data)
    failure_seen = _failure(outcome, context)
    if failure_seen is None:
        return observe_outcome(look, outcome, data)
    return look.failed(failure_seen, exit_code=outcome.exit_code, output=outcome.output, error=outcome.error, data=data)


def _failure(outcome: Outcome, context: str) -> Failure | None:
    if not outcome.exit_code:
        return None
    said = outcome.error.decode("utf-8", "replace")
    if _NO_CONTEXT.search(said):
        return Failure(
            Status.ERROR, "no_context", Text(f"kubectl has no context {context}", f"kubectl 没有 context {context}")
        )
    if not _CONNECTING.search(said):
        return None
    if _SLOW.search(said):
        return Failure(Status.TIMEOUT, "timeout", Text(said, said))
    reason = next((reason for pattern, reason in _UNREACHABLE if pattern.search(said)), "")
    return Failure(Status.UNREACHABLE, reason, Text(said, said)) if reason else None

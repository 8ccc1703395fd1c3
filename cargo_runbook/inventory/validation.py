"""What the model objects to, as sentences that name the key and what is expected.

No sentence holds the value of a key that is meant for a reference to a secret, nor of a key that is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from cargo_runbook.inventory.models import Environment
from cargo_runbook.inventory.source import Place, Problem, Source, dotted

_SECRET_KEYS = {"password"}
_WORDS = "small letters, digits, '.', '_' and '-'"
_EXPECTED_BY_KEY = {
    "domain": "a domain name, without https:// and without a path",
    "image": "repository:tag, as in library/tiny:1, without the domain",
    "root": "a folder that begins with /",
    "address": "an IP address or a name",
    "name_servers": "an IP address",
    "ssh": "a host alias of ~/.ssh/config",
    "tengine": "the name of a container",
    "context": "the name of a kubectl context (kubectl config get-contexts)",
    "namespace": f"the name of a namespace: {_WORDS}",
    "name": _WORDS,
    "url": "http:// or https://, a host, and a port where it has one",
    "tenant_header": "the name of a header",
    "user_header": "the name of a header",
    "account": "the username of an account above",
}
_EXPECTED_BY_TYPE = {
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text",
    "string_too_short": "something",
    "tuple_type": "a list (lines that begin with -)",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "too_short": "at least one item",
}
_REFERENCES = "env:NAME, file:PATH, docker-config[:PATH] or keyring:SERVICE/USER"


def validate(source: Source) -> tuple[Environment | None, list[Problem]]:
    """The environment of a source, or all that is wrong with it, in the order of the lines."""
    data = _without_empty(source.data)
    try:
        environment = Environment.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
        problems = [_problem(detail, source) for detail in details if not _follows(detail, details)]
    else:
        return environment, []
    # What the form already complains about is not told twice.
    told = {problem.key for problem in source.problems}
    return None, sorted((p for p in problems if p.key not in told), key=lambda p: p.line)


def _without_empty(data: Any) -> Any:
    """Keys without a value count as absent, so that a list may have all of its items commented out."""
    if isinstance(data, dict):
        return {key: _without_empty(value) for key, value in data.items() if value is not None}
    return [_without_empty(item) for item in data] if isinstance(data, list) else data


def _follows(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Whether an error only follows from another: a key missing that is misspelt, a list short of its wrong items."""
    place = tuple(detail["loc"])
    if detail["type"] == "too_short":
        return any(len(d["loc"]) > len(place) and tuple(d["loc"])[: len(place)] == place for d in details)
    if detail["type"] == "missing":
        unknown = [tuple(d["loc"]) for d in details if d["type"] == "extra_forbidden"]
        return any(u[:-1] == place[:-1] and _near(u) == place[-1] for u in unknown)
    return False


def _near(place: Place) -> str | None:
    return next(iter(get_close_matches(str(place[-1]), fields_at(place[:-1]), n=1)), None)


def _problem(detail: ErrorDetails, source: Source) -> Problem:
    place: Place = tuple(detail["loc"])
    kind = detail["type"]
    if kind in _OWN_RULES:
        return _OWN_RULES[kind](detail, source)
    key, line = dotted(place), source.line(place)
    if kind == "extra_forbidden":
        return Problem(line, key, _unknown_key(place))
    if kind == "missing":
        said = "has no value" if place in source.lines else "is missing"
        return Problem(line, key, f"{key} {said}; expected {_expected(detail, place)}")
    if place and place[-1] in _SECRET_KEYS:
        sentence = f"{key} must be a reference ({_REFERENCES}), not the password itself"
        return Problem(line, key, sentence, "If it was the real password, it has been in a file: consider changing it.")
    return Problem(line, key, _wrong_value(detail, place))


def _stands_twice(detail: ErrorDetails, source: Source) -> Problem:
    context = detail.get("ctx", {})
    item: Place = (*detail["loc"], context["index"])
    place = (*item, context["field"])
    if place not in source.lines:
        # Two accounts without a username are both the one that docker is logged in as.
        return Problem(source.line(item), dotted(item), f"{dotted(place)} is missing, and in another one as well")
    return Problem(source.line(place), dotted(place), f'{dotted(place)} "{_value(source, place)}" stands twice')


def _no_username(detail: ErrorDetails, source: Source) -> Problem:
    place: Place = (*detail["loc"], "username")
    sentence = f"{dotted(place)} is missing; it may be left out with password: docker-config only"
    return Problem(source.line(place), dotted(place), sentence)


def _unknown_account(detail: ErrorDetails, source: Source) -> Problem:
    context = detail.get("ctx", {})
    place: Place = ("uses", context["index"], "account")
    known = context["known"] or "none"
    sentence = f'{dotted(place)} is "{_value(source, place)}", which is no account here; the accounts are {known}'
    return Problem(source.line(place), dotted(place), sentence)


_OWN_RULES: Mapping[str, Callable[[ErrorDetails, Source], Problem]] = {
    "stands_twice": _stands_twice,
    "no_username": _no_username,
    "unknown_account": _unknown_account,
}
"""Errors that the model raises itself, beside those of pydantic."""


def _unknown_key(place: Place) -> str:
    known = fields_at(place[:-1])
    near = _near(place)
    if near:
        return f'{dotted(place)} is not a key here; did you mean "{near}"?'
    return f"{dotted(place)} is not a key here; the keys are {', '.join(known)}"


def _wrong_value(detail: ErrorDetails, place: Place) -> str:
    value = detail["input"]
    expected = _expected(detail, place)
    if not isinstance(value, str) or "@" in value:
        # With an @ in it, it may be user:password@host.
        return f"{dotted(place)}: expected {expected}"
    sentence = f'{dotted(place)} is "{_short(value)}"; expected {expected}'
    if detail["type"] == "enum":
        near = get_close_matches(
            value, detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", "), n=1
        )
        sentence += f'; did you mean "{near[0]}"?' if near else ""
    return sentence


def _expected(detail: ErrorDetails, place: Place) -> str:
    context: Mapping[str, Any] = detail.get("ctx", {})
    kind = detail["type"]
    words = [part for part in place if isinstance(part, str)]
    key = words[-1] if words else ""
    if kind == "enum":
        return str(context["expected"]).replace("'", "")
    if kind in ("greater_than_equal", "less_than_equal"):
        return "a number from 1 to 65535" if key == "port" else f"a number {kind.replace('_', ' ')} {context}"
    if kind == "string_too_long":
        return f"at most {context['max_length']} characters"
    if kind == "missing" and key in _SECRET_KEYS:
        return f"a reference: {_REFERENCES}"
    if kind == "missing" and key == "hosts":
        return "a list with the machines that run Cargo"
    if kind in ("missing", "string_pattern_mismatch"):
        return _EXPECTED_BY_KEY.get(key, "a value")
    return _EXPECTED_BY_TYPE.get(kind, detail["msg"])


def fields_at(place: Place) -> tuple[str, ...]:
    """The keys that may stand at a place of an environment file; empty when none may."""
    model: type[BaseModel] | None = Environment
    for part in place:
        if isinstance(part, str) and model is not None:
            field = model.model_fields.get(part)
            model = _model_in(field) if field else None
    return tuple(model.model_fields) if model else ()


def _model_in(field: FieldInfo) -> type[BaseModel] | None:
    return next((t for t in _types_in(field.annotation) if isinstance(t, type) and issubclass(t, BaseModel)), None)


def _types_in(annotation: Any) -> Iterable[Any]:
    yield annotation
    for argument in get_args(annotation):
        yield from _types_in(argument)


def _value(source: Source, place: Place) -> str:
    value: Any = source.data
    for part in place:
        value = value[part]
    return _short(str(value))


def _short(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= 60 else f"{line[:57]}..."

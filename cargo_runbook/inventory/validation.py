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
from cargo_runbook.texts import Text, tell

_SECRET_KEYS = {"password"}
_WORDS = Text("small letters, digits, '.', '_' and '-'", "小写字母、数字、'.'、'_' 和 '-'")
_EXPECTED_BY_KEY = {
    "domain": Text("a domain name, without https:// and without a path", "域名，不含 https:// 和路径"),
    "image": Text("repository:tag, as in library/tiny:1, without the domain", "仓库:标签，如 library/tiny:1，不含域名"),
    "root": Text("a folder that begins with /", "以 / 开头的目录"),
    "address": Text("an IP address or a name", "IP 地址或名称"),
    "name_servers": Text("an IP address", "IP 地址"),
    "ssh": Text("a host alias of ~/.ssh/config", "~/.ssh/config 中的主机别名"),
    "tengine": Text("the name of a container", "容器名称"),
    "context": Text(
        "the name of a kubectl context (kubectl config get-contexts)",
        "kubectl context 的名称（kubectl config get-contexts）",
    ),
    "namespace": Text(f"the name of a namespace: {_WORDS.en}", f"命名空间的名称：{_WORDS.zh}"),
    "name": _WORDS,
    "url": Text(
        "http:// or https://, a host, and a port where it has one", "http:// 或 https:// 加主机，有端口时写明端口"
    ),
    "tenant_header": Text("the name of a header", "请求头的名称"),
    "user_header": Text("the name of a header", "请求头的名称"),
    "account": Text("the username of an account above", "上面某个账号的 username"),
}
_EXPECTED_BY_TYPE = {
    "int_parsing": Text("a whole number", "整数"),
    "int_from_float": Text("a whole number", "整数"),
    "string_type": Text("text", "文本"),
    "string_too_short": Text("something", "非空内容"),
    "tuple_type": Text("a list (lines that begin with -)", "列表（以 - 开头的行）"),
    "model_type": Text("keys with values", "键和值"),
    "model_attributes_type": Text("keys with values", "键和值"),
    "too_short": Text("at least one item", "至少一项"),
}
_REFERENCES = Text(
    "env:NAME, file:PATH, docker-config[:PATH] or keyring:SERVICE/USER",
    "env:名称、file:路径、docker-config[:路径] 或 keyring:服务/用户",
)


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
        said = Text("has no value", "没有值") if place in source.lines else Text("is missing", "缺失")
        wanted = _expected(detail, place)
        return Problem(
            line, key, tell(f"{key} {said.en}; expected {wanted.en}", f"{key} {said.zh}；应为{_after(wanted.zh)}")
        )
    if place and place[-1] in _SECRET_KEYS:
        sentence = tell(
            f"{key} must be a reference ({_REFERENCES.en}), not the password itself",
            f"{key} 须为引用（{_REFERENCES.zh}），而不是密码本身",
        )
        step = tell(
            "If it was the real password, it has been in a file: consider changing it.",
            "如果这是真实的密码，它已经写入过文件：请考虑更换。",
        )
        return Problem(line, key, sentence, step)
    return Problem(line, key, _wrong_value(detail, place))


def _stands_twice(detail: ErrorDetails, source: Source) -> Problem:
    context = detail.get("ctx", {})
    item: Place = (*detail["loc"], context["index"])
    place = (*item, context["field"])
    if place not in source.lines:
        # Two accounts without a username are both the one that docker is logged in as.
        sentence = tell(f"{dotted(place)} is missing, and in another one as well", f"{dotted(place)} 缺失，另一项也是")
        return Problem(source.line(item), dotted(item), sentence)
    value = _value(source, place)
    sentence = tell(f'{dotted(place)} "{value}" stands twice', f"{dotted(place)} “{value}” 重复")
    return Problem(source.line(place), dotted(place), sentence)


def _no_username(detail: ErrorDetails, source: Source) -> Problem:
    place: Place = (*detail["loc"], "username")
    sentence = tell(
        f"{dotted(place)} is missing; it may be left out with password: docker-config only",
        f"{dotted(place)} 缺失；只有 password 为 docker-config 时可以省略",
    )
    return Problem(source.line(place), dotted(place), sentence)


def _unknown_account(detail: ErrorDetails, source: Source) -> Problem:
    context = detail.get("ctx", {})
    place: Place = ("uses", context["index"], "account")
    known, value = context["known"], _value(source, place)
    sentence = tell(
        f'{dotted(place)} is "{value}", which is no account here; the accounts are {known or "none"}',
        f"{dotted(place)} 为 “{value}”，但没有该账号；已有账号：{known or '无'}",
    )
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
        return tell(
            f'{dotted(place)} is not a key here; did you mean "{near}"?',
            f"此处没有键 {dotted(place)}；是否指 “{near}”？",
        )
    return tell(
        f"{dotted(place)} is not a key here; the keys are {', '.join(known)}",
        f"此处没有键 {dotted(place)}；可用的键：{'、'.join(known)}",
    )


def _wrong_value(detail: ErrorDetails, place: Place) -> str:
    value = detail["input"]
    expected = _expected(detail, place)
    if not isinstance(value, str) or "@" in value:
        # With an @ in it, it may be user:password@host.
        return tell(f"{dotted(place)}: expected {expected.en}", f"{dotted(place)}：应为{_after(expected.zh)}")
    sentence = tell(
        f'{dotted(place)} is "{_short(value)}"; expected {expected.en}',
        f"{dotted(place)} 为 “{_short(value)}”；应为{_after(expected.zh)}",
    )
    if detail["type"] == "enum":
        near = get_close_matches(
            value, detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", "), n=1
        )
        sentence += tell(f'; did you mean "{near[0]}"?', f"；是否指 “{near[0]}”？") if near else ""
    return sentence


def _after(words: str) -> str:
    """Words after Chinese ones: a space stands before those that begin in Latin letters."""
    return f" {words}" if words[:1].isascii() else words


def _expected(detail: ErrorDetails, place: Place) -> Text:
    context: Mapping[str, Any] = detail.get("ctx", {})
    kind = detail["type"]
    words = [part for part in place if isinstance(part, str)]
    key = words[-1] if words else ""
    if kind == "enum":
        choices = str(context["expected"]).replace("'", "")
        return Text(choices, choices.replace(" or ", " 或 "))
    if kind in ("greater_than_equal", "less_than_equal"):
        if key == "port":
            return Text("a number from 1 to 65535", "1 到 65535 的数字")
        bound = f"{kind.replace('_', ' ')} {context}"
        return Text(f"a number {bound}", f"符合此条件的数字：{bound}")
    if kind == "string_too_long":
        return Text(f"at most {context['max_length']} characters", f"最多 {context['max_length']} 个字符")
    if kind == "missing" and key in _SECRET_KEYS:
        return Text(f"a reference: {_REFERENCES.en}", f"引用：{_REFERENCES.zh}")
    if kind == "missing" and key == "hosts":
        return Text("a list with the machines that run Cargo", "运行 Cargo 的机器列表")
    if kind in ("missing", "string_pattern_mismatch"):
        return _EXPECTED_BY_KEY.get(key, Text("a value", "一个值"))
    return _EXPECTED_BY_TYPE.get(kind, Text(detail["msg"], detail["msg"]))


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

"""What the views call things: stations of a pull, verdicts and their signs, in both languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from cargo_runbook.findings import CHECKS, LOGIN, PULL, PUSH, Diagnosis, Health, Verdict
from cargo_runbook.observations import Observation
from cargo_runbook.texts import Text

STATIONS: Mapping[str, Text] = {
    "dns": Text("DNS", "域名解析"),
    "tls": Text("TLS", "证书"),
    "challenge": Text("challenge", "质询"),
    "login": Text("login", "登录"),
    "token": Text("token", "令牌"),
    "project": Text("project", "项目权限"),
    "pull": Text("pull", "拉取"),
}

QUESTIONS: Mapping[str, Text] = {
    "dns": Text("Does the registry's domain resolve?", "仓库域名能否正确解析？"),
    "tls": Text("Does the registry answer with a certificate that clients trust?", "仓库是否应答，证书是否受信任？"),
    "challenge": Text("Where does the registry send clients for a token?", "仓库让客户端去哪里获取 token？"),
    "login": Text("Do the accounts get a token from the token service?", "账号能否从 token service 登录？"),
    "token": Text("Does the registry trust the token that was issued?", "仓库是否信任签发的 token？"),
    "project": Text("May the account pull from the project?", "账号是否有该项目的权限？"),
    "pull": Text("Does the image come?", "能否拉取镜像？"),
}

# Colour is never the only sign: each verdict has a sign and words of its own.
SIGNS: Mapping[Verdict, str] = {Verdict.OK: "●", Verdict.FAULT: "✗", Verdict.SKIPPED: "○", Verdict.UNKNOWN: "?"}
MEANINGS: Mapping[Verdict, Text] = {
    Verdict.FAULT: Text("fault", "故障"),
    Verdict.OK: Text("ok", "正常"),
    Verdict.SKIPPED: Text("not testable", "无法测试"),
    Verdict.UNKNOWN: Text("could not tell", "无法判断"),
}
HEALTH: Mapping[str, Text] = {
    Health.HEALTHY: Text("healthy", "正常"),
    Health.FAULT: Text("fault", "有故障"),
    Health.UNKNOWN: Text("could not tell", "无法判断"),
    "failed": Text("the run failed", "运行失败"),
}

RULED_OUT = Text("ruled out", "已排除")
AND_MORE = Text(" and {rest} more", " 等，另有 {rest} 项")
UNTESTED = Text("could not be tested", "未能测试")
NEXT = Text("Next", "下一步")
EVIDENCE = Text("evidence", "证据")
FOLLOWS_FROM = Text("follows from {codes}", "由 {codes} 引起")
_NO_FAULT: Mapping[str, Text] = {
    PULL: Text("No fault on the path of a pull", "拉取路径上未发现故障"),
    PUSH: Text("No fault on the path of a push", "推送路径上未发现故障"),
    LOGIN: Text("No fault on the path of a login", "登录路径上未发现故障"),
}
_COULD_NOT_TELL: Mapping[str, Text] = {
    PULL: Text("Could not tell whether a pull works", "无法判断能否拉取镜像"),
    PUSH: Text("Could not tell whether a push works", "无法判断能否推送镜像"),
    LOGIN: Text("Could not tell whether a login works", "无法判断能否登录"),
}

assert tuple(STATIONS) == tuple(QUESTIONS) == CHECKS


def without_roots(diagnosis: Diagnosis) -> Text:
    """What is said where no root cause was found: no fault, or that it could not be told."""
    said = _NO_FAULT if diagnosis.status is Health.HEALTHY else _COULD_NOT_TELL
    return said.get(diagnosis.operation, said[PULL])


def plain(text: object) -> str:
    """`text` with control and direction-changing characters made visible; newlines and tabs stay.

    What hosts print is hostile input: an escape sequence must not drive the reader's terminal, and a bidirectional
    override must not turn a sentence round.
    """
    said = str(text)
    # None of those characters is printable; looking at each one takes a good part of what a page does.
    if said.isprintable() or said.translate(_KEPT).isprintable():
        return said
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf") else _visible(c) for c in said)


_KEPT = {ord("\n"): None, ord("\t"): None}


_REPLAYED = (
    (r"replayed evidence of ([\d-]+)", r"回放 \1 的证据"),
    (r"sealed evidence of ([\d-]+)", r"封存于 \1 的证据"),
)


def replayed(banner: str) -> Text:
    """What a record says of evidence that is none of now, which it keeps in English."""
    zh = one_line(banner)
    for pattern, words in _REPLAYED:
        zh = re.sub(pattern, words, zh)
    return Text(one_line(banner), zh)


def one_line(text: object) -> str:
    """`plain` text on one line."""
    return " ".join(plain(text).split())


def asked(observation: Observation) -> str:
    """Where one looked and what was asked, on one line: `operator, GET https://.../v2/`."""
    other = observation.question.environment
    return one_line(f"{observation.vantage}{f' ({other})' if other else ''}, {observation.question}")


def near(path: Path) -> str:
    """A path as one reads it best: relative when it lies below the current folder."""
    here = Path.cwd()
    return one_line(path.relative_to(here) if path.is_relative_to(here) else path)


def _visible(character: str) -> str:
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else f"\\u{code:04x}"

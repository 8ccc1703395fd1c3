"""The two places that hold the domain (the guide, 使用错误的域名访问 方法三)."""

from __future__ import annotations

import re

from cargo_runbook.remedies.edits.lines import changed_lines

_REALM = re.compile(r"""^([ \t]*realm:[ \t]*)(["']?)(https?://)([^/"'\s#]+)(.*)$""")
_CHECK = re.compile(r"^[ \t]*check_http_send\b")
_HEADER = re.compile(r"(X-Cargo:[ \t]*)([^\s\\\"]+)", re.IGNORECASE)


def set_realm(text: str, authority: str) -> str:
    """The registry's config.yml with `realm` at https://AUTHORITY; its path, quotes and comment stay."""

    def change(line: str) -> str:
        match = _REALM.match(line)
        if match is None:
            return line
        start, quote, _scheme, _host, rest = match.groups()
        return f"{start}{quote}https://{authority}{rest}"

    return changed_lines(text, change)


def set_checked_domain(text: str, domain: str) -> str:
    """nginx.conf with each health check asking for `domain`; the literal `\\r\\n` of its request stay."""

    def change(line: str) -> str:
        return _HEADER.sub(lambda m: f"{m[1]}{domain}", line) if _CHECK.match(line) else line

    return changed_lines(text, change)

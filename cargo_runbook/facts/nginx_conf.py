"""tengine's `nginx.conf`: the health check of the token service.

`check_http_send "GET /registryproxy/v2 HTTP/1.0\\r\\nX-Cargo: DOMAIN\\r\\n\\r\\n";`: in the file, `\\r\\n` are four
characters, backslash r backslash n (the guide, 使用错误的域名访问 方法三).
"""

from __future__ import annotations

import re

_CHECK = re.compile(r'^\s*check_http_send\s+"((?:[^"\\]|\\.)*)"\s*;', re.MULTILINE)
_HEADER = re.compile(r"(?:^|\\n|\n)\s*X-Cargo:\s*([^\s\\]*)", re.IGNORECASE)


def read_checked_domains(text: str) -> tuple[str, ...]:
    """The domains that the health checks ask for, in lower case, each once; comments don't count."""
    found = [header for request in _CHECK.findall(text) for header in _HEADER.findall(request)]
    return tuple(dict.fromkeys(domain.lower() for domain in found if domain))

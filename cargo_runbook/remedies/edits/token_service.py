"""Where the token service is: `extra_hosts` of the compose file, the port of nginx.conf, the deployment's settings."""

from __future__ import annotations

import re

from cargo_runbook.facts.hosts_file import is_token_service
from cargo_runbook.remedies.edits.lines import changed_lines

_LIST = re.compile(r"""^(\s*-\s*["']?)([A-Za-z0-9.-]+)(:\s?)([0-9A-Fa-f.:]+|[A-Za-z0-9.-]+)(["']?\s*(?:#.*)?)$""")
_MAP = re.compile(r"""^(\s*["']?)([A-Za-z0-9.-]+)(["']?\s*:\s*["']?)([0-9A-Fa-f.:]+)(["']?\s*(?:#.*)?)$""")
_SETTING = re.compile(
    r"""^((?:cargo_token_service|cargo_cluster_master_vip):[ \t]*["']?)([^\s"'#]*)(["']?[ \t]*(?:#.*)?)$"""
)
_SERVER = re.compile(r"^(\s*server\s+)([\w.-]+)(:\d+)?((?:\s[^;]*)?;.*)$")


def set_extra_host(text: str, address: str) -> str:
    """A compose file with each entry of the token service in `extra_hosts` (list or mapping) at `address`."""

    def change(line: str) -> str:
        for form in (_LIST, _MAP):
            match = form.match(line)
            if match and is_token_service(match[2].lower()):
                return f"{match[1]}{match[2]}{match[3]}{address}{match[5]}"
        return line

    return changed_lines(text, change)


def set_setting(text: str, address: str) -> str:
    """env-single.yml or env-ha.yml with the token service at `address`, under whichever key it has."""

    def change(line: str) -> str:
        match = _SETTING.match(line)
        return f"{match[1]}{address}{match[3]}" if match else line

    return changed_lines(text, change)


def set_upstream(text: str, name: str, port: int) -> str:
    """nginx.conf with the upstream server of the token service called `name` at `port`; the rest of its line stays."""

    def change(line: str) -> str:
        match = _SERVER.match(line)
        if match is None or not is_token_service(match[2].lower()):
            return line
        return f"{match[1]}{name}:{port}{match[4]}"

    return changed_lines(text, change)

"""域名无法解析 / 本地场景: an entry in the operator's hosts file."""

from __future__ import annotations

from ipaddress import ip_address

from cargo_runbook.observations import OPERATOR
from cargo_runbook.remedies.edits.hosts import set_address
from cargo_runbook.remedies.workbench import Draft, NoRemedy, Workbench, text_of
from cargo_runbook.texts import Text, tell


def hosts_entry_operator(bench: Workbench) -> Draft:
    """The domain at the address that the inventory knows, in /etc/hosts of the operator, and of Cargo hosts that do
    not resolve it either.
    """
    environment, draft, address = bench.environment, Draft(), address_of(bench)
    known = {address, *environment.addresses, *(host.address for host in environment.hosts), "127.0.0.1", "::1"}
    lost = [host for host in environment.hosts if not bench.resolves(host, environment.domain, known)]
    # Where only a Cargo host is at fault, the operator's file is left alone.
    here = () if bench.finding.code == "CRG105" else (OPERATOR,)
    for machine in (*here, *(bench.on(host) for host in lost)):
        state = bench.file(machine, "/etc/hosts")
        draft.edit(state, set_address(text_of(state), environment.domain, address))
    draft.notes.append(
        Text(
            "An entry helps on its machine only, and outlives a change of address: let the DNS record be corrected, "
            "then take the entry away.",
            "该条目只对本机有效，地址变更后仍会保留：请让 DNS 管理员修正解析记录，之后删除该条目。",
        )
    )
    return draft


def address_of(bench: Workbench) -> str:
    """The first address that the inventory has for the domain.

    Raises:
        NoRemedy: it knows names only.
    """
    environment = bench.environment
    for address in (*environment.addresses, *(host.address for host in environment.hosts)):
        try:
            return str(ip_address(address))
        except ValueError:
            continue
    raise NoRemedy(
        tell(
            f"the inventory has no IP address for {environment.domain}",
            f"环境清单中没有 {environment.domain} 的 IP 地址",
        ),
        next_step=tell(
            f"Add it to {environment.file}: addresses: [IP]", f"请在 {environment.file} 中添加：addresses: [IP]"
        ),
    )

"""使用错误的域名访问, method three: the domain in the registry's and in tengine's configuration."""

from __future__ import annotations

from cargo_runbook.facts.installation import InstallationFacts
from cargo_runbook.facts.transport import Handshake
from cargo_runbook.remedies.edits.domain import set_checked_domain, set_realm
from cargo_runbook.remedies.workbench import Draft, NoRemedy, Workbench, restart, text_of
from cargo_runbook.texts import Text

SCRIPT = "change-domain.sh"


def change_domain(bench: Workbench) -> Draft:
    """`realm` and `check_http_send` name the domain in use; then the registry, and tengine after it, start again."""
    environment, draft = bench.environment, Draft()
    _refuse_harbor_2(bench)
    for host in environment.hosts:
        machine = bench.on(host)
        config = bench.file(machine, f"{host.root}/config/registry/config.yml")
        nginx = bench.file(machine, f"{host.root}/config/nginx/nginx.conf")
        realm = draft.edit(config, set_realm(text_of(config), environment.authority))
        check = draft.edit(nginx, set_checked_domain(text_of(nginx), environment.domain))
        names = ([bench.registry(host)] if realm else []) + ([host.tengine] if realm or check else [])
        if names:
            draft.actions.append(restart(bench, host, names))
    _note_certificate(bench, draft)
    _note_script(bench, draft)
    return draft


def restart_cargo(bench: Workbench) -> Draft:
    """The files are right and what runs is older: registry and tengine start again."""
    draft = Draft()
    for host in bench.environment.hosts:
        draft.actions.append(restart(bench, host, [bench.registry(host), host.tengine]))
    draft.notes.append(
        Text(
            "A restart loads what stands in the files; it can't be undone, because nothing holds the old setting.",
            "重启会加载文件中的配置；旧配置已不存在，因此无法撤销。",
        )
    )
    return draft


def _refuse_harbor_2(bench: Workbench) -> None:
    facts = bench.gathered.concerns.get("installation")
    if isinstance(facts, InstallationFacts) and facts.is_harbor_2:
        raise NoRemedy(
            "this is a Harbor 2.x: nobody reads `realm` in the registry's config.yml, Harbor core writes the challenge",
            next_step="Set hostname and external_url in harbor.yml, then run its ./prepare and start Harbor anew.",
            section="使用错误的域名访问",
        )


def _note_certificate(bench: Workbench, draft: Draft) -> None:
    shown = bench.gathered.path.handshake
    if shown is not None and shown.handshake is Handshake.WRONG_NAME:
        draft.notes.append(
            Text(
                "The certificate is not for this domain: clients will refuse it until it is replaced as well.",
                "证书不是为该域名签发的：更换证书之前，客户端仍会拒绝。",
            )
        )


def _note_script(bench: Workbench, draft: Draft) -> None:
    facts = bench.gathered.concerns.get("installation")
    hosts = facts.hosts if isinstance(facts, InstallationFacts) else ()
    if draft.actions and any(SCRIPT in host.scripts for host in hosts):
        draft.notes.append(
            Text(
                f"{SCRIPT} is there as well; it is not run, because what it would change can't be shown beforehand.",
                f"主机上也有 {SCRIPT}，但不会执行它，因为无法预先显示它会修改什么。",
            )
        )

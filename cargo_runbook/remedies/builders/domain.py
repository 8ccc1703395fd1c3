"""使用错误的域名访问, method three: the domain in the registry's and in tengine's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from cargo_runbook.facts.installation import InstallationFacts
from cargo_runbook.facts.transport import Handshake
from cargo_runbook.inventory.models import Host
from cargo_runbook.remedies.builders.scripts import Edit, edit_files
from cargo_runbook.remedies.edits.domain import set_checked_domain, set_realm
from cargo_runbook.remedies.workbench import Draft, NoRemedy, Workbench, restart
from cargo_runbook.texts import Text, tell

SCRIPT = "change-domain.sh"
CONFIG = "config/registry/config.yml"
NGINX = "config/nginx/nginx.conf"


def change_domain(bench: Workbench) -> Draft:
    """`realm` and `check_http_send` name the domain in use; then the registry, and tengine after it, start again."""
    environment, draft = bench.environment, Draft()
    _refuse_harbor_2(bench)
    for host in environment.hosts:
        edits: dict[str, Edit] = {
            CONFIG: lambda text: set_realm(text, environment.authority),
            NGINX: lambda text: set_checked_domain(text, environment.domain),
        }
        arguments = [(environment.domain,), *((old, environment.domain) for old in _old_domains(bench, host))]
        done = edit_files(bench, draft, host, edits, scripts=(SCRIPT,), arguments=arguments)
        names = [bench.registry(host)] if any(path.startswith("config/registry/") for path in done) else []
        names += [host.tengine] if done else []
        if names:
            draft.actions.append(restart(bench, host, names))
        _note_others(draft, host.name, done)
    _note_certificate(bench, draft)
    return draft


def _old_domains(bench: Workbench, host: Host) -> tuple[str, ...]:
    """The domains that the files of the host name and that are not the one in use."""
    facts = bench.gathered.concerns.get("installation")
    installed = [each for each in facts.hosts if each.host == host.name] if isinstance(facts, InstallationFacts) else []
    named = [urlsplit(each.realm.value).hostname or "" for each in installed if each.realm]
    named += [place.value for each in installed for place in each.checks]
    return tuple(dict.fromkeys(name for name in named if name and name != bench.environment.domain))


def _note_others(draft: Draft, host: str, done: Mapping[str, str]) -> None:
    """What a script changes besides, and no restart here loads."""
    others = sorted(path for path in done if not path.startswith(("config/registry/", "config/nginx/", "env-")))
    if others:
        draft.notes.append(
            Text(
                f"{host}: {', '.join(others)} counts when its container is made anew (restart.sh).",
                f"{host}：{', '.join(others)} 在重建其容器后生效（restart.sh）。",
            )
        )


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
            tell(
                "this is a Harbor 2.x: nobody reads `realm` in the registry's config.yml, Harbor core writes the challenge",
                "这是 Harbor 2.x：config.yml 中的 `realm` 无人读取，challenge 由 Harbor core 生成",
            ),
            next_step=tell(
                "Set hostname and external_url in harbor.yml, then run its ./prepare and start Harbor anew.",
                "请在 harbor.yml 中设置 hostname 和 external_url，然后执行 ./prepare 并重新启动 Harbor。",
            ),
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

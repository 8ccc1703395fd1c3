"""Token Service 配置错误: the address of the cluster's cargo-token, where the compose file and the settings name it."""

from __future__ import annotations

from cargo_runbook.facts.installation import read_compose
from cargo_runbook.facts.token import read_token
from cargo_runbook.inventory.models import Host
from cargo_runbook.observations import HttpRequest
from cargo_runbook.remedies.actions import Effect, RunCommand
from cargo_runbook.remedies.builders.scripts import Edit, edit_files
from cargo_runbook.remedies.edits.token_service import set_extra_host, set_setting, set_upstream
from cargo_runbook.remedies.workbench import SECONDS, Draft, NoRemedy, Workbench, compose_files, restart, text_of
from cargo_runbook.texts import Text, say, tell

COMPOSE = ("config/docker-compose-single.yml", "config/docker-compose-ha.yml")
SETTINGS = ("env-single.yml", "env-ha.yml")
NGINX = "config/nginx/nginx.conf"
SCRIPTS = ("change-token-servce.sh", "change-token-service.sh")
"""The guide spells it so, and it may have been put right since."""
ROOT = "config/registry/root.crt"
SECTION = "Token Service 配置错误"


def set_token_service(bench: Workbench) -> Draft:
    """extra_hosts, settings and upstream name the token service of the inventory; tengine is made anew."""
    service = bench.environment.token_service
    if service is None:
        raise NoRemedy(
            tell(
                "the inventory does not say where the token service of this cluster is",
                "环境清单没有写明该集群的 Token Service 地址",
            ),
            next_step=tell(
                f"Add it to {bench.environment.file}: token_service: {{address: VIP, port: NODEPORT}}",
                f"请在 {bench.environment.file} 中添加：token_service: {{address: VIP, port: NODEPORT}}",
            ),
            section=SECTION,
        )
    _verify(bench, service.address, service.port)
    draft = Draft()
    for host in bench.environment.hosts:
        _set_on(bench, draft, host, service.address, service.port)
    return draft


def recreate_tengine(bench: Workbench) -> Draft:
    """The compose file is right, and tengine was made before it was edited."""
    draft = Draft()
    for host in bench.environment.hosts:
        draft.actions.append(recreate(bench, host))
    return draft


def trusted_key(bench: Workbench) -> Draft:
    """root.crt of a host whose registry trusts the key of the tokens, on the hosts whose registry does not.

    Raises:
        NoRemedy: no host of this Cargo has the certificate of that key.
    """
    token, settings = bench.gathered.path.token, bench.gathered.path.settings
    key = token.key_id if token else ""
    good = next((each.host for each in settings if key and key in each.key_ids), "")
    hosts = {host.name: host for host in bench.environment.hosts}
    if not good:
        raise NoRemedy(
            tell(
                "no host of this Cargo has the certificate of the key that signs its tokens",
                "该 Cargo 的主机上都没有与 token 签名密钥对应的证书",
            ),
            seen=tell(f"kid {key or 'not seen'}", f"kid {key or '未知'}"),
            next_step=tell(
                "It belongs to the private key of cargo-token; put it to config/registry/root.crt on each host, then "
                "restart the registry.",
                "该证书与 cargo-token 的私钥对应；请放到每台主机的 config/registry/root.crt，然后重启 registry。",
            ),
            section="Token Service 配置错误 / 使用了其他集群里的 Token Service",
        )
    draft = Draft()
    right = text_of(bench.file(bench.on(hosts[good]), f"{hosts[good].root}/{ROOT}"))
    for each in settings:
        host = hosts.get(each.host)
        if host is None or key in each.key_ids:
            continue
        if draft.edit(bench.file(bench.on(host), f"{host.root}/{ROOT}"), right):
            draft.actions.append(restart(bench, host, [bench.registry(host)]))
            draft.notes.append(
                Text(f"root.crt is that of {good}, whose registry takes the tokens.",
                     f"root.crt 取自 {good}，其 registry 接受这些 token。")
            )  # fmt: skip
    return draft


def _set_on(bench: Workbench, draft: Draft, host: Host, address: str, port: int) -> None:
    edits: dict[str, Edit] = {
        **dict.fromkeys(COMPOSE, lambda text: set_extra_host(text, address)),
        **dict.fromkeys(SETTINGS, lambda text: set_setting(text, address)),
    }
    composed = {path: bench.file(bench.on(host), f"{host.root}/{path}") for path in COMPOSE}
    places = [p for path, state in composed.items() for p in read_compose(path, text_of(state))]
    old = [place.value for place in places if place.value != address]
    arguments = [(address,), *((each, address) for each in old)]
    done = edit_files(bench, draft, host, edits, scripts=SCRIPTS, arguments=arguments, kept=(NGINX,))
    edited = any(path in done for path in COMPOSE)
    state = bench.file(bench.on(host), f"{host.root}/{NGINX}")
    named = next((place.name for place in places), "")
    after = set_upstream(done.get(NGINX, text_of(state)), named, port) if named else text_of(state)
    changed = draft.edit(state, after)
    if edited or _is_old(bench, host, address):
        draft.actions.append(recreate(bench, host))
    elif changed:
        draft.actions.append(restart(bench, host, [host.tengine]))


def _is_old(bench: Workbench, host: Host, address: str) -> bool:
    """Whether tengine was made with another address."""
    seen = bench.gathered.path.token_service
    return any(name == host.name and entry.address != address for name, entry in (seen.entries if seen else ()))


def _verify(bench: Workbench, address: str, port: int) -> None:
    """Nothing is set to an address that does not answer for this domain (tengine's own health check)."""
    domain = bench.environment.domain
    answer = bench.get(f"http://{address}:{port}/registryproxy/v2", ("X-Cargo", domain))
    status = answer.data.get("status", 0)
    if status != 200:
        seen = tell(f"answered {status}", f"返回 {status}") if status else say(answer.complaint)
        raise NoRemedy(
            tell(
                f"{address}:{port} is no token service for {domain}, so nothing is pointed there",
                f"{address}:{port} 不是 {domain} 的 Token Service，因此不指向它",
            ),
            vantage="operator",
            seen=seen,
            next_step=tell(
                "Is cargo-token up, and is this domain registered in Cargo-Admin of this cluster? "
                "kubectl get svc | grep cargo-token tells the NodePort; token_service in the inventory says what is taken.",
                "cargo-token 是否在运行？该域名是否已在本集群的 Cargo-Admin 中登记？"
                "执行 kubectl get svc | grep cargo-token 可查看 NodePort；"
                "使用的地址由环境清单中的 token_service 决定。",
            ),
            section=SECTION,
        )
    _verify_key(bench, address, port)


def _verify_key(bench: Workbench, address: str, port: int) -> None:
    """A token service that knows the domain may still sign with a key that this Cargo's registry does not trust."""
    environment = bench.environment
    trusted = {key for each in bench.gathered.path.settings for key in each.key_ids}
    url = (
        f"http://{environment.domain}:{port}/service/token?scope=repository:{environment.image.partition(':')[0]}:pull"
    )
    answer = bench.ask(HttpRequest(url=url, connect_to=address, deadline=SECONDS))
    token = read_token(answer)
    if token is not None and token.key_id and trusted and token.key_id not in trusted:
        raise NoRemedy(
            tell(
                f"{address}:{port} signs with a key that the registry of {environment.name} does not trust, so nothing is "
                "pointed there",
                f"{address}:{port} 的签名密钥不受 {environment.name} 的 registry 信任，因此不指向它",
            ),
            vantage="operator",
            seen=tell(
                f"kid {token.key_id}; root.crt has {', '.join(sorted(trusted))}",
                f"kid {token.key_id}；root.crt 中有 {', '.join(sorted(trusted))}",
            ),
            next_step=tell(
                "Is this the token service of this cluster? token_service in the inventory says what is taken.",
                "这是本集群的 Token Service 吗？使用的地址由环境清单中的 token_service 决定。",
            ),
            section=SECTION,
        )


def recreate(bench: Workbench, host: Host) -> RunCommand:
    """Makes tengine anew as compose made it: extra_hosts is written when a container is made.

    Raises:
        NoRemedy: compose did not make it, so that nobody knows how.
    """
    labels = bench.labels(host, host.tengine)
    service = labels.get("com.docker.compose.service", "")
    files = compose_files(bench, host, host.tengine)
    if not service or not files:
        raise NoRemedy(
            tell(
                f"compose's labels do not stand on {host.tengine}, so it can't be made anew from here",
                f"{host.tengine} 没有 compose 的标签，因此无法在这里重建",
            ),
            vantage=f"cargo host {host.name}",
            next_step=tell(f"Run {host.root}/restart.sh there.", f"请在该主机上执行 {host.root}/restart.sh。"),
            section=SECTION,
        )
    named = [word for file in files for word in ("-f", file)]
    project = labels.get("com.docker.compose.project", "")
    version_1 = labels.get("com.docker.compose.version", "1").startswith("1.")
    return RunCommand(
        vantage=bench.on(host),
        argv=(
            *(("docker-compose",) if version_1 else ("docker", "compose")),
            *(("-p", project) if project else ()),
            *named,
            "up",
            "-d",
            "--no-deps",
            "--force-recreate",
            service,
        ),
        effect=Effect.RECREATE,
        target=host.tengine,
        downtime=Text("some seconds without logins, pulls and pushes", "若干秒内无法登录、拉取和推送"),
        containers=bench.containers(host, host.tengine),
    )

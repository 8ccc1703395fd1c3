"""Section 使用错误的域名访问: who sends clients to the wrong place, where it is not what stands in config.yml?"""

from __future__ import annotations

from collections.abc import Iterator

from cargo_runbook.facts.challenge import Realm, read_realm
from cargo_runbook.facts.installation import HostInstallation, InstallationFacts
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.texts import Text

NOT_RESTARTED, CORE, FRONT = "CRG204", "CRG205", "CRG206"
REGISTRIES = ("harbor-registry", "registry")
CONFIG = "config/registry/config.yml"


def judge_challenge_source(path: PathFacts, facts: InstallationFacts) -> Iterator[Finding]:
    """CRG204, CRG205 and CRG206."""
    realm = path.challenge.realm if path.challenge else None
    if realm is None:
        for code in (NOT_RESTARTED, CORE, FRONT):
            yield _skipped(code, Text("no challenge was seen", "没有看到质询"))
        return
    right = (path.domain.lower().rstrip("."), path.port)
    if (realm.host, realm.port) == right:
        said = Text("the challenge names the domain in use", "质询中就是正在使用的域名")
        yield from (_ok(code, said) for code in (NOT_RESTARTED, CORE, FRONT))
        return
    core = facts.is_harbor_2
    fixed = [host for host in facts.hosts if _place(host.realm.value if host.realm else "") == right]
    late = [host for host in fixed if _edited_later(host)]
    yield _core(path, facts, realm) if core else _ok(CORE, _NOT_CORE)
    yield _not_restarted(late[0], realm) if late and not core else _ok(NOT_RESTARTED, _STARTED)
    direct = facts.direct
    past = direct is not None and (direct.host, direct.port) == right
    yield _front(facts, realm) if past and not core else _ok(FRONT, _NOT_FRONT)


_NOT_CORE = Text(
    "this is no Harbor 2.x: the registry writes its challenge itself", "不是 Harbor 2.x：质询由 registry 发出"
)
_STARTED = Text("the registry runs with what config.yml says", "registry 使用的就是 config.yml 的内容")
_NOT_FRONT = Text("the registry itself names that realm", "registry 自己就给出该 realm")


def _place(realm: str) -> tuple[str, int] | None:
    read = read_realm(realm)
    return (read.host, read.port) if read else None


def _edited_later(host: HostInstallation) -> bool:
    made = host.made(*REGISTRIES)
    return made is not None and 0 < made.started < host.modified.get(CONFIG, 0.0)


def _core(path: PathFacts, facts: InstallationFacts, realm: Realm) -> Finding:
    summary = Text(
        f"Harbor core ({facts.version or '2.x'}) sends clients to {realm.authority}: its external_url is not "
        f"{path.authority}",
        f"Harbor core（{facts.version or '2.x'}）让客户端去 {realm.authority}：它的 external_url 不是 {path.authority}",
    )
    links = [
        Link(
            facts.version_evidence or facts.hosts[0].config_evidence,
            Text("this is Harbor 2.x", "这是 Harbor 2.x"),
            Text(
                "its core writes the challenge, and a realm in config.yml is dead",
                "质询由 core 发出，config.yml 中的 realm 无效",
            ),
        )
    ]
    links += [
        Link(
            host.config_evidence,
            Text("config.yml has auth.htpasswd", "config.yml 是 auth.htpasswd"),
            Text("the registry sends nobody anywhere", "registry 不会指引客户端"),
        )
        for host in facts.hosts
        if host.auth == "htpasswd"
    ]
    return finding(CORE, Verdict.FAULT, "operator", summary, *links)


def _not_restarted(host: HostInstallation, realm: Realm) -> Finding:
    line = host.realm.line if host.realm else 0
    summary = Text(
        f"config.yml on {host.host} is right (line {line}), and the registry still runs with the old one",
        f"{host.host} 的 config.yml 已经正确（第 {line} 行），但 registry 仍在使用旧配置",
    )
    links = (
        Link(
            host.config_evidence,
            Text(f"line {line} of {CONFIG} names the domain in use", f"{CONFIG} 第 {line} 行就是正在使用的域名"),
            Text(
                f"a registry that reads it would not say {realm.authority}",
                f"读取它的 registry 不会给出 {realm.authority}",
            ),
        ),
        Link(
            host.stat_evidence,
            Text("the file was changed after the container's start", "文件在容器启动之后才被修改"),
            Text("the registry reads it at its start only", "registry 只在启动时读取"),
        ),
        Link(
            host.containers_evidence,
            Text("the container was started before that", "容器在此之前启动"),
            Text("a restart of the registry is what is missing", "缺少的是重启 registry"),
        ),
    )
    return finding(NOT_RESTARTED, Verdict.FAULT, f"cargo host {host.host}", summary, *links)


def _front(facts: InstallationFacts, realm: Realm) -> Finding:
    summary = Text(
        f"the registry names the right realm; what stands in front of it puts {realm.authority} there",
        f"registry 给出的 realm 正确，是它前面的代理改成了 {realm.authority}",
    )
    direct = facts.direct.authority if facts.direct else ""
    link = Link(
        facts.direct_evidence,
        Text(
            f"asked from tengine, the registry itself answers with realm {direct}",
            f"从 tengine 直接询问，registry 给出 {direct}",
        ),
        Text(
            "nginx.conf, or a proxy before Cargo, writes another WWW-Authenticate",
            "nginx.conf 或 Cargo 之前的代理改写了 WWW-Authenticate",
        ),
    )
    return finding(FRONT, Verdict.FAULT, "container tengine", summary, link)


def _skipped(code: str, summary: Text) -> Finding:
    return finding(code, Verdict.SKIPPED, "operator", summary)


def _ok(code: str, summary: Text, *links: Link) -> Finding:
    return finding(code, Verdict.OK, "operator", summary, *links)

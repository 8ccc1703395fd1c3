"""Section 使用错误的域名访问: who sends clients where, and the three methods with this environment's values in them."""

from __future__ import annotations

from collections.abc import Iterator

from cargo_runbook.facts.challenge import read_realm
from cargo_runbook.facts.installation import HostInstallation, InstallationFacts, Place
from cargo_runbook.findings import Verdict
from cargo_runbook.steps.step import Gathered, Step
from cargo_runbook.tables import Cell, Table
from cargo_runbook.texts import Text

CONCERN = "installation"
_HOST = Text("host", "主机")
_FOLDERS = {"registry": "config/registry/config.yml", "nginx": "config/nginx/nginx.conf"}


def seen_of(gathered: Gathered) -> InstallationFacts:
    """What was found on the hosts; nothing in a replay that is older than the question."""
    found: InstallationFacts | None = gathered.concerns.get(CONCERN)
    return found or InstallationFacts()


def written(place: Place) -> Text:
    """A place in a file, as people say it."""
    return Text(f"{place.file}, line {place.line}", f"{place.file} 第 {place.line} 行")


def emitter(gathered: Gathered) -> tuple[Table, ...]:
    """The clues that say who writes the challenge."""
    seen, path = seen_of(gathered), gathered.path
    rows: list[tuple[Cell, ...]] = []
    version = seen.version or "?"
    says = _CORE if seen.is_harbor_2 else _REGISTRY if seen.version else _UNTOLD
    rows.append((Cell(Text("Harbor's version (systeminfo)", "Harbor 版本（systeminfo）")),
                 Cell(version, evidence=seen.version_evidence), Cell(says)))  # fmt: skip
    for settings in path.settings:
        names = {c.name for c in settings.containers}
        core = "harbor-core" in names
        parts = ", ".join(sorted(n for n in names if n in _TELLING)) or "-"
        told = _LATER if core else _REGISTRY if "harbor-ui" in names else _UNTOLD
        rows.append((Cell(Text(f"containers on {settings.host}", f"{settings.host} 的容器")),
                     Cell(parts, evidence=settings.containers_evidence), Cell(told)))  # fmt: skip
    for host in seen.hosts:
        kind = f"auth.{host.auth}" if host.auth else "?"
        told = {"token": _REGISTRY, "htpasswd": _CORE}.get(host.auth, _UNTOLD)
        rows.append((Cell(Text(f"config.yml on {host.host}", f"{host.host} 的 config.yml")),
                     Cell(kind, evidence=host.config_evidence), Cell(told)))  # fmt: skip
    if seen.direct is not None:
        same = path.challenge is not None and path.challenge.realm == seen.direct
        rows.append((Cell(Text("the registry, asked past the front", "绕过前端直接询问 registry")),
                     Cell(seen.direct.text, evidence=seen.direct_evidence), Cell(_REGISTRY if same else _FRONT)))  # fmt: skip
    columns = (Text("clue", "线索"), Text("seen", "所见"), Text("so the challenge is written by", "因此质询的来源是"))
    note = Text(
        "Up to Harbor 1.10 the registry writes it, from `realm` in its config.yml. From 2.0 on Harbor core does, and that "
        "`realm` is dead.",
        "Harbor 1.10 及以前由 registry 按其 config.yml 的 `realm` 发出；2.0 起由 Harbor core 发出，该 `realm` 不再起作用。",
    )
    return (Table(Text("Who writes the challenge?", "质询由谁发出？"), columns, tuple(rows), note),)


_TELLING = ("harbor-ui", "harbor-core", "harbor-portal", "harbor-adminserver", "registry", "harbor-registry", "tengine")
_REGISTRY = Text("the registry", "registry")
_CORE = Text("Harbor core (2.x)", "Harbor core（2.x）")
_LATER = Text("the registry (1.7 to 1.10) or core (2.x)", "registry（1.7 至 1.10）或 core（2.x）")
_FRONT = Text("something in front of the registry", "registry 前面的代理")
_UNTOLD = Text("can't be told from this", "由此无法判断")


def domains(gathered: Gathered) -> tuple[Table, ...]:
    """Every place that names the domain, compared with the one in use."""
    seen, path = seen_of(gathered), gathered.path
    wanted = path.domain.lower()
    rows = [
        (
            Cell(Text("in use (inventory)", "正在使用（清单）")),
            Cell("-"),
            Cell(path.authority, Verdict.OK),
        )
    ]
    realm = path.challenge.realm if path.challenge else None
    if path.challenge is not None:
        rows.append(
            (
                Cell(Text("what clients are told (challenge)", "客户端得到的 realm（质询）")),
                Cell("-"),
                _compared(realm.text if realm else "-", realm.host if realm else "", wanted, path.challenge.evidence),
            )
        )
    for host in seen.hosts:
        rows += [(Cell(label), Cell(written(place)), cell) for label, place, cell in _places(host, wanted)]
    if path.handshake is not None and path.handshake.names:
        names = path.handshake.names
        covered = Verdict.OK if covers(names, wanted) else Verdict.FAULT
        rows.append(
            (
                Cell(Text("names in the certificate", "证书包含的域名")),
                Cell("-"),
                Cell(", ".join(names), covered, evidence=path.handshake.evidence),
            )
        )
    columns = (Text("where", "位置"), Text("file and line", "文件与行号"), Text("domain", "域名"))
    return (Table(Text("Which domain stands where?", "各处写的是哪个域名？"), columns, tuple(rows)),)


def _places(host: HostInstallation, wanted: str) -> Iterator[tuple[Text, Place, Cell]]:
    if host.realm is not None and host.auth == "token":
        realm = read_realm(host.realm.value)
        cell = _compared(host.realm.value, realm.host if realm else "", wanted, host.config_evidence)
        yield Text(f"realm on {host.host}", f"{host.host} 的 realm"), host.realm, cell
    for check in host.checks:
        cell = _compared(check.value, check.value, wanted, host.nginx_evidence)
        yield Text(f"health check on {host.host}", f"{host.host} 的健康检查"), check, cell
    for setting in host.settings:
        if setting.name == "cargo_domain":
            cell = _compared(setting.value, setting.value.lower(), wanted, host.files_evidence)
            yield Text(f"deployed for, on {host.host}", f"{host.host} 部署时使用的域名"), setting, cell


def _compared(text: str, host: str, wanted: str, evidence: str) -> Cell:
    return Cell(text, Verdict.OK if host == wanted else Verdict.FAULT, evidence=evidence)


def covers(names: tuple[str, ...], domain: str) -> bool:
    """Whether a certificate for `names` is good for `domain` (RFC 6125: `*` stands for one label)."""
    parent = domain.partition(".")[2]
    return any(name.lower() == domain or name.lower() == f"*.{parent}" for name in names)


def methods(gathered: Gathered) -> tuple[Table, ...]:
    """The guide's three methods for this environment."""
    seen, path = seen_of(gathered), gathered.path
    realm = path.challenge.realm if path.challenge else None
    names = path.handshake.names if path.handshake else ()
    other = realm.host if realm is not None and realm.host != path.domain.lower() else ""
    rows = (
        (
            Cell(Text("1 · use the right domain", "【方法一】使用正确的域名")),
            Cell(_first(other)),
            Cell(_first_note(other, names)),
        ),
        (Cell(Text("2 · deploy again", "【方法二】重新部署")), Cell(_second(seen, path.domain)), Cell(_SECOND_NOTE)),
        (
            Cell(Text("3 · edit two lines", "【方法三】修改两处配置")),
            Cell(_third(seen, path.domain)),
            Cell(_third_note(seen)),
        ),
    )
    columns = (Text("method", "方法"), Text("here it means", "在此环境中"), Text("good to know", "注意"))
    note = None
    if not other:
        note = Text(
            "Nothing is to be done here: the challenge names the domain in use.",
            "此处无需修改：质询中就是正在使用的域名。",
        )
    elif seen.direct is not None and seen.direct.host == path.domain.lower():
        note = Text(
            "None of them helps here: the registry names the right domain already, and something in front of it (nginx.conf, "
            "a proxy before Cargo) writes another WWW-Authenticate.",
            "三种方法在此都无效：registry 给出的域名已经正确，是它前面的代理（nginx.conf 或 Cargo 之前的代理）改写了 WWW-Authenticate。",
        )
    return (Table(Text("The three methods", "三种方法"), columns, rows, note),)


def _first(other: str) -> Text:
    if not other:
        return Text("clients use the right domain already", "客户端使用的就是正确的域名")
    return Text(f"docker login {other}", f"docker login {other}")


def _first_note(other: str, names: tuple[str, ...]) -> Text:
    if not other:
        return Text("-", "-")
    if covers(names, other):
        return Text(
            f"the certificate is good for {other}; its name must resolve to this Cargo where clients are",
            f"证书包含 {other}；客户端处需要能把它解析到该 Cargo",
        )
    return Text(
        f"not without a new certificate: it names {', '.join(names) or 'nothing that was seen'}, not {other}",
        f"需要新证书：现有证书只包含 {'、'.join(names) or '（未看到）'}，不含 {other}",
    )


def _second(seen: InstallationFacts, domain: str) -> Text:
    places = [(host, p) for host in seen.hosts for p in host.settings if p.name == "cargo_domain"]
    if not places:
        return Text(
            f"set cargo_domain: {domain} in the deployment's settings", f"在部署配置中设置 cargo_domain: {domain}"
        )
    host, place = places[0]
    where = f"{host.root}/{place.file}"
    if place.value.lower() == domain.lower():
        return Text(
            f"line {place.line} of {where} has cargo_domain: {domain} already; deploy with it",
            f"{where} 第 {place.line} 行已是 cargo_domain: {domain}，按它重新部署",
        )
    return Text(
        f"line {place.line} of {where}: cargo_domain: {domain} (now {place.value}), then deploy",
        f"{where} 第 {place.line} 行改为 cargo_domain: {domain}（现为 {place.value}），然后重新部署",
    )


_SECOND_NOTE = Text(
    "makes the certificate anew as well; clients wait for that long", "证书也会重新生成；期间客户端无法使用"
)


def _third(seen: InstallationFacts, domain: str) -> Text:
    if seen.is_harbor_2:
        return Text(
            f"does nothing in Harbor 2.x. Instead: hostname (or external_url) {domain} in harbor.yml, ./prepare, then "
            "docker-compose down and up -d",
            f"在 Harbor 2.x 中无效。应在 harbor.yml 中把 hostname（或 external_url）改为 {domain}，运行 ./prepare，"
            "再 docker-compose down、up -d",
        )
    parts_en, parts_zh = [], []
    for host in seen.hosts:
        wanted = {"realm": f"https://{domain}/service/token", "X-Cargo": domain}
        for place in (*((host.realm,) if host.realm else ()), *host.checks):
            where, value = f"{host.root}/{place.file}", wanted[place.name]
            right = place.value.lower() == value.lower()
            parts_en.append(
                f"{host.host}: line {place.line} of {where} "
                + (f"has {place.name}: {value} already" if right else f"becomes {place.name}: {value}")
            )
            parts_zh.append(
                f"{host.host}：{where} 第 {place.line} 行"
                + (f"已是 {place.name}: {value}" if right else f"改为 {place.name}: {value}")
            )
        restart = f"cd {host.root} && ./restart.sh"
        parts_en.append(f"then {restart}")
        parts_zh.append(f"然后 {restart}")
    if not parts_en:
        return Text("the files could not be read", "未能读取配置文件")
    return Text("; ".join(parts_en), "；".join(parts_zh))


def _third_note(seen: InstallationFacts) -> Text:
    scripts = {name for host in seen.hosts for name in host.scripts}
    if not seen.hosts or seen.is_harbor_2:
        return Text("-", "-")
    change = "change-domain.sh" in scripts
    restart = "restart.sh" in scripts
    return Text(
        f"change-domain.sh is {'there: read it before you run it' if change else 'not there: edit by hand'}; "
        f"restart.sh is {'there' if restart else 'NOT there'}; both lines change together; in nginx.conf \\r\\n stays four "
        "characters",
        f"{'有' if change else '没有'} change-domain.sh{'，运行前先阅读' if change else '，需手工修改'}；"
        f"{'有' if restart else '没有'} restart.sh；两处要一起修改；nginx.conf 中的 \\r\\n 是四个字符，不能变成换行",
    )


STEPS = (
    Step(
        "emitter",
        Text("Who writes the challenge?", "质询由谁发出？"),
        needs=("challenge", CONCERN),
        codes=("CRG202", "CRG205", "CRG206"),
        tables=emitter,
    ),
    Step(
        "domains",
        Text("Which domain stands where?", "各处写的是哪个域名？"),
        needs=("challenge", "login", CONCERN),
        codes=("CRG201", "CRG203", "CRG204"),
        tables=domains,
    ),
    Step(
        "methods",
        Text("What do the guide's three methods mean here?", "指南的三种方法在此环境中具体怎么做？"),
        needs=("challenge", CONCERN),
        tables=methods,
    ),
)

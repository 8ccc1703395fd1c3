"""Section Token Service 配置错误: which one answers, where tengine looks for it, and what the files say."""

from __future__ import annotations

from cargo_runbook.facts.hosts_file import is_loopback
from cargo_runbook.facts.installation import TOKEN_KEYS, HostInstallation
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.token_service import Issuer, TokenServiceFacts
from cargo_runbook.findings import Verdict
from cargo_runbook.rules.token_setting import SAMPLE
from cargo_runbook.steps.step import Gathered, Step
from cargo_runbook.steps.wrong_domain import CONCERN, seen_of, written
from cargo_runbook.tables import Cell, Table
from cargo_runbook.texts import Text

_WHO = {
    Issuer.BUILT_IN: Text("Harbor's built-in one", "Harbor 内置的 token service"),
    Issuer.CARGO_TOKEN: Text("cargo-token", "cargo-token"),
    Issuer.BROKEN: Text("nobody: a server error", "无：服务器错误"),
    Issuer.UNTOLD: Text("could not be told", "无法判断"),
}
_WELL = {Issuer.BUILT_IN: Verdict.FAULT, Issuer.CARGO_TOKEN: Verdict.OK}


def answering(gathered: Gathered) -> tuple[Table, ...]:
    """Who answers at the domain's token endpoint, and what its token says."""
    path = gathered.path
    rows: list[tuple[Cell, ...]] = []
    if path.token_service is not None:
        issuer = path.token_service.issuer
        verdict = _WELL.get(issuer, Verdict.UNKNOWN) if path.has_token_service else None
        rows.append((Cell(Text("who answers", "谁在应答")), Cell(_WHO[issuer], verdict, evidence=path.token_service.evidence),
                     Cell(Text("asked for a service name that nobody knows", "用不存在的服务名询问"))))  # fmt: skip
    token = path.token or next((login.token for login in path.logins if login.token), None)
    if token is not None:
        trusted = {key for settings in path.settings for key in settings.key_ids}
        bad = token.key_id == SAMPLE or bool(trusted and token.key_id not in trusted)
        lifetime = token.expires - token.issued if token.expires and token.issued else 0.0
        auth = next((s.auth for s in path.settings if s.auth), None)
        rows += [
            (Cell(Text("signing key (kid)", "签名密钥（kid）")),
             Cell(token.key_id or "-", Verdict.FAULT if bad else Verdict.OK, evidence=token.evidence),
             Cell(Text(f"root.crt: {', '.join(sorted(trusted)) or '-'}", f"root.crt：{', '.join(sorted(trusted)) or '-'}"))),
            (Cell(Text("issuer (iss)", "签发者（iss）")),
             _equal(token.issuer, auth.issuer if auth else ""), Cell(f"config.yml: {auth.issuer if auth else '-'}")),
            (Cell(Text("audience (aud)", "受众（aud）")),
             _equal(", ".join(token.audience), auth.service if auth else ""), Cell(f"config.yml: {auth.service if auth else '-'}")),
            (Cell(Text("subject (sub)", "主体（sub）")), Cell(token.subject or Text("nobody", "匿名")), Cell("-")),
            (Cell(Text("lifetime (exp - iat)", "有效期（exp - iat）")), Cell(_minutes(lifetime)),
             Cell(Text("token_expiration counts minutes", "token_expiration 以分钟计"))),
        ]  # fmt: skip
    columns = (Text("what", "项目"), Text("seen", "所见"), Text("compare", "对照"))
    return (Table(Text("Which token service answers?", "由哪个 token service 应答？"), columns, tuple(rows)),)


def _equal(seen: str, wanted: str) -> Cell:
    return Cell(seen or "-", None if not wanted else Verdict.OK if seen == wanted else Verdict.FAULT)


def _minutes(seconds: float) -> Text:
    if not seconds:
        return Text("-", "-")
    return Text(f"{seconds / 60:.0f} min", f"{seconds / 60:.0f} 分钟")


def addresses(gathered: Gathered) -> tuple[Table, ...]:
    """The address of the token service in each place that names one, and who answers there."""
    path, seen = gathered.path, seen_of(gathered)
    service = gathered.environment.token_service
    answers = path.token_service
    rows: list[tuple[Cell, ...]] = []
    for name, entry in answers.entries if answers else ():
        evidence = dict(zip((n for n, _ in answers.entries), answers.entries_evidence, strict=False)) if answers else {}
        rows.append(
            (
                Cell(Text(f"tengine on {name} (in effect)", f"{name} 的 tengine（生效中）")),
                Cell(Text(f"/etc/hosts, line {entry.line}", f"/etc/hosts 第 {entry.line} 行")),
                Cell(f"{entry.address} {' '.join(entry.names)}", evidence=evidence.get(name, "")),
                _answer(path, answers, name, entry.address),
            )
        )
    for host in seen.hosts:
        rows += _written(path, host)
    if service is not None:
        health = answers.health if answers else 0
        rows.append(
            (
                Cell(Text("where it should be (inventory)", "应在何处（清单）")),
                Cell("-"),
                Cell(f"{service.address}:{service.port}"),
                _status(health, answers.health_evidence if answers else ""),
            )
        )
    if seen.node_port:
        right = service is not None and service.port == seen.node_port
        rows.append(
            (
                Cell(Text("Service cargo-token (cluster)", "Service cargo-token（集群）")),
                Cell("NodePort"),
                Cell(str(seen.node_port), Verdict.OK if right else Verdict.FAULT, evidence=seen.node_port_evidence),
                Cell("-"),
            )
        )
    columns = (
        Text("where", "位置"),
        Text("file and line", "文件与行号"),
        Text("address", "地址"),
        Text("answer", "应答"),
    )
    note = Text(
        "Only tengine's own hosts file is in effect. The compose file decides at the next restart.sh, the env file at the "
        "next deployment. The name is cargo-admin, in older Cargo cargo-admin with a domain.",
        "生效的只有 tengine 自己的 hosts 文件；compose 文件在下次 restart.sh 时生效，env 文件在下次部署时生效。"
        "名称是 cargo-admin，老版 Cargo 是带域名的 cargo-admin。",
    )
    return (Table(Text("Where does Cargo look for it?", "Cargo 到哪里找 token service？"), columns, tuple(rows), note),)


def _written(path: PathFacts, host: HostInstallation) -> list[tuple[Cell, ...]]:
    answers = path.token_service
    used = {e.address for name, e in (answers.entries if answers else ()) if name == host.host}
    rows: list[tuple[Cell, ...]] = []
    for place in host.compose:
        differs = bool(used) and place.value not in used
        hint = Text("not what tengine was made with", "与创建 tengine 时不同") if differs else ""
        rows.append((Cell(Text(f"compose file on {host.host}", f"{host.host} 的 compose 文件")), Cell(written(place)),
                     Cell(f"{place.value} {place.name}", Verdict.UNKNOWN if differs else None, hint, host.files_evidence),
                     _offered(path, host, place.value)))  # fmt: skip
    for setting in host.settings:
        if setting.name in TOKEN_KEYS:
            differs = bool(used) and setting.value not in used
            hint = Text("not what tengine has", "与 tengine 不同") if differs else ""
            rows.append((Cell(Text(f"{setting.name} on {host.host}", f"{host.host} 的 {setting.name}")), Cell(written(setting)),
                         Cell(setting.value, Verdict.UNKNOWN if differs else None, hint, host.files_evidence), Cell("-")))  # fmt: skip
    for upstream in host.upstreams:
        kind = Text("fallback", "后备") if upstream.backup else Text("asked first", "首选")
        rows.append((Cell(Text(f"upstream on {host.host}", f"{host.host} 的 upstream")),
                     Cell(Text(f"config/nginx/nginx.conf, line {upstream.line}", f"config/nginx/nginx.conf 第 {upstream.line} 行")),
                     Cell(f"{upstream.host}:{upstream.port}", evidence=host.nginx_evidence), Cell(kind)))  # fmt: skip
    return rows


def _offered(path: PathFacts, host: HostInstallation, address: str) -> Cell:
    if address in host.offered:
        return _status(*host.offered[address])
    return _answer(path, path.token_service, host.host, address)


def _answer(path: PathFacts, seen: TokenServiceFacts | None, host: str, address: str) -> Cell:
    if is_loopback(address):
        return Cell(Text("leads back to tengine itself", "指向 tengine 自己"), Verdict.FAULT)
    found = seen.answers.get((host, address)) if seen else None
    return _status(*found) if found else Cell("-")


def _status(status: int, evidence: str) -> Cell:
    if not evidence or status < 0:
        return Cell("-")
    said = {
        200: Text("200: knows this domain", "200：认识该域名"),
        400: Text("400: does not know this domain", "400：不认识该域名"),
        0: Text("no answer", "无应答"),
    }.get(status, Text(str(status), str(status)))
    return Cell(said, Verdict.OK if status == 200 else Verdict.FAULT, evidence=evidence)


def health(gathered: Gathered) -> tuple[Table, ...]:
    """tengine's health check: what it asks for on each host."""
    wanted = gathered.path.domain.lower()
    rows = tuple(
        (
            Cell(host.host),
            Cell(written(check)),
            Cell(check.value, Verdict.OK if check.value == wanted else Verdict.FAULT, evidence=host.nginx_evidence),
        )
        for host in seen_of(gathered).hosts
        for check in host.checks
    )
    columns = (Text("host", "主机"), Text("file and line", "文件与行号"), Text("asks for", "检查的域名"))
    return (
        Table(Text("What does tengine's health check ask for?", "tengine 的健康检查使用哪个域名？"), columns, rows),
    )


def accounts(gathered: Gathered) -> tuple[Table, ...]:
    """Who gets in: the difference between admin and platform users is the symptom of this section."""
    rows = tuple(
        (
            Cell(login.username or Text("anonymous", "匿名")),
            Cell(login.kind),
            Cell(str(login.status or login.reason or "-"), Verdict.OK if login.status == 200 else Verdict.FAULT, evidence=login.evidence),
        )
        for login in gathered.path.logins
    )  # fmt: skip
    columns = (Text("account", "账号"), Text("kind", "类型"), Text("answer", "应答"))
    return (Table(Text("Who gets in?", "谁能登录？"), columns, rows),)


def change(gathered: Gathered) -> tuple[Table, ...]:
    """What would be edited, and which script is there for it."""
    service = gathered.environment.token_service
    wanted = service.address if service else "VIP"
    rows: list[tuple[Cell, ...]] = []
    for host in seen_of(gathered).hosts:
        script = next((s for s in host.scripts if s.startswith("change-token-serv")), "")
        for place in host.compose:
            done = place.value == wanted
            said = (
                Text("names it already", "已是该地址")
                if done
                else Text(
                    f'becomes "{place.name}:{wanted}" (now {place.value})',
                    f'改为 "{place.name}:{wanted}"（现为 {place.value}）',
                )
            )
            rows.append((Cell(Text(f"{host.host}: {host.root}/{place.file}, line {place.line}",
                                   f"{host.host}：{host.root}/{place.file} 第 {place.line} 行")), Cell(said)))  # fmt: skip
        rows.append((Cell(Text(f"{host.host}: script", f"{host.host}：脚本")),
                     Cell(Text(f"{script}: read it before you run it", f"{script}：运行前先阅读") if script
                          else Text("neither change-token-servce.sh nor change-token-service.sh is there: edit by hand",
                                    "没有 change-token-servce.sh 或 change-token-service.sh，需手工修改"))))  # fmt: skip
        rows.append((Cell(Text(f"{host.host}: then", f"{host.host}：然后")),
                     Cell(f"cd {host.root} && ./restart.sh" if "restart.sh" in host.scripts
                          else "docker-compose up -d (restart.sh: -)")))  # fmt: skip
    columns = (Text("where", "位置"), Text("what", "内容"))
    note = Text(
        "A mere docker restart is not enough: extra_hosts is written when the container is made. After it, tengine takes "
        "`rise` x `interval` of its check to see the token service.",
        "仅 docker restart 不够：extra_hosts 在创建容器时写入。"
        "之后 tengine 要经过 `rise` x `interval` 的检查时间才认为 token service 可用。",
    )
    return (Table(Text("How is it changed here?", "在此环境中如何修改？"), columns, tuple(rows), note),)


STEPS = (
    Step("answering", Text("Which token service answers?", "由哪个 token service 应答？"), needs=("token", CONCERN),
         codes=("CRG301", "CRG304", "CRG305", "CRG306", "CRG309"), tables=answering),
    Step("addresses", Text("Where does Cargo look for it, and do all places agree?", "Cargo 到哪里找它？各处是否一致？"),
         needs=("login", CONCERN), codes=("CRG302", "CRG303", "CRG307", "CRG308", "CRG310"), tables=addresses),
    Step("health", Text("Does tengine's health check ask for the right domain?", "tengine 的健康检查使用的域名是否正确？"),
         needs=("login", CONCERN), codes=("CRG203",), tables=health),
    Step("accounts", Text("Who gets in: admin only, or platform users as well?", "只有 admin 能登录，还是平台用户也可以？"),
         needs=("login",), codes=("CRG501",), tables=accounts),
    Step("change", Text("How is the setting changed here?", "在此环境中如何修改该配置？"), needs=(CONCERN,), tables=change),
)  # fmt: skip

"""The remedies: what each does, whether it lasts, how it is undone. docs/fixes.md is made from this."""

from __future__ import annotations

from collections.abc import Mapping

from cargo_runbook.remedies.builders.cluster import coredns_hosts, kube_dns_myhosts
from cargo_runbook.remedies.builders.containers import start_containers
from cargo_runbook.remedies.builders.domain import change_domain, restart_cargo
from cargo_runbook.remedies.builders.names import hosts_entry_operator
from cargo_runbook.remedies.builders.permission import create_project, grant_role, log_in
from cargo_runbook.remedies.builders.replication import jobservice_hosts, replicate_again, target_endpoint
from cargo_runbook.remedies.builders.token_service import recreate_tengine, set_token_service, trusted_key
from cargo_runbook.remedies.builders.trust import docker_ca
from cargo_runbook.remedies.by_hand import BY_HAND
from cargo_runbook.remedies.remedy import Remedy
from cargo_runbook.texts import Text

_BACKUP = Text("the backups are written back, then restart once more", "写回备份，然后再次重启")
_BACKUP_ONLY = Text("the backups are written back", "写回备份")
_LASTS = Text("restart, recreate, reboot", "重启、重建、主机重启")

_TABLE = (
    Remedy(
        "hosts-entry-operator",
        Text("An entry in /etc/hosts", "在 /etc/hosts 中添加解析"),
        Text("On the operator, and on Cargo hosts that do not resolve it either: the domain at the address of the "
             "inventory; lines with another address lose the name.",
             "在操作机以及同样无法解析的 Cargo 主机上，把域名指向清单中的地址；其他地址的条目会去掉该域名。"),
        Text("edit", "修改文件"),
        Text("reboot; on that machine only", "主机重启；仅该机器有效"),
        Text("the backup is written back", "写回备份"),
        hosts_entry_operator,
    ),
    Remedy(
        "change-domain",
        Text("The domain in use in config.yml and nginx.conf", "把正在使用的域名写入 config.yml 和 nginx.conf"),
        Text("`realm` of the registry and X-Cargo of tengine's health check, as the host's `change-domain.sh` makes them of a "
             "copy where it is there and does that, else by our own edit; then the registry and tengine restart.",
             "修改 registry 的 realm 和 tengine 健康检查的 X-Cargo：主机上有 `change-domain.sh` 且结果正确时采用它在副本上得到的内容，"
             "否则由本工具修改；然后重启 registry 和 tengine。"),
        Text("edit, restart", "修改文件、重启"),
        _LASTS,
        _BACKUP,
        change_domain,
    ),
    Remedy(
        "restart-cargo",
        Text("Registry and tengine start again", "重启 registry 和 tengine"),
        Text("They read their files when they start, and never again.", "它们只在启动时读取配置文件。"),
        Text("restart", "重启"),
        _LASTS,
        Text("none: nothing holds the old setting", "无：旧配置已不存在"),
        restart_cargo,
    ),
    Remedy(
        "set-token-service",
        Text("The token service of this cluster", "指向本集群的 token service"),
        Text("extra_hosts of the compose file, the settings and the upstream name the address of the inventory, which "
             "was asked for this domain first; by `change-token-servce.sh` (or `-service.sh`) as above where it is there, "
             "else by our own edit; tengine is made anew.",
             "compose 文件的 extra_hosts、env 配置和 upstream 改为清单中的地址（先验证它认识该域名）；主机上有 `change-token-servce.sh`"
             "（或 `-service.sh`）时同上采用其结果，否则由本工具修改；然后重建 tengine。"),
        Text("edit, recreate", "修改文件、重建"),
        _LASTS,
        _BACKUP,
        set_token_service,
    ),
    Remedy(
        "recreate-tengine",
        Text("tengine is made anew", "重建 tengine"),
        Text("extra_hosts is written when a container is made; a restart keeps the old entry.",
             "extra_hosts 在创建容器时写入，仅重启不会更新。"),
        Text("recreate", "重建"),
        _LASTS,
        Text("none: nothing holds the old setting", "无：旧配置已不存在"),
        recreate_tengine,
    ),
    Remedy(
        "trusted-key",
        Text("The key that the registry trusts", "registry 信任的密钥"),
        Text("root.crt of a host of this Cargo whose registry takes the tokens, on those whose registry does not; their "
             "registry restarts.",
             "把接受 token 的主机上的 root.crt 写到不接受的主机，然后重启其 registry。"),
        Text("edit, restart", "修改文件、重启"),
        _LASTS,
        _BACKUP,
        trusted_key,
    ),
    Remedy(
        "kube-dns-myhosts",
        Text("The line in kube-dns' myhosts", "在 kube-dns 的 myhosts 中添加条目"),
        Text("Key myhosts of configmap/kube-dns, if something reads it; the version of the object is compared by the API "
             "server, and all other lines and keys stay.",
             "修改 configmap/kube-dns 的 myhosts（前提是确有组件读取它）；由 API server 比对对象版本，其他条目保持不变。"),
        Text("edit", "修改文件"),
        Text("restart, recreate, reboot; unless an addon manager resets the object",
             "重启、重建、主机重启；除非 addon manager 重置该对象"),
        Text("the old value is written back", "写回原来的值"),
        kube_dns_myhosts,
    ),
    Remedy(
        "coredns-hosts",
        Text("The entry in CoreDNS", "在 CoreDNS 中添加条目"),
        Text("configmap/coredns-custom where the Corefile imports it, else `NodeHosts` where its hosts block reads that, else "
             "the hosts block of the Corefile (with fallthrough); the version of the object is compared by the API server, and "
             "all other lines and keys stay.",
             "Corefile 导入 coredns-custom 时写入其中；hosts 块读取 `NodeHosts` 时写入 `NodeHosts`；否则写入 Corefile 的 hosts 块"
             "（带 fallthrough）。由 API server 比对对象版本，其他条目保持不变。"),
        Text("edit", "修改文件"),
        Text("restart, recreate, reboot; unless an addon manager resets the object",
             "重启、重建、主机重启；除非 addon manager 重置该对象"),
        Text("the old value is written back", "写回原来的值"),
        coredns_hosts,
    ),
    Remedy(
        "start-containers",
        Text("Stopped containers start", "启动已停止的容器"),
        Text("docker start, those that others need first.", "docker start，先启动被依赖的容器。"),
        Text("start", "启动容器"),
        _LASTS,
        Text("docker stop", "docker stop"),
        start_containers,
    ),
    Remedy(
        "jobservice-hosts",
        Text("The destination's name where replication runs", "让同步任务能够解析目的域名"),
        Text("/etc/hosts of the Cargo host, that of harbor-jobservice (in place: it is a mount), and extra_hosts in the "
             "compose file, at the address of the inventory; then the jobs are stopped and the replication starts again.",
             "在 Cargo 主机的 /etc/hosts、harbor-jobservice 的 /etc/hosts（原地写入，因为它是挂载文件）以及 compose 文件的 "
             "extra_hosts 中添加清单中的地址；然后停止任务并重新触发同步。"),
        Text("edit, stop jobs, replicate", "修改文件、停止任务、触发同步"),
        Text("reboot, recreate; the line in the container is lost when it restarts before compose makes it anew",
             "主机重启、重建；在 compose 重建容器之前，容器内的条目会在重启后丢失"),
        Text("the backups are written back; jobs that ran are not undone", "写回备份；已执行的同步任务不会撤销"),
        jobservice_hosts,
    ),
    Remedy(
        "target-endpoint",
        Text("The saved endpoint with https://", "目标地址改为 https://"),
        Text("PUT of the target in the source's Harbor, where a registry answers at that address; its user and password "
             "stay; then the replication starts again.",
             "在源 Harbor 中修改目标地址（先验证该地址有仓库应答），用户名和密码不变；然后重新触发同步。"),
        Text("edit, replicate", "修改、触发同步"),
        _LASTS,
        Text("the old endpoint is saved again", "恢复原来的地址"),
        target_endpoint,
    ),
    Remedy(
        "replicate-again",
        Text("The replication starts again", "再次触发同步"),
        Text("Harbor stops what waits, until nothing is tried again; Cargo-Admin starts the replication, until there is a "
             "new job. Refused while a cause stands that has a fix of its own. Redis is never cleared.",
             "Harbor 停止等待中的任务，直到没有任务会重试；由 Cargo-Admin 触发，直到出现新任务。存在可单独修复的原因时拒绝执行。"
             "绝不清空 Redis。"),
        Text("stop jobs, replicate", "停止任务、触发同步"),
        _LASTS,
        Text("none: what was sent stays at the destination", "无：已同步的镜像会保留在目的仓库"),
        replicate_again,
    ),
    Remedy(
        "log-in",
        Text("Docker logs in", "docker 登录"),
        Text("The engineer's docker gets the login of a platform account of the inventory that may do what is needed, as "
             "`docker login` would save it; refused where a credential store keeps the logins.",
             "把清单中具备所需权限的平台账号写入操作机的 docker 配置，效果与 docker login 相同；使用凭据存储时拒绝执行。"),
        Text("edit", "修改文件"),
        _LASTS,
        Text("the backup is written back", "写回备份"),
        log_in,
    ),
    Remedy(
        "create-project",
        Text("The project in Harbor", "在 Harbor 中创建项目"),
        Text("POST as Harbor's administrator, public or private as Cargo-Admin has it.",
             "以 Harbor 管理员身份创建，公开或私有与 Cargo-Admin 一致。"),
        Text("create a project", "创建项目"),
        _LASTS,
        Text("DELETE of the project, which Harbor allows while it is empty", "删除该项目（仅在项目为空时 Harbor 才允许）"),
        create_project,
    ),
    Remedy(
        "grant-role",
        Text("The role in the project's tenant", "在项目所属租户中分配角色"),
        Text("The weakest that gives what is missing (访客 guest pulls, 操作员 user pushes), by the request that the inventory has "
             "for this platform (cargo_admin.roles); without one, a person does it there.",
             "分配能满足需要的最低角色（访客 guest 可拉取，操作员 user 可推送），使用清单中该平台的请求（cargo_admin.roles）；"
             "没有配置时由人工在平台中分配。"),
        Text("grant a role", "分配角色"),
        _LASTS,
        Text("the old role is given again, or none", "恢复原来的角色，或收回"),
        grant_role,
    ),
    Remedy(
        "docker-ca",
        Text("Docker and the inventory trust the CA", "让 docker 和清单信任 CA"),
        Text("The issuer's certificate, read on the Cargo host over SSH and compared with what the front shows, into "
             "/etc/docker/certs.d/DOMAIN/ca.crt of the operator and the CA file of the inventory.",
             "通过 SSH 在 Cargo 主机上读取签发者证书，与前端出示的证书比对后，写入操作机的 /etc/docker/certs.d/域名/ca.crt "
             "和清单的 CA 文件。"),
        Text("edit", "修改文件"),
        Text("restart, recreate, reboot; on that machine only", "重启、重建、主机重启；仅该机器有效"),
        _BACKUP_ONLY,
        docker_ca,
    ),
)  # fmt: skip

REMEDIES: Mapping[str, Remedy] = {remedy.name: remedy for remedy in (*_TABLE, *BY_HAND)}

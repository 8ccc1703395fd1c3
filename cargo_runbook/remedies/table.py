"""The remedies: what each does, whether it lasts, how it is undone. docs/fixes.md is made from this."""

from __future__ import annotations

from collections.abc import Mapping

from cargo_runbook.remedies.builders.cluster import kube_dns_myhosts
from cargo_runbook.remedies.builders.containers import start_containers
from cargo_runbook.remedies.builders.domain import change_domain, restart_cargo
from cargo_runbook.remedies.builders.names import hosts_entry_operator
from cargo_runbook.remedies.builders.token_service import recreate_tengine, set_token_service
from cargo_runbook.remedies.by_hand import BY_HAND
from cargo_runbook.remedies.remedy import Remedy
from cargo_runbook.texts import Text

_BACKUP = Text("the backups are written back, then restart once more", "写回备份，然后再次重启")
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
        Text("`realm` of the registry and X-Cargo of tengine's health check; then the registry and tengine restart.",
             "修改 registry 的 realm 和 tengine 健康检查的 X-Cargo，然后重启 registry 和 tengine。"),
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
             "was asked for this domain first; tengine is made anew.",
             "compose 文件的 extra_hosts、env 配置和 upstream 改为清单中的地址（先验证它认识该域名），然后重建 tengine。"),
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
        "start-containers",
        Text("Stopped containers start", "启动已停止的容器"),
        Text("docker start, those that others need first.", "docker start，先启动被依赖的容器。"),
        Text("start", "启动容器"),
        _LASTS,
        Text("docker stop", "docker stop"),
        start_containers,
    ),
)  # fmt: skip

REMEDIES: Mapping[str, Remedy] = {remedy.name: remedy for remedy in (*_TABLE, *BY_HAND)}

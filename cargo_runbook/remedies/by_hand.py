"""Remedies that a person carries out: what to do, and why not from here."""

from __future__ import annotations

from cargo_runbook.remedies.remedy import Remedy
from cargo_runbook.texts import Text

_BY_A_PERSON = Text("what you do", "由人工执行")
_AS_DONE = Text("as you did it", "由人工撤销")


def _remedy(name: str, title: Text, how: Text) -> Remedy:
    return Remedy(name, title, how, _BY_A_PERSON, Text("reboot", "主机重启"), _AS_DONE)


BY_HAND = (
    _remedy(
        "use-right-domain",
        Text("Use the domain that Cargo was deployed for", "使用部署时的域名访问"),
        Text("The realm in the challenge names it (the guide, method one).", "质询中的 realm 就是该域名（指南方法一）。"),
    ),
    _remedy(
        "dns-record",
        Text("Correct the DNS record", "修正 DNS 解析记录"),
        Text("Whoever runs the zone points the domain at an address of this Cargo; it is not done from here.",
             "请 DNS 管理员把域名解析到该 Cargo 的地址；本工具不修改 DNS。"),
    ),
    _remedy(
        "push-as-admin",
        Text("Push to a public project as the registry's administrator", "使用仓库管理员推送到公共项目"),
        Text("Platform users may only pull from public projects, by design; or push to a private project.",
             "按设计，平台用户只能拉取公共项目；也可以改为推送到私有项目。"),
    ),
    _remedy(
        "set-clock",
        Text("Set the clock", "校准时钟"),
        Text("The clocks of cargo-token's node and of the Cargo host may differ by 60 s. Start what keeps time there (chronyd, "
             "ntpd, systemd-timesyncd); a clock is not set from here, since everything on that machine lives by it.",
             "cargo-token 所在节点与 Cargo 主机的时钟最多可相差 60 秒。请在该机器上启动时间同步（chronyd、ntpd、systemd-timesyncd）；"
             "本工具不修改时钟，因为该机器上的所有程序都依赖它。"),
    ),
    _remedy(
        "replace-certificate",
        Text("Replace the certificate", "更换证书"),
        Text("One for this domain, valid now, with its key, to config/nginx/cert on each Cargo host; then restart tengine.",
             "为该域名签发且在有效期内的证书和私钥，放到每台 Cargo 主机的 config/nginx/cert，然后重启 tengine。"),
    ),
    _remedy(
        "free-space",
        Text("Free space for the registry", "为 registry 释放空间"),
        Text("Enlarge the file system of the registry's data, or delete images and collect garbage; never delete its files by "
             "hand.",
             "扩容 registry 数据所在的文件系统，或删除镜像后执行垃圾回收；不要手工删除数据文件。"),
    ),
    _remedy(
        "docker-proxy",
        Text("Docker past the proxy", "让 docker 绕过代理"),
        Text("The domain into NO_PROXY of the docker service (/etc/systemd/system/docker.service.d), then systemctl "
             "daemon-reload and restart docker: all containers on that machine restart, unless live-restore is on.",
             "把域名加入 docker 服务的 NO_PROXY（/etc/systemd/system/docker.service.d），然后 systemctl daemon-reload 并重启 docker："
             "除非启用 live-restore，该机器上的所有容器都会重启。"),
    ),
    _remedy(
        "mend-destination",
        Text("Mend the destination", "修复目的仓库"),
        Text("The cause is at the destination, or on the way there: cargo-runbook diagnose --env DESTINATION, then "
             "cargo-runbook fix CRG402 (or CRG401) here.",
             "原因在目的仓库或到达它的路径上：先执行 cargo-runbook diagnose --env 目的环境，修复后在此执行 cargo-runbook fix CRG402"
             "（或 CRG401）。"),
    ),
    _remedy(
        "target-account",
        Text("Another account in the target", "更换目标中的账号"),
        Text("In Harbor, replication, targets: the destination's registry administrator, as Cargo-Admin saves it; or give the "
             "saved user its role. The password of a target can't be read back, so a change could not be undone from here.",
             "在 Harbor 的复制管理中把目标账号改为目的仓库的管理员（Cargo-Admin 默认如此），或为该账号分配角色。目标的密码无法读出，"
             "因此修改后无法由本工具撤销。"),
    ),
    _remedy(
        "free-workers",
        Text("End the calls that hang", "结束挂起的调用"),
        Text("A job whose call hangs can't be stopped. Let its destination answer, or stop its policy's jobs and then restart "
             "harbor-jobservice; never clear Redis.",
             "网络调用挂起的任务无法停止。让其目的仓库恢复应答，或先停止该策略的任务再重启 harbor-jobservice；绝不要清空 Redis。"),
    ),
    _remedy(
        "make-known",
        Text("Make the repository known to Harbor", "让 Harbor 识别该镜像仓库"),
        Text("Push one of its tags again with docker.", "用 docker 重新推送其中一个标签。"),
    ),
    _remedy(
        "create-project-cargo-admin",
        Text("Create the project in Cargo-Admin", "在 Cargo-Admin 中创建项目"),
        Text("In the platform, for the tenant that owns it. Which one that is is no matter of this tool, and Cargo-Admin "
             "makes projects in Harbor as well, so that taking it back could take images along.",
             "在平台中为所属租户创建。归属哪个租户需要人来决定；并且 Cargo-Admin 会同时操作 Harbor 中的项目，撤销时可能连镜像一起删除。"),
    ),
)  # fmt: skip

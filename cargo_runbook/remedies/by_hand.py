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
        "docker-ca",
        Text("Let the docker client trust the CA", "让 docker 客户端信任 CA"),
        Text("Put the CA's certificate to /etc/docker/certs.d/DOMAIN/ca.crt on the machine whose docker fails.",
             "把 CA 证书放到 docker 所在机器的 /etc/docker/certs.d/域名/ca.crt。"),
    ),
    _remedy(
        "log-in",
        Text("Log in", "登录"),
        Text("docker login DOMAIN as a user of the platform.", "使用平台账号执行 docker login 域名。"),
    ),
    _remedy(
        "grant-role",
        Text("Grant the role", "分配角色"),
        Text("Give the user the role that is missing in the project's tenant (访客 pulls, 操作员 and 管理员 push).",
             "在项目所属租户中为用户分配缺少的角色（访客可拉取，操作员和管理员可推送）。"),
    ),
    _remedy(
        "create-project",
        Text("Create the project where it is missing", "在缺失处创建项目"),
        Text("In Cargo-Admin for the owning tenant; in Harbor as its administrator.",
             "在 Cargo-Admin 中为所属租户创建；在 Harbor 中由管理员创建。"),
    ),
)  # fmt: skip

"""What a job was doing, and what follows from a clue, in words."""

from __future__ import annotations

from cargo_runbook.facts.harbor.job_log import Operation
from cargo_runbook.facts.harbor.logs import Refusal
from cargo_runbook.texts import Text

DOING = {
    Operation.SOURCE_CLIENT: Text(str(Operation.SOURCE_CLIENT), "连接源 registry"),
    Operation.DESTINATION_CLIENT: Text(str(Operation.DESTINATION_CLIENT), "连接目的 registry"),
    Operation.LIST_TAGS: Text(str(Operation.LIST_TAGS), "列出源标签"),
    Operation.CREATE_PROJECT: Text(str(Operation.CREATE_PROJECT), "创建项目"),
    Operation.PULL_MANIFEST: Text(str(Operation.PULL_MANIFEST), "从源拉取 manifest"),
    Operation.CHECK_BLOB: Text(str(Operation.CHECK_BLOB), "检查层是否存在"),
    Operation.PULL_BLOB: Text(str(Operation.PULL_BLOB), "从源拉取层"),
    Operation.PUSH_BLOB: Text(str(Operation.PUSH_BLOB), "推送层"),
    Operation.PUSH_MANIFEST: Text(str(Operation.PUSH_MANIFEST), "推送 manifest"),
    Operation.OTHER: Text(str(Operation.OTHER), "其他操作"),
}

SO = {
    "https": Text("credentials are not lost by a redirect from http", "不会因 http 重定向而丢失凭据"),
    "reached": Text("the request arrived as it was sent, so nothing redirects it", "请求按原样到达，没有被重定向"),
    "creator": Text("who creates a project is its administrator", "创建者即项目管理员"),
    str(Refusal.MALFORMED): Text("what the token service gave is no token", "token service 给出的不是 token"),
    "redirects": Text(
        "the credentials are dropped on the way, so the registry sees no token", "凭据在途中丢失，registry 收不到 token"
    ),
    "stays": Text("the endpoint is not the reason", "endpoint 不是原因"),
    "ping good": Text(
        "name, password, key and endpoint are right; of rights this says nothing",
        "用户名、密码、密钥和 endpoint 正确；与权限无关",
    ),
    "ping bad": Text("a user without any role would get 200", "没有角色的账号也会得到 200"),
    "key": Text("the registry refuses tokens of that key", "registry 拒绝该密钥签发的 token"),
    "key good": Text("the signature can be verified", "签名可以验证"),
    "granted": Text("rights are not the reason", "权限不是原因"),
    "not granted": Text("the user has no such right in the project", "该账号在项目中没有此权限"),
    "mixed": Text("what answers there differs from one time to the next", "该处的应答时好时坏"),
    "stranger": Text(
        "Harbor took the same name and password when the project was created, so this is another token service",
        "创建项目时 Harbor 接受了同样的用户名和密码，因此应答的是别的 token service",
    ),
    "same project": Text("a role is one for the whole project", "角色对整个项目有效"),
    "known": Text("the token service that answers knows the user", "应答的 token service 认识该账号"),
    "waited": Text(
        "the answer took the 1.5 s of a wrong name or password; an error of Harbor's own comes at once",
        "应答延迟了 1.5 秒，这是用户名或密码错误的表现；Harbor 自身出错会立即返回",
    ),
    "able": Text("Harbor itself is able, so a 401 means what it says", "Harbor 自身正常，401 可信"),
    "broken": Text(
        "Harbor itself is not able, and refuses the right password too", "Harbor 自身异常，正确的密码也会被拒绝"
    ),
    "token 500": Text("a wrong password would get 200 here", "密码错误在此处会得到 200"),
    "nobody": Text("Harbor looked the user up, so its database works", "Harbor 查询了用户，数据库正常"),
    "registry up": Text("the registry answers", "registry 有应答"),
    "token up": Text("the token service answers", "token service 有应答"),
    "disk": Text("nothing can be stored there", "无法再保存内容"),
    "CRG425": Text("the registry behind the front does not answer", "前端之后的 registry 没有应答"),
    "CRG427": Text("the token service does not answer", "token service 没有应答"),
    str(Refusal.KEY): Text("the token comes from another key", "token 来自别的密钥"),
    str(Refusal.TIME): Text(
        "the clocks of token service and registry differ", "token service 与 registry 的时钟不一致"
    ),
    str(Refusal.CLAIMS): Text("issuer or audience are not the expected ones", "签发者或受众与预期不一致"),
    str(Refusal.SCOPE): Text("the token is trusted, and holds no such right", "token 可信，但没有此权限"),
    str(Refusal.NO_TOKEN): Text("the request came without a token", "请求没有携带 token"),
    str(Refusal.UNTOLD): Text("the token was not trusted", "token 不被信任"),
}

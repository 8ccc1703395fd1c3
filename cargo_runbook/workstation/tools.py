"""The programs that the connections use: SSH's agent and keys, kubectl, docker; each asked on this computer only."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cargo_runbook.connections.ssh.config import default_keys
from cargo_runbook.connections.workstation import ask_program
from cargo_runbook.inventory.models import Environment
from cargo_runbook.texts import Text
from cargo_runbook.workstation.check import Check, State, same


def look_at_ssh() -> Check:
    """An agent with keys, or key files that SSH takes by itself."""
    files = [key for key in default_keys() if key.exists()]
    named = ", ".join(str(key) for key in files)
    said = ask_program(("ssh-add", "-l")) if os.environ.get("SSH_AUTH_SOCK") else None
    if said is not None and said.well:
        count = len(said.output.splitlines())
        return Check("ssh", State.OK, Text(f"the agent holds {count} key(s)", f"agent 中有 {count} 个密钥"))
    if said is None:
        agent, start = Text("no agent runs", "没有运行 agent"), 'eval "$(ssh-agent)" && ssh-add'
    elif said.absent:
        agent, start = Text("ssh-add is not installed", "未安装 ssh-add"), "sudo apt-get install openssh-client"
    elif said.exit_code == 1:
        agent, start = Text("the agent holds no key", "agent 中没有密钥"), "ssh-add"
    else:
        agent, start = Text("the agent does not answer", "agent 没有应答"), 'eval "$(ssh-agent)" && ssh-add'
    if files:
        # A key file without a passphrase needs no agent; one with a passphrase shows when a host is asked.
        return Check("ssh", State.OK, Text(f"{agent.en}; key files: {named}", f"{agent.zh}；密钥文件：{named}"))
    seen = Text(f"{agent.en}, and there is no key file in ~/.ssh", f"{agent.zh}，~/.ssh 中也没有密钥文件")
    do = start if said is not None and said.absent else f"ssh-keygen -t ed25519 && {start}"
    return Check("ssh", State.LACKS, seen, same(do))


def look_at_known_hosts(folder: Path | None = None) -> Check:
    """The user's known_hosts: host keys are always checked, so it must be there and readable."""
    file = (folder or Path("~/.ssh").expanduser()) / "known_hosts"
    try:
        count = sum(1 for line in file.read_text("utf-8", "replace").splitlines() if line.strip()[:1] not in ("", "#"))
    except FileNotFoundError:
        seen = Text(f"{file} is not there: no host is known yet", f"{file} 不存在：还没有已知主机")
        return Check("known_hosts", State.NOTE, seen, Text("ssh HOST, and compare the fingerprint that it shows",
                                                           "执行 ssh 主机，并核对显示的指纹"))  # fmt: skip
    except OSError as error:
        told = f"{file}: {error.strerror}"
        return Check(
            "known_hosts", State.LACKS, Text(f"can't be read: {told}", f"无法读取：{told}"), same(f"chmod u+r {file}")
        )
    return Check("known_hosts", State.OK, Text(f"{count} lines in {file}", f"{file} 共 {count} 行"))


def look_at_kubectl(environments: Sequence[Environment]) -> Check:
    """kubectl and the contexts that the environments name."""
    wanted = sorted({each.kubernetes.context for each in environments if each.kubernetes})
    said = ask_program(("kubectl", "version", "--client", "-o", "json"))
    if said.absent:
        do = same("https://kubernetes.io/docs/tasks/tools/   (Debian: sudo apt-get install kubernetes-client)")
        if wanted:
            return Check("kubectl", State.LACKS, Text("not installed", "未安装"), do)
        return Check(
            "kubectl", State.NOTE, Text("not installed; no environment names a cluster", "未安装；没有环境使用集群")
        )
    contexts = ask_program(("kubectl", "config", "get-contexts", "-o", "name"))
    known = contexts.output.splitlines() if contexts.well else []
    missing = [name for name in wanted if name not in known]
    version = _version(said.output)
    if missing:
        told, there = ", ".join(missing), ", ".join(known) or "-"
        seen = Text(
            f"{version}; no context {told} (there are: {there})", f"{version}；缺少 context {told}（现有：{there}）"
        )
        do = Text("export KUBECONFIG=FILE with it, or correct kubernetes.context in the inventory",
                  "用 export KUBECONFIG=文件 指定，或修正清单中的 kubernetes.context")  # fmt: skip
        return Check("kubectl", State.LACKS, seen, do)
    count = len(known)
    return Check("kubectl", State.OK, Text(f"{version}, {count} context(s)", f"{version}，{count} 个 context"))


def _version(output: str) -> str:
    try:
        return str(json.loads(output)["clientVersion"]["gitVersion"])
    except (ValueError, KeyError, TypeError):
        return "kubectl"


def look_at_docker(environments: Sequence[Environment]) -> Check:
    """docker's client and daemon: fixes are proven with it, and pulls fail where it stands."""
    needed = any(account.is_docker_login for each in environments for account in each.accounts)
    lacks = State.LACKS if needed else State.NOTE
    said = ask_program(("docker", "version", "--format", "{{.Client.Version}} {{.Server.Version}}"))
    if said.absent:
        return Check("docker", lacks, Text("not installed", "未安装"), same("sudo apt-get install docker.io"))
    if said.well:
        client, _, server = said.output.partition(" ")
        return Check(
            "docker", State.OK, Text(f"client {client}, daemon {server}", f"客户端 {client}，守护进程 {server}")
        )
    if "permission denied" in said.error:
        user = os.environ.get("USER", "$USER")
        do = same(f"sudo usermod -aG docker {user} && newgrp docker")
        return Check(
            "docker", State.NOTE, Text("the daemon may not be used by this user", "当前用户无权访问守护进程"), do
        )
    do = Text(
        "sudo systemctl start docker   (or: docker context ls)",
        "sudo systemctl start docker   （或 docker context ls）",
    )
    return Check("docker", State.NOTE, Text("the daemon does not answer", "守护进程没有应答"), do)


def until(when: datetime, now: datetime | None = None) -> tuple[State, Text]:
    """How it stands with something that ends: at an end, within two weeks, or later."""
    days = int((when - (now or datetime.now(UTC))).total_seconds() // 86400)
    date = when.strftime("%Y-%m-%d")
    if days < 0:
        return State.LACKS, Text(f"expired on {date}", f"已于 {date} 过期")
    state = State.NOTE if days < 14 else State.OK
    return state, Text(f"valid until {date} ({days} days)", f"有效期至 {date}（{days} 天）")

"""Containers of Cargo that do not run."""

from __future__ import annotations

from cargo_runbook.remedies.actions import Effect, RunCommand
from cargo_runbook.remedies.workbench import Draft, NoRemedy, Workbench
from cargo_runbook.texts import Text, tell

PARTS = ("harbor-log", "harbor-db", "redis", "harbor-adminserver", "registry", "harbor-registry", "registryctl",
         "harbor-core", "harbor-ui", "harbor-portal", "harbor-jobservice", "nginx")  # fmt: skip
"""The containers of a Cargo in the order in which they need each other (cargo.md, 4); tengine comes last."""


def start_containers(bench: Workbench) -> Draft:
    """Starts those that are stopped, those that others need first."""
    draft = Draft()
    for host in bench.environment.hosts:
        settings = next((s for s in bench.gathered.path.settings if s.host == host.name), None)
        stopped = {c.name for c in settings.containers if not c.running} if settings else set()
        names = [name for name in (*PARTS, host.tengine) if name in stopped]
        if names:
            draft.actions.append(
                RunCommand(
                    vantage=bench.on(host),
                    argv=("docker", "start", *names),
                    effect=Effect.START,
                    target=", ".join(names),
                    downtime=Text("none", "无"),
                    containers=bench.containers(host, *names),
                    undo=("docker", "stop", "-t", "10", *reversed(names)),
                )
            )
    if not draft.actions:
        raise NoRemedy(
            tell("all containers of Cargo run, so none is started", "Cargo 的容器都在运行，没有需要启动的"),
            next_step=tell(
                "What is wrong stands in their logs: docker logs --tail 50 harbor-ui (harbor-registry, tengine) on the host.",
                "原因在它们的日志中：在主机上执行 docker logs --tail 50 harbor-ui（harbor-registry、tengine）。",
            ),
            section=bench.finding.section,
        )
    draft.notes.append(
        Text(
            "Why did it stop? Its log tells: docker logs --tail 50 NAME on the host.",
            "为什么会停止？请在主机上用 docker logs --tail 50 容器名 查看日志。",
        )
    )
    return draft

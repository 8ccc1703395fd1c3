"""One diagnosis against the guide's own commands, one after another, on the same sandbox and turn by turn.

    python benchmarks/diagnose.py [--name SANDBOX] [--env cargo] [--rounds 5] [--json]

The guide's side counts only what the commands take: no typing, no reading, no thinking. Its commands are those of the
guide in its order (ping, docker login, pull and push, docker exec ... cat /etc/hosts, the configuration files, the
projects in Harbor and Cargo-Admin, the replication jobs; with a cluster also kubectl get svc and the two logs), each as
a process of its own on operator. Prints the medians in seconds and their ratio; with --json,
the last line is {"seconds": {"diagnose", "guide"}, "ratio", "rounds", "commands": {...}}.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from cargo_sandbox.client import as_another
from cargo_sandbox.machines import operator_shell
from cargo_sandbox.paths import StateFolder, state_folder
from cargo_sandbox.topology import ADMIN_PORT, INSTALLATION, MASTER, TOKEN_PORT, site

ALLOWED_SECONDS = 5.0
ALLOWED_RATIO = 0.5


def guide(state: StateFolder, name: str) -> dict[str, list[str]]:
    """The guide's commands for one environment: what it is called here -> what is typed on operator."""
    domain, folder = site(name).domain, f"{INSTALLATION}/config"
    passwords, ca = state.inventory / "passwords", state.inventory / "ca.crt"
    logged_in = " ".join(as_another(["docker", "login", domain, "-u", "admin", "--password-stdin"]))
    curl = f"curl -sS -m 10 --cacert {ca}"
    harbor = f'printf \'user = "admin:%s"\' "$(cat {passwords}/{name}-admin)" | {curl} -K - https://{domain}/api'
    private = f"{domain}/devops_test-cargo/node:8.9-alpine"
    alice = "env DOCKER_CONFIG=/tmp/docker-benchmark docker"
    admin = f"http://{MASTER.address}:{ADMIN_PORT}/api/v2"
    service = f"http://{MASTER.address}:{TOKEN_PORT}"
    peers = [peer for peer in ("cargo", "devops", "ha") if peer != name]
    commands = {
        # 仓库域名是否正确解析；是否 docker login；本地用相同账号能否 pull/push
        "ping": ["ping", "-c", "1", domain],
        "docker login, admin": ["bash", "-c", f"{logged_in} < {passwords}/{name}-admin"],
        "docker login, user": ["bash", "-c", f"{alice} login {domain} -u alice --password-stdin < {passwords}/alice"],
        "docker pull, public": ["docker", "pull", f"{domain}/library/tiny:1"],
        "docker pull, private": ["bash", "-c", f"{alice} pull {private}"],
        "docker push": ["bash", "-c", f"{alice} push {private}"],
        # Token Service 配置错误；使用错误的域名访问
        "token service, environment file": [
            "ssh",
            name,
            f"grep -E 'token_service|master_vip' {INSTALLATION}/env-single.yml",
        ],
        "token service, reachable": ["ssh", name, f"curl -sS -m 10 -H 'X-Cargo: {domain}' {service}/registryproxy/v2"],
        "tengine's hosts": ["ssh", name, "docker exec tengine cat /etc/hosts"],
        "realm": ["ssh", name, f"grep realm {folder}/registry/config.yml"],
        "health check": ["ssh", name, f"grep check_http_send {folder}/nginx/nginx.conf"],
        "compose file": ["ssh", name, f"grep cargo-admin {folder}/docker-compose-single.yml"],
        # 确保项目在 Cargo-Admin 和 Harbor 中均存在；权限分配
        "project in Harbor": ["bash", "-c", f"{harbor}/projects"],
        "project in Cargo-Admin": ["curl", "-sS", f"{admin}/registries/{name}/projects"],
        # 镜像同步: the jobs of each policy, and the name of each destination
        "replication policies": ["bash", "-c", f"{harbor}/policies/replication"],
        **{f"jobs of policy {n}": ["bash", "-c", f"{harbor}/jobs/replication?policy_id={n}"] for n in (1, 2, 3)},
        **{
            f"{peer} in tengine": ["ssh", name, f"docker exec tengine getent hosts {site(peer).domain}"]
            for peer in peers
        },
        "jobservice's hosts": ["ssh", name, "docker exec harbor-jobservice cat /etc/hosts"],
    }
    if state.cluster:
        commands["kubectl get svc"] = ["kubectl", "get", "svc"]
        commands["kube-dns"] = ["kubectl", "get", "cm", "kube-dns", "-n", "kube-system", "-o", "yaml"]
        commands["cargo-token's log"] = ["kubectl", "logs", "--tail=200", "deploy/cargo-token"]
        commands["cargo-admin's log"] = ["kubectl", "logs", "--tail=200", "deploy/cargo-admin"]
    return commands


def timed(state: StateFolder, argv: Sequence[str], wanted: Sequence[int] = (0,)) -> float:
    """Seconds that a command on operator takes; it must end with one of the wanted exit codes."""
    command = operator_shell.command_line(state, argv)
    start = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
    seconds = time.perf_counter() - start
    if done.returncode not in wanted:
        sys.exit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout.decode()}{done.stderr.decode()}")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="default", help="name of the sandbox")
    parser.add_argument("--env", default="cargo", help="environment of the sandbox; it must be healthy")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="the last line is JSON")
    options = parser.parse_args()
    state = state_folder(options.name)
    commands = guide(state, options.env)
    ours: list[float] = []
    theirs: dict[str, list[float]] = {what: [] for what in commands}
    image = f"{site(options.env).domain}/library/tiny:1"
    for number in range(1, options.rounds + 1):
        timed(state, ["docker", "rmi", "-f", image], wanted=(0, 1))
        for what, argv in commands.items():
            theirs[what].append(timed(state, argv))
        ours.append(timed(state, ["cargo-runbook", "diagnose", "--env", options.env, "--json"]))
        print(f"round {number}: guide {sum(t[-1] for t in theirs.values()):.2f} s, diagnose {ours[-1]:.2f} s")
    guide_seconds = statistics.median(map(sum, zip(*theirs.values(), strict=True)))
    seconds = statistics.median(ours)
    ratio = seconds / guide_seconds
    for what, taken in theirs.items():
        print(f"  {statistics.median(taken):6.2f} s  {what}")
    print(f"guide {guide_seconds:.2f} s, diagnose {seconds:.2f} s, ratio {ratio:.2f}")
    print(f"wanted: under {ALLOWED_SECONDS} s ({max(ours):.2f} at most), ratio at most {ALLOWED_RATIO}")
    if options.json:
        medians = {what: round(statistics.median(taken), 3) for what, taken in theirs.items()}
        body = {"seconds": {"diagnose": round(seconds, 3), "guide": round(guide_seconds, 3)}, "ratio": round(ratio, 3)}
        print(json.dumps({**body, "rounds": options.rounds, "commands": medians}))


if __name__ == "__main__":
    main()

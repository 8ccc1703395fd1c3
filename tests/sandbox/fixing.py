"""`cargo-runbook fix` on operator, and what stands on the machines before and after."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Any

from tests.practice import show

REPORTS = "/tmp/fixes"
INSTALLATION = "/compass/cargo-ansible/cargo"
SCRIPTS = Path(__file__).parents[2] / "cargo_sandbox" / "material" / "scripts"


def fix(sandbox: Any, *words: str) -> Any:
    """`cargo-runbook fix … --json` on operator."""
    done = sandbox.run("cargo-runbook", "fix", *words, "--json", "--reports", REPORTS)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def fixed(sandbox: Any, *words: str) -> dict[str, Any]:
    done = fix(sandbox, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    body: dict[str, Any] = json.loads(done.stdout)
    return body


def roots(sandbox: Any, environment: str) -> tuple[int, list[str]]:
    done = sandbox.run("cargo-runbook", "diagnose", "--env", environment, "--json")
    body = json.loads(done.stdout)
    show(body)
    unknown = [f"{f['code']}: {f['summary']}" for f in body["findings"] if f["status"] == "unknown"]
    return done.returncode, body["root_causes"] + (unknown if done.returncode == 3 else [])


def files(sandbox: Any, plan: dict[str, Any]) -> dict[str, str]:
    """Digest, mode, owner and content of each file of a plan."""
    found = {}
    for action in plan["actions"]:
        if action["effect"] != "edit" or action["host"].startswith("Harbor"):
            continue
        if action["host"].startswith("cluster "):
            argv = ["kubectl", "get", "cm", "kube-dns", "-n", "kube-system", "-o", "jsonpath={.data}"]
            found[action["target"]] = sandbox.run(*argv).stdout
            continue
        look = f"stat -c '%a %u %g' {shlex.quote(action['target'])}; cat {shlex.quote(action['target'])}"
        argv = ["sh", "-c", look] if action["host"] == "operator" else ["ssh", action["host"], look]
        found[f"{action['host']}:{action['target']}"] = sandbox.run(*argv).stdout
    return found


def start(sandbox: Any, replication: str) -> None:
    """In Cargo-Admin, as a person there does."""
    url = f"http://203.0.113.20:8080/api/v2/replications/{replication}/action"
    sandbox.run("curl", "-sSf", "-X", "POST", "-d", '{"action": "Start"}', url)


def healthy(sandbox: Any, environment: str) -> bool:
    """Whether nothing is found any more; what was healed just now needs a moment."""
    until = time.monotonic() + 60
    while (found := roots(sandbox, environment)) != (0, []) and time.monotonic() < until:
        time.sleep(1)
    assert found == (0, [])
    return True


def install_script(sandbox: Any, name: str, text: str = "") -> None:
    """A script of newer Cargos on the host cargo: that of the practice installation under either spelling, or another."""
    source = SCRIPTS / name.replace("service", "servce")
    done = sandbox.run(
        "ssh",
        "cargo",
        f"cat > {INSTALLATION}/{name} && chmod 755 {INSTALLATION}/{name}",
        input=text or source.read_text(),
    )
    assert done.returncode == 0, done.stderr


def installation(sandbox: Any) -> str:
    """Each file of the installation on the host cargo but its data, with digest, mode and owner."""
    look = f"cd {INSTALLATION} && find . -path ./data -prune -o -type f -printf '%m %U:%G %p\\n' | sort"
    look += " && find . -path ./data -prune -o -type f -exec sha256sum {} + | sort"
    shown = sandbox.run("ssh", "cargo", look)
    assert shown.returncode == 0, shown.stderr
    return str(shown.stdout)

"""Breaking and healing a running sandbox.

What is broken is remembered in the state folder: the faults in order, and each edited file as it was before the
first edit. Healing writes the file as it was plus the edits of the faults that stay, so faults can be combined and
healed in any order, and the last heal restores the very bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cargo_runbook.texts import tell
from cargo_sandbox.errors import SandboxFailed, SandboxUnavailable
from cargo_sandbox.faults.catalog import Command, Edit, Fault, fault
from cargo_sandbox.machines import processes
from cargo_sandbox.machines.namespaces import link_of
from cargo_sandbox.machines.operator_shell import machine_of
from cargo_sandbox.material.files import write
from cargo_sandbox.paths import StateFolder
from cargo_sandbox.topology import site
from cargo_sandbox.waiting import wait_until

PACKAGES = Path(__file__).resolve().parents[2]
PATIENCE = 90.0  # seconds until a fault must show its effect, or have lost it
COMMAND = 180.0  # seconds for one command of a fault: a few, or many times that on a busy machine


@dataclass(frozen=True)
class FaultEngine:
    """The faults of one running sandbox."""

    state: StateFolder

    @property
    def _record(self) -> Path:
        return self.state.faults / "record"

    def broken(self) -> tuple[str, ...]:
        """Names of the faults that are broken now, in the order of breaking."""
        return tuple(json.loads(base64.b64decode(self._record.read_bytes()))) if self._record.exists() else ()

    def _remember(self, names: Sequence[str]) -> None:
        # Encoded, so that nobody who looks for the cause stumbles over its name.
        write(self._record, base64.b64encode(json.dumps(list(names)).encode()), mode=0o600)

    def break_(self, name: str) -> bool:
        """Break `name` and return when its effect is there; False when it was broken already.

        Raises:
            UnknownFault, SandboxUnavailable: see there.
            SandboxFailed: it could not be broken; what was changed is changed back.
        """
        wanted = fault(name)
        machine_of(self.state, site(wanted.environment).front)
        if wanted.needs == "cluster" and self.state.cluster is None:
            raise SandboxUnavailable(
                tell(
                    f"{name} needs a cluster, and the sandbox {self.state.name!r} runs without one",
                    f"{name} 需要集群，而沙箱 {self.state.name!r} 没有集群",
                ),
                next_step=tell(
                    "Take it down, then start it with: cargo-runbook sandbox up --cluster",
                    "先停止，再启动：cargo-runbook sandbox up --cluster",
                ),
            )
        before = self.broken()
        if name in before:
            return False
        self._remember((*before, name))
        try:
            self._change(wanted, (*before, name), up=False)
            self._see(wanted, wanted.proof.broken, "does not show")
        except BaseException:
            self._change(wanted, before, up=True)
            self._remember(before)
            raise
        return True

    def heal(self, name: str) -> bool:
        """Undo `name` and return when its effect is gone; False when it was not broken.

        Raises:
            UnknownFault, SandboxUnavailable: see there.
            SandboxFailed: its effect does not go away.
        """
        wanted = fault(name)
        machine_of(self.state, site(wanted.environment).front)
        before = self.broken()
        if name not in before:
            return False
        rest = tuple(other for other in before if other != name)
        self._change(wanted, rest, up=True)
        self._see(wanted, wanted.proof.healthy, "does not go away")
        self._remember(rest)
        return True

    def heal_all(self) -> tuple[str, ...]:
        """Undo all, the last broken first; the names are returned."""
        names = tuple(reversed(self.broken()))
        for name in names:
            self.heal(name)
        return names

    def _change(self, wanted: Fault, broken: Sequence[str], *, up: bool) -> None:
        """Bring the files and wires that `wanted` touches to the state in which exactly `broken` are broken."""
        for place in dict.fromkeys((edit.machine, edit.file) for edit in wanted.edits):
            self._rewrite(*place, [edit for name in broken for edit in fault(name).edits])
        for link in wanted.links:
            self._plug(link.machine, link.up if not up else not link.up)
        for deed in wanted.deeds:
            self._run(Command(machine=deed.machine, command=deed.undo if up else deed.do))
        for step in wanted.apply:
            self._run(step.run)

    def _rewrite(self, machine: str, file: str, edits: Sequence[Edit]) -> None:
        pristine = self.state.faults / f"{hashlib.sha256(f'{machine}:{file}'.encode()).hexdigest()[:16]}.pristine"
        live = processes.machine_root(machine_of(self.state, machine)) / file.lstrip("/")
        if not pristine.exists():
            write(pristine, live.read_bytes(), mode=0o600)
        content = pristine.read_bytes()
        wanted = [edit for edit in edits if (edit.machine, edit.file) == (machine, file)]
        for edit in wanted:
            if content.count(edit.find.encode()) != 1:
                raise SandboxFailed(
                    tell(
                        f"{file} on {machine} is not as the fault expects it", f"{machine} 上的 {file} 与故障的预期不符"
                    ),
                    seen=edit.find.strip(),
                )
            content = content.replace(edit.find.encode(), edit.replace.encode())
        replace_content(live, content)
        if not wanted:
            pristine.unlink()

    def _plug(self, machine: str, up: bool) -> None:
        # The bridge's ends of all wires are in the network namespace around the machines.
        init = max(processes.outer_pids(self.state), key=lambda pid: processes.argv_of(pid)[0] != "unshare")
        direction = "up" if up else "down"
        command = ["nsenter", "-t", str(init), "-n", "ip", "link", "set", link_of(machine), direction]
        subprocess.run(command, check=True, capture_output=True)

    def _run(self, command: Command) -> None:
        try:
            done = processes.run_on(self.state, command.machine, self._filled(command.command), timeout=COMMAND)
        except subprocess.TimeoutExpired as late:
            raise _failed(command, f"{late.timeout:.0f} s", late.stdout or b"", late.stderr or b"") from late
        if done.returncode != 0:
            raise _failed(command, f"exit code {done.returncode}", done.stdout, done.stderr)

    def _filled(self, argv: Sequence[str]) -> list[str]:
        """The words of a command with {ca}, {packages} and {services} replaced by where these lie on a machine, and the
        word {engineer} by the call of `services.engineer`, which works on operator."""
        places = {
            "{ca}": str(self.state.inventory / "ca.crt"),
            "{packages}": str(PACKAGES),
            "{services}": str(PACKAGES / "cargo_sandbox" / "services"),
        }
        words = [part for word in argv for part in (self._engineer() if word == "{engineer}" else (word,))]
        for name, place in places.items():
            words = [word.replace(name, place) for word in words]
        return words

    def _engineer(self) -> tuple[str, ...]:
        program = ("env", f"PYTHONPATH={PACKAGES}", "/usr/bin/python3", "-B", "-m", "cargo_sandbox.services.engineer")
        return (*program, str(self.state.inventory))

    def _see(self, wanted: Fault, pattern: str, otherwise: str) -> None:
        """Wait for the effect."""
        argv = self._filled(wanted.proof.command)
        output = [""]

        def seen() -> bool:
            try:
                done = processes.run_on(self.state, wanted.proof.machine, argv)
            except subprocess.TimeoutExpired as late:
                output[0] = str(late)
                return False
            output[0] = (done.stdout + done.stderr).decode(errors="replace")
            return re.search(pattern, output[0], re.MULTILINE) is not None

        if not wait_until(seen, PATIENCE):
            raise SandboxFailed(f"the effect of {wanted.name} {otherwise}", seen=output[0][-1000:])


def _failed(command: Command, how: str, *streams: bytes) -> SandboxFailed:
    words = " ".join(command.command)
    said = b"".join(streams).decode(errors="replace")[-1000:]
    return SandboxFailed(
        tell(f"{words} failed on {command.machine} ({how})", f"{command.machine} 上的命令失败（{how}）：{words}"),
        seen=said,
    )


def replace_content(file: Path, content: bytes) -> None:
    """Give a file new content in one step; mode and owner stay."""
    status = file.stat()
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_bytes(content)
    shutil.copymode(file, draft)
    os.chown(draft, status.st_uid, status.st_gid)
    draft.rename(file)

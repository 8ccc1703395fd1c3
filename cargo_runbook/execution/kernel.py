"""Kernels that run in this very interpreter, whatever kernels a user has registered under the same name."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

KERNEL_NAME = NATIVE_KERNEL_NAME
_STDERR = 2


class OwnInterpreter(KernelSpecManager):
    """Knows one kernel, `python3`, and that is `sys.executable`: the interpreter that has cargo_runbook installed."""

    def _kernel_dirs_default(self) -> list[str]:
        # Without folders to search, the native kernel of jupyter_client is what is left.
        return []

    @default("allowed_kernelspecs")
    def _own_kernel_alone(self) -> set[str]:
        return {NATIVE_KERNEL_NAME}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        spec = super().get_kernel_spec(kernel_name)
        # ipykernel warns at each start that sockets on loopback are signed, but not encrypted, and calls it an error
        # when the interrupt that comes before each shutdown finds it busy ending.
        # -P: no module of the current folder stands in for one of ours.
        module = ["-P", "-m", "cargo_runbook.execution.guarded_kernel", "-f", "{connection_file}"]
        spec.argv = [sys.executable, *module, "--log-level=CRITICAL"]
        return spec


class RunbookKernel(AsyncKernelManager):
    """A kernel of our own interpreter that can be ended from another thread."""

    @default("kernel_spec_manager")
    def _own_interpreter(self) -> KernelSpecManager:
        return OwnInterpreter(parent=self)

    async def _async_start_kernel(self, **kw: Any) -> None:
        # What a kernel prints past its cells must not get between the data on our standard output.
        await super()._async_start_kernel(**{"stdout": _STDERR, **kw})

    start_kernel = _async_start_kernel

    def kill(self) -> None:
        """Ends the kernel and the processes of its group at once; no harm when it is gone already."""
        pid = getattr(self.provisioner, "pid", None)
        if pid:
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                return


class OrdinaryKernels:
    """Each kernel is a new interpreter."""

    def kernel(self) -> RunbookKernel:
        return RunbookKernel(kernel_name=KERNEL_NAME)

"""`python -m cargo_runbook.execution.guarded_kernel`: the kernel of a run. It keeps secrets back and no history."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Sequence

from ipykernel.kernelapp import IPKernelApp

from cargo_runbook.execution.guard import guard_kernel


class GuardedKernelApp(IPKernelApp):
    """An ipykernel that nothing secret leaves, and that writes no line of the notebook to IPython's history file."""

    def initialize(self, argv: Sequence[str] | None = None) -> None:
        # ipykernel would put the parameters, secret ones too, into a database in the home folder.
        self.config.HistoryManager.enabled = False
        super().initialize(argv)  # type: ignore[no-untyped-call]
        guard_kernel(self.kernel)
        # Ending, IPython collects garbage among all that was ever imported, which on a busy machine takes longer than
        # Jupyter waits for a kernel. The process ends: nothing has to be found. (Run before IPython's own, as the
        # last that was registered, and after what the notebook registers to keep its record.)
        atexit.register(gc.freeze)


if __name__ == "__main__":
    GuardedKernelApp.launch_instance()

"""Running a runbook without anybody at it, and keeping the record, whatever happens on the way."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cargo_runbook.archive.files import sha256_of, write_json, write_text
from cargo_runbook.archive.ledger import Ledger
from cargo_runbook.archive.record import FINAL_VARIABLE, NOTEBOOK, RECORD_VARIABLE, VERDICT
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.errors import RunbookError, RunFailed
from cargo_runbook.execution.runbooks import find_runbook, read_parameters
from cargo_runbook.execution.watch import CELL_DEADLINE, Kernels, RunStopped, Watch
from cargo_runbook.findings import Health
from cargo_runbook.inventory.loader import find_inventory
from cargo_runbook.light_start import import_jsonschema
from cargo_runbook.recordings import REPLAY_VARIABLE
from cargo_runbook.redaction.notebook import redacted_notebook
from cargo_runbook.secret import KEY_VARIABLE, Redactor, Secret
from cargo_runbook.texts import Text

ENGINE = "cargo-runbook"
FAILED = "failed"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Opened:
    """What a record says of an environment before anything was asked: its domain, and the banner of a replay."""

    domain: str
    replayed: str = ""


@dataclass(frozen=True)
class RunResult:
    """How a run ended. `status` is healthy, fault, unknown or failed; `reason` says why it failed, in English as the
    record does, `reason_zh` in Chinese."""

    record: str
    path: Path
    environment: str
    runbook: str
    status: str
    root_causes: tuple[str, ...]
    reason: str = ""
    reason_zh: str = ""
    head: str = ""
    replayed: str = ""

    @property
    def why(self) -> Text:
        """The reason for a reader."""
        return Text(self.reason, self.reason_zh or self.reason)

    @property
    def exit_code(self) -> int:
        """Exit code of the design: a failed run could not tell anything."""
        return RunFailed.exit_code if self.status == FAILED else Health(self.status).exit_code

    def to_json(self) -> dict[str, Any]:
        """The machine interface of `run`."""
        return {
            "record": self.record,
            "path": str(self.path),
            "environment": self.environment,
            "runbook": self.runbook,
            "status": self.status,
            "root_causes": list(self.root_causes),
            "reason": self.reason,
            "reason_zh": self.reason_zh,
            "head": self.head,
            "replayed": self.replayed,
        }


def run_notebook(
    runbook: str,
    environment: str,
    *,
    inventory: Path | None = None,
    reports: Path,
    parameters: Mapping[str, Any] | None = None,
    replay: str | None = None,
    progress: Progress | None = None,
    watch: Watch | None = None,
    deadline: int = CELL_DEADLINE,
    kernels: Kernels | None = None,
    save_every: float = 0.0,
    incident: str = "",
    sign_key: Path | None = None,
    opened: Opened | None = None,
    drafts: Callable[..., Draft] = Draft,
) -> RunResult:
    """Executes a runbook by papermill for one environment and leaves a record. May be called from several threads.

    Args:
        runbook: name or path, see `find_runbook`.
        parameters: others than `environment`; text is converted to the type of the default. A `Secret`, and whatever
            has a name such as `password`, reaches the kernel and nothing that is written.
        replay: name of a shipped recording (default: CARGO_RUNBOOK_REPLAY).
        progress: gets how many code cells are done, and how many there are.
        watch: to stop the run from another thread.
        deadline: seconds for each cell.
        kernels: where the kernel comes from (default: a new interpreter).
        save_every: seconds that the notebook's file may be behind during the run; the ledger never is.
        incident: what the record belongs to (default: CARGO_RUNBOOK_INCIDENT).
        sign_key: SSH key to sign the record with (default: CARGO_RUNBOOK_SIGN_KEY, else no signature).
        opened: what is known of the environment already (default: it is opened here, to find mistakes in it).
        drafts: makes the draft of the record, which says where it will be sealed.

    Raises:
        UsageError, UnknownEnvironment, InventoryError: before anything ran, so without a record.
        SecretInRecord: after it ran, without a record: a secret stands in what was to be sealed.
    """
    source = find_runbook(runbook)
    values = read_parameters(source, {**(parameters or {}), "environment": environment})
    replay = os.environ.get(REPLAY_VARIABLE, "") if replay is None else replay
    image = str(values.get("image") or "")
    key = secrets.token_hex(16)
    redactor = Redactor(key)
    values = {name: _revealed(value, redactor) for name, value in values.items()}
    opened = opened or _opened(environment, inventory, image, replay, redactor)
    watch = watch or Watch()
    if progress is not None:
        watch.progress = progress
    draft = drafts(reports, environment, source.stem, incident=incident, key=sign_key)
    watch.began(draft.id)
    kernel_env = {**os.environ, RECORD_VARIABLE: str(draft.folder), FINAL_VARIABLE: str(draft.final)}
    kernel_env |= {REPLAY_VARIABLE: replay, KEY_VARIABLE: key}
    if not replay:
        kernel_env["CARGO_RUNBOOK_INVENTORY"] = str(find_inventory(inventory).absolute())
    about = {"domain": opened.domain, "replayed": opened.replayed, "incident": draft.incident}
    about["runbook_sha256"] = sha256_of(source)
    ledger = Ledger(draft.folder, environment, source.stem, redactor.redact, about)
    run = _Run(source, about["runbook_sha256"], values, draft, ledger, redactor, watch)
    try:
        _execute(run, kernel_env, deadline, kernels=kernels, save_every=save_every)
    except BaseException:
        # Whatever it was, Ctrl-C too: what is true until here is kept before it goes on.
        watch.failed(Text("the run was broken off", "运行被中断"))
        # A disk that takes no more keeps the draft, whose ledger tells as much as there is.
        with suppress(OSError, RunbookError):
            _seal(run, opened)
        raise
    else:
        return _seal(run, opened)
    finally:
        ledger.release()


@dataclass(frozen=True)
class _Run:
    source: Path
    digest: str
    values: dict[str, Any]
    draft: Draft
    ledger: Ledger
    redactor: Redactor
    watch: Watch


def _execute(run: _Run, kernel_env: dict[str, str], deadline: int, **options: Any) -> None:
    # papermill takes half a second to import, and most commands don't need it.
    import_jsonschema()
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillException, PapermillExecutionError
    from papermill.execute import prepare_notebook_metadata, raise_for_execution_errors, remove_error_markers
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    from cargo_runbook.execution.kernel import KERNEL_NAME
    from cargo_runbook.execution.layout import nodes

    source, target = str(run.source), str(run.draft.folder / NOTEBOOK)
    try:
        # As papermill's `execute_notebook`, but for its last write: the engine has written the same already, and
        # laying a notebook out and validating it again is a tenth of what a run costs.
        notebook = nodes(_loaded(source, run.digest, load_notebook_node))
        notebook = parameterize_notebook(
            notebook, run.values, kernel_name=KERNEL_NAME, language="python", engine_name=ENGINE
        )
        notebook = remove_error_markers(prepare_notebook_metadata(notebook, source, target, report_mode=False))
        executed = papermill_engines.execute_notebook_with_engine(
            ENGINE,
            notebook,
            kernel_name=KERNEL_NAME,
            output_path=target,
            progress_bar=False,
            execution_timeout=deadline,
            kernel_env=kernel_env,
            watch=run.watch,
            ledger=run.ledger,
            redactor=run.redactor,
            **options,
        )
        # With a cell that failed it marks the cell, and writes that.
        raise_for_execution_errors(executed, target)
    except (PapermillException, PapermillExecutionError, CellTimeoutError, DeadKernelError, RunStopped) as error:
        run.watch.failed(Text(str(error), str(error)))
        # papermill's knows the frames that it went through, one of which knows it: they would keep the notebook.
        error.__traceback__ = None
    except RuntimeError as error:
        # jupyter_client's word for a kernel that dies or is silent while it starts.
        run.watch.failed(Text(f"the kernel did not start: {error}", f"内核未能启动：{error}"))


@lru_cache(maxsize=4)
def _loaded(source: str, _digest: str, load: Callable[[str], Any]) -> Any:
    # A batch runs one notebook many times, each time a copy.
    return load(source)


def _opened(environment: str, inventory: Path | None, image: str, replay: str, redactor: Redactor) -> Opened:
    # Late: a batch has loaded its environments, and need not load what asks hosts.
    from cargo_runbook.investigation import open_investigation

    # Opening sends nothing, but finds every mistake that would otherwise end as a failing cell.
    with open_investigation(
        environment, inventory=inventory, image=image, replay=replay, redactor=redactor
    ) as investigation:
        return Opened(investigation.environment.domain, investigation.replayed)


def _seal(run: _Run, opened: Opened) -> RunResult:
    draft, source, watch = run.draft, run.source, run.watch
    domain, replayed = opened.domain, opened.replayed
    if not (draft.folder / NOTEBOOK).exists():
        # Late: it brings all of nbformat, which a run that came so far has loaded anyway.
        from cargo_runbook.execution.saving import notebook_text

        untouched = json.loads(source.read_bytes())
        write_text(draft.folder / NOTEBOOK, notebook_text(redacted_notebook(untouched, run.redactor)))
    verdict = _verdict(draft.folder / VERDICT)
    if not verdict and watch.reason is None:
        watch.failed(Text("the notebook came to its end without a verdict", "Notebook 已执行完，但没有给出结论"))
    reason = run.redactor.redact(watch.reason.en) if watch.reason else ""
    run.ledger.close(reason)
    if reason:
        ended = {"environment": draft.environment, "domain": domain, "root_causes": [], "findings": []}
        ended |= {"refuted": [], "untested": [], "replayed": replayed}
        verdict = {**ended, **verdict, "status": FAILED, "reason": reason}
        write_json(draft.folder / VERDICT, verdict)
    record = draft.seal(
        status=verdict["status"],
        domain=domain,
        root_causes=verdict["root_causes"],
        runbook_sha256=run.digest,
        replayed=replayed,
        reason=reason,
        redactor=run.redactor,
    )
    return RunResult(
        record=record.header.record,
        path=record.path,
        environment=draft.environment,
        runbook=draft.runbook,
        status=record.header.status,
        root_causes=record.header.root_causes,
        reason=reason,
        reason_zh=run.redactor.redact(watch.reason.zh) if watch.reason else "",
        head=record.head,
        replayed=replayed,
    )


def _revealed(value: Any, redactor: Redactor) -> Any:
    """A parameter as the kernel needs it."""
    if not isinstance(value, Secret):
        return value
    redactor.register(value)
    return value.reveal()


def _verdict(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return body

"""How a notebook begins: what a client printed, which environment, and the look at it."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.getipython import get_ipython

from cargo_runbook.archive.record import RECORD_VARIABLE, in_a_run, reports_folder
from cargo_runbook.connections.ssh import known_host_keys
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.execution.guard import guard_running_kernel
from cargo_runbook.execution.pasting import image_of, understood
from cargo_runbook.execution.session import notebook_name
from cargo_runbook.execution.triage import Triage
from cargo_runbook.inventory.loader import environment_names, find_inventory, load_environment
from cargo_runbook.inventory.models import Machine
from cargo_runbook.investigation import Investigation, open_investigation
from cargo_runbook.recordings import REPLAY_VARIABLE, load_recording
from cargo_runbook.remedies.outcome import Wish
from cargo_runbook.secret import Redactor
from cargo_runbook.steps import SECTIONS
from cargo_runbook.texts import tell
from cargo_runbook.views.target import KnownHost, TargetView

if TYPE_CHECKING:
    from cargo_runbook.views.panels import EnvironmentPanel, LanguagePanel


def open_environment(
    name: str,
    *,
    runbook: str = "",
    inventory: Path | None = None,
    image: str = "",
    account: str = "",
    action: str = "",
    policy: str = "",
    error_text: str = "",
    incident: str = "",
    replay: str | None = None,
    reports: Path | None = None,
) -> Triage:
    """Opens an environment of the inventory for a triage or for one section; nothing is sent yet.

    In JupyterLab, what a kernel that was killed left of the same notebook is sealed first.

    Args:
        name: name of the environment.
        runbook: name of the section's notebook, whose steps are wanted (`60_permission`).
        inventory: folder of the inventory (default: as everywhere).
        image: repository:tag to look for instead of the inventory's.
        account, action: who wants to pull or push it, instead of all that the inventory says must work.
        policy: name of the replication policy to look at (default: all).
        error_text: what a client printed; the image that it names is looked for, where it is this registry's.
        incident: what a record belongs to that is made by hand (default: CARGO_RUNBOOK_INCIDENT).
        replay: name of a shipped recording (default: CARGO_RUNBOOK_REPLAY).
        reports: folder for a record that is made by hand (default: CARGO_RUNBOOK_REPORTS, else ./reports).

    Raises:
        InventoryError, UnknownEnvironment, UsageError: as their sentences say.
    """
    if runbook and runbook not in SECTIONS:
        known = ", ".join(SECTIONS)
        raise UsageError(
            tell(f"there is no runbook {runbook!r} with steps", f"没有带步骤的 Runbook {runbook!r}"),
            next_step=tell(f"There are: {known}.", f"现有：{known}。"),
        )
    said = understood(error_text) if error_text.strip() else None
    if said is not None and not image:
        with open_investigation(name, inventory=inventory, replay=replay) as opened:
            image = image_of(said, opened.environment)
    redactor = guard_running_kernel() or Redactor()
    reopen = partial(
        open_investigation,
        name,
        inventory=inventory,
        image=image,
        account=account,
        action=action,
        policy=policy,
        operation=said.subject.operation if said else "",
        replay=replay,
        redactor=redactor,
    )
    investigation = reopen()
    atexit.register(investigation.close)
    record = os.environ.get(RECORD_VARIABLE)
    by_hand = record is None and get_ipython() is not None
    if by_hand:
        # Late: a run without anybody at it needs none of it.
        from IPython.display import display

        from cargo_runbook.execution.stepping.left import seal_left
        from cargo_runbook.views.ran import LEFT, RanNote

        for left in seal_left(reports or reports_folder(), name, notebook_name()):
            display(RanNote((LEFT.fill({"record": left.header.record}),), warns=True))  # type: ignore[no-untyped-call]
    return Triage(
        investigation,
        steps=SECTIONS.get(runbook, ()),
        record=Path(record) if record else None,
        reports=reports,
        wish=None if investigation.replayed else Wish("", name, image, account, action),
        inventory=inventory,
        said=said,
        redactor=redactor,
        incident=incident,
        reopen=_closing(reopen) if by_hand else None,
    )


def _closing(reopen: Callable[[], Investigation]) -> Callable[[], Investigation]:
    """Opens, and closes it when the interpreter ends."""

    def opened() -> Investigation:
        investigation = reopen()
        atexit.register(investigation.close)
        return investigation

    return opened


def choose_environment(default: str = "", lang: str = "") -> EnvironmentPanel:
    """A list of the inventory's environments, `default` chosen, with who it is; text in a run without anybody at it.

    Args:
        lang: en, zh or both: what the notebook shows (default: CARGO_RUNBOOK_LANG, else the locale, else both).
    """
    from cargo_runbook.views.panels import SPEECH, EnvironmentPanel
    from cargo_runbook.views.panels.speech import chosen_language

    SPEECH.language = chosen_language(lang, os.environ)
    replay = os.environ.get(REPLAY_VARIABLE)
    # In a run nobody chooses, and an inventory may have ten thousand.
    interactive = not in_a_run()
    try:
        folder = load_recording(replay).folder if replay else find_inventory()
        names = environment_names(folder) if interactive else ()
    except UsageError:
        # Opening the environment will say it with all that belongs to it.
        return EnvironmentPanel((), default, interactive=interactive)
    target = partial(target_of, folder=folder, replayed=bool(replay))
    panel = EnvironmentPanel(names, default, target, interactive=interactive)
    return _chosen.setdefault((default, names), panel) if interactive else panel


def choose_language(lang: str = "") -> LanguagePanel:
    """The switch of the language, for a notebook that is about no environment; text in a run without anybody at it.

    Args:
        lang: as in `choose_environment`.
    """
    from cargo_runbook.views.panels import SPEECH, LanguagePanel
    from cargo_runbook.views.panels.speech import chosen_language

    SPEECH.language = chosen_language(lang, os.environ)
    return LanguagePanel(interactive=not in_a_run())


_chosen: dict[tuple[str, tuple[str, ...]], EnvironmentPanel] = {}
"""A cell that is run again shows the same panel, with what was chosen."""


def target_of(name: str, folder: Path, *, replayed: bool = False) -> TargetView:
    """Who an environment is, by its file and by known_hosts; no host is asked."""
    try:
        environment = load_environment(name, folder)
        machines: tuple[Machine, ...] = environment.hosts
        known = tuple(
            KnownHost(each.name, each.address, None if replayed else known_host_keys(each.ssh_alias))
            for each in machines
        )
    except RunbookError as error:
        return TargetView(name, problem=str(error))
    cluster, admin = environment.kubernetes, environment.cargo_admin
    return TargetView(
        name,
        stage=str(environment.stage),
        registry=environment.authority,
        hosts=known,
        cluster=f"{cluster.context} ({cluster.namespace})" if cluster else "",
        cargo_admin=admin.url if admin else "",
        file=str(environment.file),
    )

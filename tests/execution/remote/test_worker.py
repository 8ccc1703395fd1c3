"""What a worker refuses before it begins, and which kernels it keeps."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cargo_runbook.archive.files import sha256_of
from cargo_runbook.execution.remote.order import RunOrder
from cargo_runbook.execution.warm.kernels import WarmKernels
from cargo_runbook.execution.watch import Watch
from tests.execution.batch.many import write_many
from tests.execution.notebooks import write_notebook
from tests.waiting import until

pytestmark = pytest.mark.slow


def order(inventory: Path, digest: str, program: str = "") -> RunOrder:
    return RunOrder(
        run="r",
        version=program or version("cargo-runbook"),
        environment="fine-1",
        runbook="act",
        notebook=b"{}",
        parameters={},
        replay="",
        inventory=str(inventory),
        environment_sha256=digest,
        archive="/srv/reports",
        deadline=10,
        topic="t",
    )


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Any:
    from cargo_runbook.execution.remote import worker

    monkeypatch.setattr(worker, "get_worker", lambda: SimpleNamespace(address="tcp://w:1"))
    return lambda asked: worker.do_run(asked).refused[0]


def test_a_worker_of_another_version_refuses(refused: Any, tmp_path: Path) -> None:
    told = refused(order(tmp_path, "", "0.0.1"))
    assert f"the worker has cargo-runbook {version('cargo-runbook')}, and the batch was begun by 0.0.1" in told
    assert "(on tcp://w:1)" in told


def test_a_worker_whose_inventory_says_something_else_refuses(
    refused: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, inventory, _ = write_many(tmp_path, "fine-1")
    digest = sha256_of(inventory / "fine-1.yaml")
    monkeypatch.setenv("CARGO_RUNBOOK_INVENTORY", str(inventory))
    (inventory / "fine-1.yaml").write_text((inventory / "fine-1.yaml").read_text() + "# edited\n")
    # The folder of the machine that sends is not there: the worker's own is looked into.
    told = refused(order(tmp_path / "not-here", digest))
    assert "fine-1.yaml is not the file that the batch was begun with" in told
    monkeypatch.setenv("CARGO_RUNBOOK_INVENTORY", str(tmp_path / "nothing"))
    assert "there is no inventory" in refused(order(tmp_path / "not-here", digest))


def test_kernels_are_made_for_the_notebook_and_anew_for_another_but_not_under_runs_that_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cargo_runbook.execution.remote import worker

    told: list[tuple[str, ...]] = []

    class Kernels(WarmKernels):
        def __init__(self, **options: Any) -> None:
            told.append(options["order"].cells)
            super().__init__(**options)

    monkeypatch.setattr(worker, "WarmKernels", Kernels)
    kept = worker._Kept()
    one, other = (write_notebook(tmp_path / f"{name}.ipynb", f"print('{name}')") for name in ("one", "other"))
    with kept.run("r1", Watch(), one) as first:
        with kept.run("r2", Watch(), other) as second:
            assert second is first, "its forge would be taken from r1"
        pid = first.forge_pid
        assert Path(f"/proc/{pid}").exists()
    with kept.run("r3", Watch(), one) as third:
        assert third is first
    with kept.run("r4", Watch(), other) as fourth:
        assert fourth is not first
        # It ends by itself once its socket is closed.
        until(lambda: not Path(f"/proc/{pid}").exists())
    kept.close_idle()
    assert [cells[-1] for cells in told] == ["print('one')", "print('other')"]

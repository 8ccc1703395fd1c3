"""A result that a worker had finished, and that is gone with it before it was fetched."""

from __future__ import annotations

from typing import Any

import pytest

from cargo_runbook.execution.remote.order import RunReturned

pytestmark = pytest.mark.slow


class LostOnce:
    """A future of Dask whose worker went away with the result; Dask does it again meanwhile."""

    status = "finished"

    def __init__(self) -> None:
        self.asked = 0

    def done(self) -> bool:
        return True

    def result(self, timeout: float) -> RunReturned:
        self.asked += 1
        if self.asked == 1:
            raise TimeoutError
        return RunReturned(refused=("the second time", "第二次"))


def test_it_is_waited_for_again_and_the_cluster_does_not_count_as_lost() -> None:
    from cargo_runbook.execution.remote.cluster import Cluster

    cluster, future = Cluster.__new__(Cluster), LostOnce()
    fetched: list[Any] = [cluster._fetched(future), cluster._fetched(future)]  # type: ignore[arg-type]
    assert fetched == [None, RunReturned(refused=("the second time", "第二次"))]

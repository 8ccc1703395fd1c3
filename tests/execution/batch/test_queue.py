"""Who may start: bounded in all, for each host and each cluster, and nobody is held up by one that is silent."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from cargo_runbook.execution.batch.queue import Job, Limits, Queue


def job(name: str, *hosts: str, cluster: str = "") -> Job:
    return Job(name, frozenset(hosts), frozenset({cluster} if cluster else ()))


def taken(queue: Queue) -> list[str]:
    names = []
    while (next_one := queue.take()) is not None:
        names.append(next_one.environment)
    return names


def test_a_run_whose_host_is_busy_is_overtaken_and_comes_first_when_the_host_is_free() -> None:
    jobs = [job("a", "h1"), job("b", "h1"), job("c", "h1"), job("d", "h2"), job("e", "h3")]
    queue = Queue(jobs, Limits(at_once=3, per_host=1))
    assert taken(queue) == ["a", "d", "e"]
    queue.done(jobs[0])
    assert taken(queue) == ["b"]


def test_a_cluster_is_never_asked_by_more_runs_than_it_may_be() -> None:
    jobs = [job(str(n), f"h{n}", cluster="prod") for n in range(5)]
    assert taken(Queue(jobs, Limits(at_once=5, per_cluster=2))) == ["0", "1"]


def test_a_silent_run_gives_its_slot_up_but_not_its_host() -> None:
    jobs = [job("silent", "h1"), job("same", "h1"), job("other", "h2"), job("last", "h3")]
    queue = Queue(jobs, Limits(at_once=1, per_host=1))
    assert taken(queue) == ["silent"]
    queue.silent(jobs[0])
    assert taken(queue) == ["other"]
    queue.heard(jobs[0])
    queue.done(jobs[2])
    assert taken(queue) == []
    queue.done(jobs[0])
    assert taken(queue) == ["same"]


class Watched(frozenset[str]):
    """Hosts that count how often they are looked at."""

    looks = 0

    def isdisjoint(self, other: Iterable[object], /) -> bool:
        Watched.looks += 1
        return super().isdisjoint(other)


def test_those_that_wait_for_one_host_are_not_gone_through_at_each_look() -> None:
    queue = Queue([Job(str(n), Watched({"h"})) for n in range(1000)], Limits(at_once=16, per_host=2))
    assert taken(queue) == ["0", "1"]
    looks = Watched.looks
    for _ in range(100):
        assert queue.take() is None
    assert Watched.looks == looks
    queue.done(next(iter(queue.running)))
    assert taken(queue) == ["2"]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=30),
    st.builds(Limits, st.integers(1, 6), st.integers(1, 3), st.integers(1, 4)),
    st.randoms(use_true_random=False),
)
def test_every_run_begins_once_and_no_limit_is_ever_passed(
    places: list[tuple[int, int]], limits: Limits, random: object
) -> None:
    jobs = [job(str(n), f"h{host}", cluster=f"c{cluster}") for n, (host, cluster) in enumerate(places)]
    queue, began = Queue(jobs, limits), []
    while queue.waiting or queue.running:
        began += taken(queue)
        running = sorted(queue.running, key=lambda j: j.environment)
        assert running, "nothing runs, and something waits"
        assert len(running) <= limits.at_once
        for key in {key for j in running for key in j.hosts}:
            assert sum(key in j.hosts for j in running) <= limits.per_host
        for key in {key for j in running for key in j.clusters}:
            assert sum(key in j.clusters for j in running) <= limits.per_cluster
        queue.done(random.choice(running))  # type: ignore[attr-defined]
    assert sorted(began) == sorted(j.environment for j in jobs)

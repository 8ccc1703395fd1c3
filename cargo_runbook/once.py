"""A property that is computed once for each object, by the first thread that wants it; the others wait for it.

`functools.cached_property` has one lock for all objects of a class in Python 3.11, so that one silent environment
would hold all others, and none at all from 3.12 on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class Answers:
    """What the `once` properties of one object hold, by name. Subclasses have such properties."""

    def __init__(self) -> None:
        self._answers: dict[str, Future[Any]] = {}
        self._answers_lock = threading.Lock()

    def answered(self) -> dict[str, Any]:
        """The values of all properties that were computed so far."""
        with self._answers_lock:
            answers = dict(self._answers)
        return {name: a.result() for name, a in answers.items() if a.done() and not a.exception()}

    def forget_failed(self) -> None:
        """What could not be computed is computed anew when it is wanted next; nobody may be computing it now."""
        with self._answers_lock:
            for name in [name for name, answer in self._answers.items() if not answer.done() or answer.exception()]:
                del self._answers[name]


class once(Generic[T]):  # noqa: N801 - it is used like `property`
    """The decorator."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> once[T]: ...
    @overload
    def __get__(self, instance: Answers, owner: type) -> T: ...
    def __get__(self, instance: Answers | None, owner: type) -> once[T] | T:
        if instance is None:
            return self
        with instance._answers_lock:
            answer = instance._answers.get(self._name)
            mine = answer is None
            if answer is None:
                answer = instance._answers[self._name] = Future()
        if mine:
            try:
                answer.set_result(self._compute(instance))
            except BaseException as error:
                answer.set_exception(error)
                raise
        result: T = answer.result()
        return result

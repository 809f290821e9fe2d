"""A thread that runs jobs one after the other, for callers on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from adapter.errors import StoreUnavailable

T = TypeVar("T")
_Job = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class Worker:
    """Runs jobs in their order. A job whose caller is cancelled still runs, and may commit.

    With `giving_up` it skips jobs whose caller is cancelled, and a running job can ask with `given_up`.
    """

    def __init__(self, name: str, *, giving_up: bool = False) -> None:
        self._name = name
        self._giving_up = giving_up
        self._current: asyncio.Future[Any] | None = None
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = Thread(target=self._work, name=self._name, daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[], T]) -> T:
        """Run a job in the thread, and return or raise what it does; raises StoreUnavailable when stopped."""
        if self._thread is None:
            raise StoreUnavailable("the store is closed: open it first")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put((job, loop, future))
        return await future

    def given_up(self) -> bool:
        """Return, for the running job, whether its caller was cancelled."""
        current = self._current
        return self._giving_up and current is not None and current.cancelled()

    async def stop(self) -> None:
        """Finish what was asked for, then end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            await asyncio.get_running_loop().run_in_executor(None, thread.join)

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, loop, future = entry
            self._current = future
            if self.given_up():
                continue
            try:
                result, error = job(), None
            except BaseException as raised:  # noqa: BLE001 - whatever a job raises is its caller's
                result, error = None, raised
            try:
                loop.call_soon_threadsafe(_resolve, future, result, error)
            except RuntimeError:
                # The caller's loop has ended: there is no future to resolve.
                continue
            del job, loop, future, entry, result, error


def _resolve(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)

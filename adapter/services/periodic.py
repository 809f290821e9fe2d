"""Periodic work while the server runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from adapter.errors import Unavailable

log = logging.getLogger(__name__)


async def tried(task: str, work: Callable[[], Awaitable[Any]]) -> Any:
    """Await the work; when it fails, log that and return None: the next round retries."""
    try:
        return await work()
    except Unavailable as error:
        log.warning("could not %s, will retry: %s", task, error)
    except Exception:
        log.exception("could not %s, will retry", task)
    return None


#: Periodic work that ends soon after the event is set.
Loop = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


@asynccontextmanager
async def until_stopped(*loops: Loop, patience: timedelta = timedelta(seconds=5)) -> AsyncIterator[None]:
    """Run the loops while the block runs; then stop all at once, and wait until every one has ended.

    Each may be waiting for a store that does not answer, so one after the other would wait for all their
    timeouts. Those that have not ended after `patience` are cancelled: what they do is safe to be killed, and
    is done again. Raises what a loop raised, once none runs any more.
    """
    stop = asyncio.Event()
    tasks = [asyncio.create_task(run(stop), name=_name(run)) for run in loops]
    try:
        yield
    finally:
        stop.set()
        _, late = await asyncio.wait(tasks, timeout=patience.total_seconds())
        for task in late:
            log.warning(
                "%s has not ended in time, and is cancelled; its work is done again later", task.get_name()
            )
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error


def _name(run: Loop) -> str:
    return getattr(run, "__qualname__", "a background task").rpartition("<locals>.")[2].removesuffix(".run")


async def pause(stop: asyncio.Event, interval: timedelta) -> None:
    """Wait for the interval, or until `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), interval.total_seconds())
    except TimeoutError:
        return

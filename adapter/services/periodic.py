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
async def until_stopped(*loops: Loop) -> AsyncIterator[None]:
    """Run the loops while the block runs; then stop all at once, and wait until every one has ended.

    Each may be waiting for the store, so one after the other would wait for all their timeouts. Raises
    what a loop raised, once none runs any more.
    """
    stop = asyncio.Event()
    tasks = [asyncio.create_task(run(stop)) for run in loops]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait(tasks)
        for task in tasks:
            task.result()


async def pause(stop: asyncio.Event, interval: timedelta) -> None:
    """Wait for the interval, or until `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), interval.total_seconds())
    except TimeoutError:
        return

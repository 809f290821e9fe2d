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


@asynccontextmanager
async def until_stopped(run: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run a loop while the block runs; then set its event, and wait until it ends."""
    stop = asyncio.Event()
    task = asyncio.create_task(run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def pause(stop: asyncio.Event, interval: timedelta) -> None:
    """Wait for the interval, or until `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), interval.total_seconds())
    except TimeoutError:
        return

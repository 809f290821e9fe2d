"""Tasks that continue when their caller was cancelled."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

Running = TypeVar("Running", bound="asyncio.Future[Any]")


def unheard(running: Running) -> Running:
    """Return a task whose error is not logged if the caller was cancelled before the task ended.

    A caller that waits for it still gets the error. With `asyncio.shield` alone, such an error is logged as
    one that was never retrieved.
    """
    running.add_done_callback(_retrieve)
    return running


def _retrieve(done: asyncio.Future[Any]) -> None:
    if not done.cancelled():
        done.exception()

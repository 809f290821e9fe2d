"""Tasks that go on when their caller has gone."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

Running = TypeVar("Running", bound="asyncio.Future[Any]")


def unheard(running: Running) -> Running:
    """Return a task whose error, where its caller has gone before it ended, is no news for the log.

    Who waits for it gets its error all the same. `asyncio.shield` alone leaves such an error to be logged
    as one that was never retrieved.
    """
    running.add_done_callback(_retrieve)
    return running


def _retrieve(done: asyncio.Future[Any]) -> None:
    if not done.cancelled():
        done.exception()

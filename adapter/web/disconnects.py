"""Cancels work for clients that disconnect before their response."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.types import Receive

from adapter.tasks import unheard
from adapter.web.request_body import Disconnected

T = TypeVar("T")


async def cancel_on_disconnect(receive: Receive, work: Awaitable[T]) -> T:
    """Return the result of `work`; if the client disconnects, cancel it and raise Disconnected."""
    working = unheard(asyncio.ensure_future(work))
    watching = unheard(asyncio.ensure_future(_disconnect(receive)))
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Disconnected
        return working.result()
    finally:
        for task in (working, watching):
            task.cancel()


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

"""Callers that go away before they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.types import Receive

from adapter.tasks import unheard
from adapter.web.request_body import Disconnected

T = TypeVar("T")


async def while_there(receive: Receive, asked: Awaitable[T]) -> T:
    """Return what is asked; once the caller is gone it is cancelled, and Disconnected raised."""
    asking, going = unheard(asyncio.ensure_future(asked)), unheard(asyncio.ensure_future(_gone(receive)))
    try:
        await asyncio.wait((asking, going), return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            raise Disconnected
        return asking.result()
    finally:
        for task in (asking, going):
            task.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

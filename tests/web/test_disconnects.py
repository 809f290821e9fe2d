"""A read is cancelled when its client disconnects; a write is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from adapter.web.disconnects import cancel_on_disconnect
from adapter.web.request_body import Disconnected

Message = dict[str, Any]


def going(after: asyncio.Event) -> Callable[[], Any]:
    """Return an ASGI `receive` of a client without a body, which disconnects."""
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await after.wait()
        return {"type": "http.disconnect"}

    return receive


async def test_a_read_is_cancelled_when_the_caller_disconnects() -> None:
    gone, steps = asyncio.Event(), list[str]()

    async def asked() -> None:
        try:
            steps.append("begun")
            gone.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            steps.append("cancelled")
            raise

    with pytest.raises(Disconnected):
        await cancel_on_disconnect(going(gone), asked())
    await asyncio.sleep(0)
    assert steps == ["begun", "cancelled"]


async def test_a_read_returns_its_result_or_raises() -> None:
    async def response() -> int:
        return 7

    async def failure() -> int:
        raise ValueError("wrong")

    assert await cancel_on_disconnect(going(asyncio.Event()), response()) == 7
    with pytest.raises(ValueError, match="wrong"):
        await cancel_on_disconnect(going(asyncio.Event()), failure())


async def test_a_cancelled_caller_cancels_the_read() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def asked() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(cancel_on_disconnect(going(asyncio.Event()), asked()))
    await begun.wait()
    waiting.cancel()
    await asyncio.wait_for(ended.wait(), 5)
    with pytest.raises(asyncio.CancelledError):
        await waiting

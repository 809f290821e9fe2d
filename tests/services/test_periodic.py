"""Background tasks stop together, in bounded time, and an error of one is heard."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from adapter.services.periodic import until_stopped

AT_ONCE = timedelta()


async def test_each_loop_ends_only_once_all_were_told_to_stop() -> None:
    """A loop that waits for the other's stop would wait for ever if they were stopped one by one."""
    told = asyncio.Event()

    async def first(stop: asyncio.Event) -> None:
        await stop.wait()
        await told.wait()

    async def second(stop: asyncio.Event) -> None:
        await stop.wait()
        told.set()

    for loops in ((first, second), (second, first)):
        told.clear()
        async with asyncio.timeout(30), until_stopped(*loops):
            pass


async def test_what_does_not_end_is_cancelled_and_named(caplog: pytest.LogCaptureFixture) -> None:
    ended = []

    async def stuck(stop: asyncio.Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("stuck")

    with caplog.at_level(logging.WARNING):
        async with until_stopped(stuck, patience=AT_ONCE):
            await asyncio.sleep(0)
    assert ended == ["stuck"]
    assert "stuck has not ended in time" in caplog.text


async def test_what_a_loop_raised_is_raised_once_the_others_have_ended() -> None:
    ended = []

    async def fails(stop: asyncio.Event) -> None:
        raise ValueError("broken")

    async def other(stop: asyncio.Event) -> None:
        await stop.wait()
        ended.append("other")

    with pytest.raises(ValueError, match="broken"):
        async with until_stopped(fails, other):
            await asyncio.sleep(0)
    assert ended == ["other"]

"""Tasks that go on when their caller has gone: who waits gets their error, and the log does not."""

from __future__ import annotations

import asyncio
import gc

import pytest

from adapter.tasks import unheard


async def _fails(after: asyncio.Event) -> None:
    await after.wait()
    raise ValueError("a fault of its own")


async def test_the_error_of_an_abandoned_task_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate = asyncio.Event()
    waiting = asyncio.create_task(_shielded(gate))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.set()
    for _ in range(3):
        await asyncio.sleep(0)
    gc.collect()
    assert caplog.records == []


async def _shielded(gate: asyncio.Event) -> None:
    await asyncio.shield(unheard(asyncio.create_task(_fails(gate))))


async def test_every_waiting_caller_gets_the_error() -> None:
    gate = asyncio.Event()
    gate.set()
    with pytest.raises(ValueError, match="a fault of its own"):
        await _shielded(gate)

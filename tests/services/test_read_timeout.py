"""How long one waits who reads."""

from __future__ import annotations

import asyncio

import pytest

from adapter.errors import StoreUnavailable, Unavailable
from adapter.services.read_timeout import ReadTimeout


async def test_a_read_within_its_timeout_returns() -> None:
    assert await ReadTimeout(5).read(asyncio.sleep(0, "found")) == "found"


async def test_a_read_past_its_timeout_is_given_up_as_unavailable() -> None:
    given_up = asyncio.Event()

    async def reading() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    with pytest.raises(Unavailable, match="read timed out") as raised:
        await ReadTimeout(0.01).read(reading())
    assert raised.value.retry_after == 2
    assert given_up.is_set()


async def test_an_error_before_the_timeout_is_reported_unchanged() -> None:
    async def reading() -> None:
        raise Unavailable("cut off")

    with pytest.raises(Unavailable, match="cut off"):
        await ReadTimeout(5).read(reading())


async def test_where_the_store_lies_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def reading() -> None:
        raise StoreUnavailable("the store /var/a.db cannot be used now")

    with pytest.raises(StoreUnavailable):
        await ReadTimeout(5).read(reading())
    assert "could not be read: the store /var/a.db cannot be used now" in caplog.text

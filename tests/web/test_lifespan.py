"""The ASGI lifespan protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapter.errors import Unavailable


async def lived(app: Any) -> list[dict[str, Any]]:
    """Return the messages of the application from start to stop."""
    sent: list[dict[str, Any]] = []
    steps = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> dict[str, str]:
        return next(steps)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app({"type": "lifespan", "state": {}}, receive, send)
    return sent


def failing(error: Exception, *, at_start: bool) -> Any:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        if at_start:
            raise error
        yield
        raise error

    return lifespan


async def test_the_services_live_as_long_as_the_server(app: Callable[..., Any], services: Any) -> None:
    assert await lived(app()) == [
        {"type": "lifespan.startup.complete"},
        {"type": "lifespan.shutdown.complete"},
    ]
    assert services.alive == ["entered", "left"]


async def test_a_failed_start_is_reported_with_its_error(app: Callable[..., Any], services: Any) -> None:
    services.lifespan = failing(Unavailable("another process has the store open"), at_start=True)
    assert await lived(app()) == [
        {"type": "lifespan.startup.failed", "message": "another process has the store open"}
    ]


async def test_an_unexpected_error_at_shutdown_is_logged(
    app: Callable[..., Any], services: Any, caplog: pytest.LogCaptureFixture
) -> None:
    services.lifespan = failing(KeyError("jane"), at_start=False)
    assert [message["type"] for message in await lived(app())] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.failed",
    ]
    assert "unexpected error" in caplog.text

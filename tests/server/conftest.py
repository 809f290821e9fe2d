"""A server over a small application, and the real application over small services."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.server.serving import Echo, echo, served
from tests.web.conftest import app, context, services

__all__ = ["address", "app", "context", "services"]


@pytest.fixture(params=["asgi", "fast path"])
async def address(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, int]]:
    """Yield the address of a server that echoes bodies."""
    async with served(echo if request.param == "asgi" else Echo()) as address:
        yield address

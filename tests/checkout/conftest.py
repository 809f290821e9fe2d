"""A shop on a store of each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from adapter.store.contract import Store
from tests.checkout.shop import OpenShops, Shop


@pytest.fixture
async def shop(store_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(store_url, tmp_path / "rules").open() as shop:
        yield shop


@pytest.fixture
async def open_shops(store_url: str, tmp_path: Path) -> AsyncIterator[OpenShops]:
    """Opens two shops over one database, one where the engine has one process only."""
    async with AsyncExitStack() as stack:

        async def open_(wrap: Callable[[Store], Store] = lambda store: store) -> list[Shop]:
            count = 2 if store_url.startswith("postgres") else 1
            shops = [Shop(store_url, tmp_path / "rules", wrap=wrap) for _ in range(count)]
            return [await stack.enter_async_context(shop.open()) for shop in shops]

        yield open_

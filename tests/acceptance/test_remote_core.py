"""An adapter and its remote core, two servers: the core killed again and again under load, on a bad wire.

Every event is decided once, and every discount is answered or pushed, and pushed under one id. The checker
finds fault with an adapter that gives operations a new id whenever it sends them.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.store.engines import open_store
from tests.acceptance.invariants import CAP, Kept, kept, miscounted, unsent, violations
from tests.acceptance.receiver import Receiver

pytestmark = [
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

_VARIANTS = str(Path(__file__).parent / "variants.py")
#: Of every so many responses of the core two are lost, one after the other.
_LOST = 6


@asynccontextmanager
async def bad_wire(port: int) -> AsyncIterator[int]:
    """Forward connections to a port, and break some when the response comes; yields the port to use."""
    responses = 0
    connected: set[asyncio.StreamWriter] = set()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal responses
        try:
            # From another address: where nothing listens, one might connect to itself, and keep the port.
            up, down = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))
        except OSError:
            writer.transport.abort()
            return
        sending = asyncio.create_task(_pump(reader, down))
        connected.update((writer, down))
        try:
            while part := await up.read(65_536):
                responses += part.startswith(b"HTTP/1.1")
                if responses % _LOST >= _LOST - 2:
                    break
                writer.write(part)
                await writer.drain()
        except OSError:
            pass
        finally:
            sending.cancel()
            writer.transport.abort()
            down.transport.abort()
            connected.difference_update((writer, down))

    server = await asyncio.start_server(forward, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in list(connected):
            writer.transport.abort()
        await asyncio.sleep(0.05)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65_536):
        writer.write(part)


class Pair:
    """A core and its adapter; `settled` waits until nothing is on its way any more."""

    def __init__(self, core: Any, core_store: str, adapter: Any, adapter_store: str) -> None:
        self.core = core
        self.adapter = adapter
        self._stores = core_store, adapter_store

    async def settled(self) -> Kept:
        """Wait until all is delivered, stop both, and return what the core and the adapter's outbox have."""
        async with asyncio.timeout(120):
            while await open_store(self._stores[1]).deliveries("due", 1):  # noqa: ASYNC110 - no event says it
                await asyncio.sleep(0.2)
        self.adapter.stop()
        self.core.stop()
        found = await kept(self._stores[0])
        return replace(found, outbox=(await kept(self._stores[1])).outbox)


@asynccontextmanager
async def _pair(
    start_server: Any, folder: Path, rules: Path, core_store: str, **adapter: Any
) -> AsyncIterator[Pair]:
    core = await asyncio.to_thread(start_server, rules=rules, store=core_store)
    async with bad_wire(core.port) as port:
        config = folder / "adapter.toml"
        config.write_text(
            f'[destinations.core]\ntype = "core"\nurl = "http://127.0.0.1:{port}"\n'
            "wait_ms = 2000\nallow_private_addresses = true\n"
        )
        command = [*adapter.pop("command"), "--config", str(config)]
        store = f"sqlite:///{folder / 'outbox.db'}"
        started = await asyncio.to_thread(
            lambda: start_server(rules=folder / "none", store=store, command=command, **adapter)
        )
        yield Pair(core, core_store, started, store)


async def _loaded(load: Any, core: Any, kills: int) -> None:
    """Send, while the core is killed so often, until the rules' limits are reached."""
    sending = asyncio.create_task(load.run())
    for _ in range(kills):
        await asyncio.sleep(0.4)
        core.kill()
        await asyncio.sleep(0.2)
        await asyncio.to_thread(core.start)
    async with asyncio.timeout(60):
        while load.customers < CAP:  # noqa: ASYNC110 - no event says it
            await asyncio.sleep(0.1)
    load.stopping = True
    await sending


async def test_a_killed_core_decides_every_event_once_and_every_discount_is_told(
    start_server: Any,
    fork_launch: Any,
    load_on: Any,
    rules: Path,
    store_url: str,
    tmp_path: Path,
    receiver: Receiver,
) -> None:
    serve = [sys.executable, "-m", "adapter.cli.main", "serve"]
    async with _pair(
        start_server, tmp_path, rules, store_url,
        command=serve, launch=fork_launch, **receiver.environ,
    ) as pair:  # fmt: skip
        load = load_on(pair.adapter.url, senders=8)
        await _loaded(load, pair.core, kills=3)
        found = await pair.settled()
    answered = Counter(code for codes in load.acknowledged.values() for code in codes)
    assert answered.keys() <= found.discounts.keys()
    assert set(answered.values()) <= {1}
    assert unsent(found, receiver.pushed) == []
    told = dict.fromkeys(load.acknowledged, ()) | {next(iter(load.acknowledged)): tuple(receiver.pushed)}
    assert violations(found, told, load.customers) == []


async def test_the_checker_catches_an_adapter_that_gives_operations_new_ids(
    start_server: Any,
    fork_launch: Any,
    load_on: Any,
    rules: Path,
    store_url: str,
    tmp_path: Path,
) -> None:
    if not store_url.startswith("sqlite"):
        pytest.skip("the adapter is broken, not the core")
    async with _pair(
        start_server, tmp_path, rules, store_url,
        command=[sys.executable, _VARIANTS, "new-ids"], launch=fork_launch,
    ) as pair:  # fmt: skip
        load = load_on(pair.adapter.url, senders=8)
        await _loaded(load, pair.core, kills=0)
        found = await pair.settled()
    events = Counter[str]()
    for name, count in found.events.items():
        events[name.partition("~")[0]] += count
    assert any(count > 1 for count in events.values()), "some event was decided twice"
    assert any("stored 2 times" in each for each in violations(
        replace(found, events=events), load.acknowledged, load.customers
    ))  # fmt: skip
    assert miscounted(found) == []

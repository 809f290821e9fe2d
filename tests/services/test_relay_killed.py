"""Relays that are killed while they send, alone or two at once: each delivery arrives, under one id."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapter.store.engines import open_store
from tests.services.outbox_doubles import many, put

COUNT = 120
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Sink:
    """A receiver that counts how often each delivery came, and answers a little later.

    While `taking` is not set it holds what comes, neither counted nor answered; `held` says that it does.
    """

    def __init__(self) -> None:
        self.came: Counter[str] = Counter()
        self.arrived = asyncio.Condition()
        self.taking = asyncio.Event()
        self.taking.set()
        self.held = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
                headers = dict(line.split(": ", 1) for line in head[1:] if line)
                await reader.readexactly(int(headers["content-length"]))
                if not self.taking.is_set():
                    self.held.set()
                await self.taking.wait()
                if writer.is_closing():
                    return
                async with self.arrived:
                    self.came[headers["webhook-id"]] += 1
                    self.arrived.notify_all()
                await asyncio.sleep(0.005)
                writer.write(ANSWER)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def drop(self) -> None:
        """Break every connection with what was not counted of it, and take what comes on others."""
        for writer in self._writers:
            writer.transport.abort()
        self.taking.set()

    async def until(self, total: int) -> None:
        async with asyncio.timeout(60), self.arrived:
            await self.arrived.wait_for(lambda: self.came.total() >= total)


@pytest.fixture
async def sink() -> AsyncIterator[tuple[Sink, str]]:
    sink = Sink()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    yield sink, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/in"
    server.close()


async def filled(url: str) -> None:
    store = open_store(url)
    await store.open()
    await put(store, many(COUNT))
    await store.close()


async def done(url: str) -> int:
    store = open_store(url)
    await store.open()
    count = len(await store.deliveries("done", COUNT + 1))
    await store.close()
    return count


async def started(url: str, receiver: str, way: str) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "tests.services.relay_process", url, receiver, way)
    return await asyncio.create_subprocess_exec(*command)


async def killed_and_finished(url: str, sink: Sink, receiver: str, *, at_once: int, way: str) -> None:
    """Kill relays at random moments, each followed by another, and let the last ones finish."""
    chance = random.Random(7)
    running = [await started(url, receiver, way) for _ in range(at_once)]
    for _ in range(2):
        await sink.until(sink.came.total() + chance.randrange(5, 30))
        victim = running.pop(0)
        victim.kill()
        await victim.wait()
        running.append(await started(url, receiver, way))
    async with asyncio.timeout(60):
        assert [await each.wait() for each in running] == [0] * at_once


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize(("engine", "at_once"), [("sqlite", 1), ("postgres", 2)])
async def test_each_delivery_arrives_under_one_id_whatever_is_killed(
    engine: str, at_once: int, sink: tuple[Sink, str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    sqlite = f"sqlite:///{tmp_path / 'relay.db'}"
    url = sqlite if engine == "sqlite" else str(request.getfixturevalue("postgres_url"))
    await filled(url)
    await killed_and_finished(url, *sink, at_once=at_once, way="works")
    assert sink[0].came.keys() == {each.id for each in many(COUNT)}
    assert await done(url) == COUNT


@pytest.mark.slow
@pytest.mark.process
async def test_that_check_fails_for_a_relay_that_records_before_it_sends(
    sink: tuple[Sink, str], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'relay.db'}"
    receiver, receivers_url = sink
    await filled(url)
    victim = await started(url, receivers_url, "settles-first")
    await receiver.until(10)
    receiver.taking.clear()
    async with asyncio.timeout(60):
        await receiver.held.wait()
    victim.kill()
    await victim.wait()
    receiver.drop()
    finishing = await started(url, receivers_url, "settles-first")
    assert await finishing.wait() == 0
    assert await done(url) == COUNT
    assert len(receiver.came) < COUNT

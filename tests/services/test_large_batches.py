"""A large batch is settled slice by slice: in order, each message once, and sent again as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.mapper import Mapper, Policy
from adapter.services.ingest.outcome_counts import OutcomeCounts
from adapter.services.ingest.pipeline import SLICE, Ingest
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import read_files
from adapter.settings.fields import build
from adapter.sources.decoded_body import Bounds, Decoded
from adapter.sources.segment import webhook
from adapter.store.transaction_contract import OnLocksAcquired

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
MANY = 3 * SLICE + 7
STARTER = build({("files", "mappings"): str(ROOT / "mappings"), ("files", "rules"): str(ROOT / "rules")})


class Desk:
    """Remembers what it settled; the commit of the number in `failing` fails once."""

    def __init__(self) -> None:
        self.settled: list[str] = []
        self.commits = 0
        self.failing: int | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def settle(self, batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        await asyncio.sleep(0)
        await self.open.wait()
        self.commits += 1
        if self.commits == self.failing:
            raise Unavailable("the disk is full")
        seen = set(self.settled)
        self.settled += [work.key for work in batch if work.key not in seen]
        return [Result(work.message_id, self._outcome(work, seen)) for work in batch]

    def _outcome(self, work: Work, seen: set[str]) -> Literal["processed", "duplicate", "quarantined"]:
        if work.key in seen:
            return "duplicate"
        return "quarantined" if work.quarantine else "processed"


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def ingest(desk: Desk) -> AsyncIterator[Ingest]:
    books = read_files(STARTER)
    committer = GroupCommitter(desk.settle, Limits(), Metrics())
    running = asyncio.create_task(committer.run())
    mapper = Mapper(books, Policy(), lambda: NOW)
    yield Ingest(mapper, committer, OutcomeCounts(books, Metrics(), lambda: NOW))
    committer.close()
    await running


def batch(*odd: Any) -> bytes:
    calls = ",".join(
        f'{{"type": "track", "event": "Product Viewed", "userId": "u", "messageId": "m{number}"}}'
        for number in range(MANY)
    )
    return f"[{','.join([calls, *odd])}]".encode()


@pytest.mark.parametrize("parts", [False, True], ids=["decoded at once", "decoded by parts"])
async def test_every_message_is_settled_in_its_order_and_answered_in_its_place(
    ingest: Ingest, desk: Desk, *, parts: bool
) -> None:
    if parts:
        results = await ingest.receive_parts(webhook.parts(batch(), NOW, Bounds()))
    else:
        results = await ingest.receive(webhook.decode(batch(), NOW), 1_000_000)
    assert [result.message_id for result in results] == [f"m{number}" for number in range(MANY)]
    assert desk.settled == [f"m{number}:track" for number in range(MANY)]
    assert desk.commits > 1


async def test_an_unreadable_item_is_quarantined_once_over_all_slices(ingest: Ingest, desk: Desk) -> None:
    results = await ingest.receive(webhook.decode(batch("17", '"x"'), NOW), 1_000_000)
    assert len(results) == MANY + 2
    assert len(set(desk.settled)) == MANY + 2


async def test_when_a_slice_fails_the_batch_is_sent_again_and_nothing_counts_twice(
    ingest: Ingest, desk: Desk
) -> None:
    desk.failing = 2
    with pytest.raises(Unavailable):
        await ingest.receive(webhook.decode(batch(), NOW), 1_000_000)
    results = await ingest.receive(webhook.decode(batch(), NOW), 1_000_000)
    assert {result.outcome for result in results} == {"processed", "duplicate"}
    assert sorted(desk.settled) == sorted(f"m{number}:track" for number in range(MANY))


async def test_a_part_is_decoded_only_once_the_part_before_is_being_settled(
    ingest: Ingest, desk: Desk
) -> None:
    commits_before = []

    def watched() -> Iterator[Decoded]:
        for part in webhook.parts(batch(), NOW, Bounds()):
            commits_before.append(desk.commits)
            yield part

    await ingest.receive_parts(watched())
    assert commits_before == [0, 1, 2, 3]


async def test_few_slices_are_in_memory_with_a_slow_store(ingest: Ingest, desk: Desk) -> None:
    desk.open.clear()
    decoded = 0

    def counted() -> Iterator[Decoded]:
        nonlocal decoded
        for part in webhook.parts(batch(), NOW, Bounds(slice_messages=50)):
            decoded += 1
            yield part

    receiving = asyncio.create_task(ingest.receive_parts(counted()))
    await asyncio.sleep(0.1)
    assert decoded == 2
    desk.open.set()
    assert len(await receiving) == MANY
    assert decoded == -(-MANY // 50)


async def test_others_have_their_turn_while_a_part_is_mapped(ingest: Ingest) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    await ingest._map_in_turns(webhook.decode(batch(), NOW))
    beside.cancel()
    assert turns >= MANY // 50


async def test_quarantined_messages_are_a_log_line_that_quotes_nothing(
    ingest: Ingest, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        await ingest.receive(webhook.decode(b'[17, "jane"]', NOW), 20)
    [line] = [vars(record) for record in caplog.records]
    assert (line["levelname"], line["source"], line["count"]) == ("WARNING", "segment", 2)
    assert not [value for value in line.values() if "jane" in str(value)]


def test_the_clock_is_read_once_for_all_messages_of_a_part() -> None:
    asked = 0

    def clock() -> datetime:
        nonlocal asked
        asked += 1
        return NOW

    mapper = Mapper(read_files(STARTER), Policy(), clock)
    works = mapper.works(webhook.decode(batch(), NOW).messages)
    assert len([work for work in works if work is not None]) == MANY
    assert asked == 1

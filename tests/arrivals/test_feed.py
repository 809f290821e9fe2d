"""The feed: one reader for all who watch, and a bounded queue for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from adapter.errors import Unavailable
from adapter.services.arrivals import feed as feeding
from adapter.services.arrivals.feed import Feed, FeedBatch, Viewer
from adapter.services.arrivals.filter_text import parsed
from adapter.services.arrivals.filters import NO_PEOPLE
from adapter.services.periodic import until_stopped
from adapter.store.contract import Store
from tests.arrivals.conftest import NOON, Arrivals

SOON, LONG = timedelta(milliseconds=1), timedelta(seconds=30)


class Counting:
    """A store that counts reads of the journal."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        self.reads += name in {"fresh_journal", "latest_journal", "journal"}
        return getattr(self._store, name)


@pytest.fixture
def counting(store: Store) -> Any:
    return Counting(store)


@pytest.fixture
async def feed(counting: Any) -> AsyncIterator[Feed]:
    feed = Feed(counting, SOON)
    async with until_stopped(feed.run):
        yield feed


async def shown(viewer: Viewer, count: int) -> list[str]:
    """Return the ids of so many messages, as they come."""
    found: list[str] = []
    async for batch in viewer.batches(LONG):
        assert batch is not None
        found += [each.message_id for each in batch.messages]
        if len(found) >= count:
            break
    return found


async def test_each_viewer_sees_what_fits_their_filter_as_it_arrives(feed: Feed, arrivals: Arrivals) -> None:
    refused = parsed("outcome:refused", NOON)
    async with (
        feed.watching(parsed("", NOON), NO_PEOPLE, 0) as all_of_them,
        feed.watching(refused, NO_PEOPLE, 0) as some,
    ):
        await arrivals.write(arrivals.entry("1"), arrivals.entry("2", outcome="refused"))
        await arrivals.come("3")
        assert await shown(all_of_them, 3) == ["1", "2", "3"]
        assert await shown(some, 1) == ["2"]


async def test_a_viewer_misses_nothing_between_the_list_and_the_feed(feed: Feed, arrivals: Arrivals) -> None:
    await arrivals.come("in the list")
    [row] = await arrivals.store.journal()
    await arrivals.come("meanwhile")
    async with feed.watching(parsed("", NOON), NO_PEOPLE, row.number) as first:
        await arrivals.come("live")
        assert await shown(first, 2) == ["meanwhile", "live"]
        async with feed.watching(parsed("", NOON), NO_PEOPLE, row.number) as second:
            await arrivals.come("last")
            assert await shown(second, 3) == ["meanwhile", "live", "last"]
        assert await shown(first, 1) == ["last"]


async def test_a_viewer_who_was_away_for_long_is_told_of_a_gap(
    feed: Feed, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "_CATCH_UP", 3)
    for number in range(5):
        await arrivals.come(str(number))
    async with feed.watching(parsed("", NOON), NO_PEOPLE, 1) as viewer:
        batch = await anext(viewer.batches(LONG))
    assert batch is not None
    assert ([each.message_id for each in batch.messages], batch.gap) == (["2", "3", "4"], True)


async def test_of_many_messages_the_latest_are_shown_and_the_others_counted(
    store: Store, arrivals: Arrivals
) -> None:
    feed = Feed(store)
    async with feed.watching(parsed("", NOON), NO_PEOPLE, 0) as viewer:
        await arrivals.come(*map(str, range(120)))
        await feed.read()
        batch = await anext(viewer.batches(LONG))
    assert batch is not None
    assert ([each.message_id for each in batch.messages], batch.more) == (
        [str(n) for n in range(70, 120)],
        70,
    )


async def test_a_slow_viewer_is_told_how_many_messages_were_missed(store: Store, arrivals: Arrivals) -> None:
    feed = Feed(store)
    async with feed.watching(parsed("", NOON), NO_PEOPLE, 0) as viewer:
        for number in range(feeding.MOST_WAITING + 2):
            await arrivals.come(f"{number}a", f"{number}b")
            await feed.read()
        batches: list[FeedBatch | None] = []
        async for batch in viewer.batches(LONG):
            batches.append(batch)
            if len(batches) == feeding.MOST_WAITING:
                break
    told = [(each.messages[0].message_id, each.missed) for each in batches if each is not None]
    assert told[:2] == [("2a", 4), ("3a", 0)]
    assert len(told) == feeding.MOST_WAITING


async def test_a_viewer_gets_a_heartbeat_while_nothing_arrives(store: Store) -> None:
    async with Feed(store).watching(parsed("", NOON), NO_PEOPLE, 0) as viewer:
        assert await anext(viewer.batches(SOON)) is None


async def test_nothing_is_read_while_nobody_watches(feed: Feed, counting: Any, arrivals: Arrivals) -> None:
    async with feed.watching(parsed("", NOON), NO_PEOPLE, 0) as viewer:
        await arrivals.come("1")
        await shown(viewer, 1)
    reads = counting.reads
    for number in range(20):  # each gives the feed many turns
        await arrivals.come(str(number))
    assert (feed.viewers, counting.reads <= reads + 1) == (0, True)


async def test_a_server_that_stops_ends_all_lists(store: Store) -> None:
    feed = Feed(store, SOON)
    async with AsyncExitStack() as stack:
        viewer = await stack.enter_async_context(feed.watching(parsed("", NOON), NO_PEOPLE, 0))
        async with until_stopped(feed.run):
            pass
        assert [batch async for batch in viewer.batches(LONG)] == []
    with pytest.raises(Unavailable):
        await stack.enter_async_context(feed.watching(parsed("", NOON), NO_PEOPLE, 0))


async def test_there_are_no_more_viewers_than_a_process_can_serve(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "MOST_VIEWERS", 1)
    feed = Feed(store)
    async with feed.watching(parsed("", NOON), NO_PEOPLE, 0):
        with pytest.raises(Unavailable):
            async with feed.watching(parsed("", NOON), NO_PEOPLE, 0):
                pass
    async with feed.watching(parsed("", NOON), NO_PEOPLE, 0):
        assert feed.viewers == 1

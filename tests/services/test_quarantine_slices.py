"""Large quarantines are grouped, replayed and emptied a bounded number of messages at a time."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Raw

from adapter.model.encoding import encode
from adapter.model.quarantine import Quarantined
from adapter.model.quarantine_groups import group_of
from adapter.services import quarantine_groups, quarantine_removal, replay
from adapter.services.ingest.result import Result
from adapter.services.quarantine_groups import grouped, members
from adapter.services.quarantine_removal import RemovalFilter, remove, remove_slice
from adapter.services.read_timeout import ReadTimeout
from adapter.services.replay import ReplayOptions, replay_slice
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, LoadRequest
from tests.services.conftest import NOON

PATIENCE = ReadTimeout(30)
LONG = "`total` is text of {} characters"


@pytest.fixture
async def store(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Nine messages that are quarantined for one reason, with other values, and one for another."""
    monkeypatch.setattr(replay, "SLICE", 4)
    monkeypatch.setattr(quarantine_removal, "SLICE", 4)
    monkeypatch.setattr(quarantine_groups, "_SLICE", 4)
    opened = open_store(store_url)
    await opened.open()
    reasons = [LONG.format(number) for number in range(9)]
    await keep(opened, [*reasons[:5], "no source_id", *reasons[5:]])
    yield opened
    await opened.close()


async def keep(store: Store, reasons: list[str]) -> None:
    kept = [
        Quarantined("segment", f"m{at}", Raw(encode({"type": "track", "at": at})), reason, NOON)
        for at, reason in enumerate(reasons)
    ]

    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(), NOON)
        await transaction.save(Changes(NOON, {}, [], {}, [], [], [], [], {}, [], [], kept))

    await store.transact(script)


async def test_messages_are_grouped_by_reason_without_values(store: Store) -> None:
    found = await grouped(store, PATIENCE)
    assert [(each.reason, each.count) for each in found.groups] == [
        ("`total` is text of N characters", 9), ("no source_id", 1)
    ]  # fmt: skip
    assert (found.looked_at, found.next) == (10, None)


async def test_what_was_not_reached_is_counted_from_where_the_search_ended(store: Store) -> None:
    first = await grouped(store, PATIENCE, most=6)
    assert (first.looked_at, first.groups[0].count, first.searched_to) == (6, 5, NOON)
    second = await grouped(store, PATIENCE, first.next, most=6)
    assert (second.looked_at, second.groups[0].count, second.next) == (4, 4, None)


async def test_the_messages_of_a_group_are_shown_the_latest_first(store: Store) -> None:
    found = await members(store, PATIENCE, group_of("segment", LONG.format(7)), shown=3)
    assert [each.reason for each in found.messages] == [LONG.format(number) for number in (8, 7, 6)]
    assert (found.group and found.group.count, found.more) == (9, False)


async def test_a_group_is_discarded_slice_by_slice_and_what_arrives_meanwhile_stays(store: Store) -> None:
    which = RemovalFilter(group=group_of("segment", LONG.format(1)))
    done = await remove_slice(store, which, "test traffic", dry_run=False)
    assert (done.removed, done.next is None) == (4, False)
    await keep(store, [LONG.format(99)])
    while done.next is not None:
        done = await remove_slice(store, which, "test traffic", done.next, done.upto, dry_run=False)
    assert [each.reason for each in await store.oldest_quarantine_reasons()] == [
        "no source_id",
        LONG.format(99),
    ]


async def test_a_dry_run_counts_all_slices_and_removes_nothing(store: Store) -> None:
    done = await remove(store, RemovalFilter(group=group_of("segment", "no source_id")), "x", dry_run=True)
    assert (done.removed, len(await store.oldest_quarantine_reasons())) == (1, 10)


class Nothing:
    """An ingest that would map every message to nothing: all of them stay."""

    longest = 10_000
    sources = ("segment",)

    def preview(self, message: Any) -> Any:
        return Result(message.key, "ignored")


async def test_a_replay_goes_on_behind_the_slice_before(store: Store) -> None:
    options = ReplayOptions(group=group_of("segment", LONG.format(1)))
    seen: list[int] = []
    after: int | None = 0
    upto, slices = None, 0
    while after is not None:
        done = await replay_slice(store, Nothing(), options, after, upto, most=3)  # type: ignore[arg-type]
        seen += [each.entry.id for each in done.replayed]
        after, upto, slices = done.next, done.upto, slices + 1
        assert len(done.replayed) <= 3
    assert len(seen) == len(set(seen)) == 9
    assert slices >= 3

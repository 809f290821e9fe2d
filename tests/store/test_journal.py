"""The journal in a store: appended, read in order, found by ids, replaced, trimmed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import zstandard
from msgspec.structs import replace

from adapter.model.journal import JournalEntry, JournalRow, journal_row, without
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.values import Erasure, LoadRequest
from tests.store.conftest import NOW

_COMPRESSOR = zstandard.ZstdCompressor()


def entry(message_id: str, *names: str, **changed: Any) -> JournalEntry:
    document = b'{"messageId":"%b"}' % message_id.encode()
    made = JournalEntry("segment", message_id, message_id, NOW, "processed", "", names, document)
    return replace(made, **changed)


def row(*entries: JournalEntry) -> JournalRow:
    return journal_row(entries, _COMPRESSOR)


def ids(rows: list[JournalRow]) -> list[str]:
    return [entry.message_id for row in rows for entry in row.entries()]


async def test_entries_come_back_as_they_were(store: Store, run: Any) -> None:
    kept = [
        entry("m\0", "é\0", outcome="quarantined", reason="why", replayed=True),
        entry("m2", document=b'{"n":12345678901234567890}'),
    ]
    await run.save(journal=[row(*kept)])
    [found] = await store.journal()
    assert [replace(each, names=tuple(each.names)) for each in found.entries()] == kept


async def test_rows_are_paged_both_ways_and_from_a_moment(store: Store, run: Any) -> None:
    later = NOW + timedelta(hours=1)
    await run.save(journal=[row(entry("1")), row(entry("2", received_at=later))])
    await store.add_journal([row(entry("3", received_at=later))])
    first, second, third = await store.journal()
    assert ids(await store.journal(first.number)) == ["2", "3"]
    assert ids(await store.journal(limit=1)) == ["1"]
    assert ids(await store.journal(since=later)) == ["2", "3"]
    assert await store.journal(since=later + timedelta(seconds=1)) == []
    assert ids(await store.latest_journal(limit=2)) == ["3", "2"]
    assert ids(await store.latest_journal(third.number)) == ["2", "1"]
    assert second.at == later


async def test_rows_are_read_of_a_closed_store_too(store: Store, store_url: str, run: Any) -> None:
    await run.save(journal=[row(entry("1"))])
    assert ids(await open_store(store_url).journal()) == ["1"]
    assert ids(await open_store(store_url).latest_journal()) == ["1"]


async def test_rows_of_a_customer_are_found_by_each_of_their_ids(store: Store, run: Any, make: Any) -> None:
    await run.save(
        customers=[make.customer("c1")],
        identities={("anonymous_id", "a1"): "c1"},
        journal=[row(entry("1", "a1"), entry("2", "other")), row(entry("3", "c1")), row(entry("4", "c2"))],
    )
    found = await store.journal_of("c1")
    assert ids(found) == ["1", "2", "3"]
    assert ids(await store.journal_of("c1", found[0].number)) == ["3"]
    assert await store.journal_of("nobody") == []


async def test_what_is_left_of_a_row_takes_its_place(store: Store, run: Any) -> None:
    await run.save(journal=[row(entry("1", "c1"), entry("2", "c2")), row(entry("3"))])
    first, second = await store.journal()
    await store.replace_journal(first.number, without(first, {0}))
    await store.replace_journal(second.number, without(second, {0}))
    await store.replace_journal(99, None)
    assert ids(await store.journal()) == ["2"]


async def test_an_erasure_takes_the_ids_out_of_the_index_and_notes_up_to_which_row_it_looks(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(customers=[make.customer("c1")], journal=[row(entry("1", "c1", "c2"))])
    [kept] = await store.journal()
    await run.save(erased=[Erasure("c1")])
    assert await store.journal_of("c1") == []
    assert ids(await store.journal_of("c2")) == ["1"]
    [forgotten] = await store.forgotten(1)
    assert forgotten.journal_upto == kept.number


async def test_trimming_deletes_what_is_too_old_and_then_the_oldest_of_too_much(
    store: Store, run: Any
) -> None:
    old = NOW - timedelta(days=8)
    await run.save(journal=[row(entry("1", "c1", received_at=old)), row(entry("2")), row(entry("3"))])
    everything = 1_000_000
    assert await store.trim_journal(NOW - timedelta(days=7), everything) == 1
    assert await store.journal_of("c1") == []
    size = len((await store.journal())[1].data)
    assert await store.trim_journal(old, size) == 1
    assert ids(await store.journal()) == ["3"]
    assert await store.trim_journal(old, 0) == 1
    assert await store.trim_journal(old, 0) == 0


async def test_the_latest_rows_of_a_customer_are_found_by_any_of_their_ids(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(
        customers=[make.customer("c1")],
        identities={("anonymous_id", "a1"): "c1"},
        journal=[
            row(entry("1", "a1")),
            row(entry("2", "c1", "a1")),
            row(entry("3", "x")),
            row(entry("4", "c1")),
        ],
    )
    latest = await store.latest_journal_of("c1", limit=2)
    assert ids(latest) == ["4", "2"]
    assert ids(await store.latest_journal_of("a1", latest[-1].number)) == ["1"]
    assert ids(await store.latest_journal_of("x")) == ["3"]
    assert await store.latest_journal_of("nobody") == []


async def test_rows_are_followed_without_those_that_were_seen(store: Store, run: Any) -> None:
    await run.save(journal=[row(entry(name)) for name in ("1", "2", "3", "4")])
    first, second, *_ = await store.journal()
    assert ids(await store.fresh_journal(first.number, [second.number, 99])) == ["3", "4"]
    assert ids(await store.fresh_journal(0, limit=2)) == ["1", "2"]
    assert await store.fresh_journal(first.number + 3) == []


async def test_when_messages_were_first_committed_is_known_by_their_keys(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(LoadRequest(messages=[("segment", "m1")]))
    assert await store.first_seen([("segment", "m1"), ("mparticle", "m1")]) == [make.now]
    assert await store.first_seen([]) == []

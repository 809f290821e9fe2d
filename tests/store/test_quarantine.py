"""The quarantine: kept whole, read in order, released once."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from adapter.store.contract import Store


async def test_a_message_is_returned_as_saved_with_an_id(store: Store, run: Any, make: Any) -> None:
    kept = [make.quarantined("m\0", "é"), replace(make.quarantined("m2"), replayed=True)]
    await run.save(quarantine=kept)
    found = await store.quarantined()
    assert [replace(each, id=0) for each in found] == kept
    assert 0 < found[0].id < found[1].id


async def test_pages_go_on_after_an_id(store: Store, run: Any, make: Any) -> None:
    await run.save(quarantine=[make.quarantined(str(number)) for number in range(5)])
    first = await store.quarantined(limit=2)
    rest = await store.quarantined(after=first[-1].id)
    assert [each.key for each in first + rest] == ["0", "1", "2", "3", "4"]


async def test_the_latest_come_first_and_pages_go_back_before_an_id(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(quarantine=[make.quarantined(str(number)) for number in range(5)])
    first = await store.latest_quarantined(limit=2)
    rest = await store.latest_quarantined(before=first[-1].id)
    assert [each.key for each in first + rest] == ["4", "3", "2", "1", "0"]
    assert first == (await store.quarantined())[:-3:-1]
    assert await store.latest_quarantined(before=rest[-1].id) == []


async def test_released_ones_are_gone_and_their_ids_are_not_given_again(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(quarantine=[make.quarantined("1"), make.quarantined("2")])
    ids = [each.id for each in await store.quarantined()]
    assert await store.release_quarantined([*ids, 999]) == 2
    assert await store.release_quarantined(ids) == 0
    await run.save(quarantine=[make.quarantined("3")])
    assert (await store.quarantined())[0].id > ids[-1]
    assert (await store.counts())["quarantined"] == 1

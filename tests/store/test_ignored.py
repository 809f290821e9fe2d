"""What no mapping takes: counted by source, type and event name, up to a number of names and for a time."""

from __future__ import annotations

from typing import Any

from adapter.model.ignored import Ignored
from adapter.store.contract import Store


async def test_counts_of_one_name_are_added_up(store: Store, make: Any) -> None:
    await store.add_ignored([make.ignored("a\0", 2), make.ignored("b", 1, make.at(seconds=1))], 10, None)
    await store.add_ignored([make.ignored("a\0", 3, make.at(seconds=2))], 10, None)
    assert await store.ignored() == [
        Ignored("segment", "track", "a\0", 5, make.now, make.at(seconds=2)),
        Ignored("segment", "track", "b", 1, make.at(seconds=1), make.at(seconds=1)),
    ]
    assert [each.event for each in await store.ignored(1)] == ["a\0"]


async def test_a_late_count_does_not_set_the_last_time_back(store: Store, make: Any) -> None:
    await store.add_ignored([make.ignored("a", 1, make.at(seconds=5))], 10, None)
    await store.add_ignored([make.ignored("a", 1)], 10, None)
    assert [(each.count, each.last_at) for each in await store.ignored()] == [(2, make.at(seconds=5))]


async def test_of_too_many_names_the_longest_unseen_go(store: Store, make: Any) -> None:
    await store.add_ignored([make.ignored(f"n{at}", 1, make.at(seconds=at)) for at in range(8)], 3, None)
    assert [each.event for each in await store.ignored()] == ["n7", "n6", "n5"]
    await store.add_ignored([make.ignored(f"m{at}") for at in range(8)], 3, None)
    assert len(await store.ignored()) == 3


async def test_names_that_do_not_come_any_more_go_after_a_time(store: Store, make: Any) -> None:
    await store.add_ignored([make.ignored("a"), make.ignored("b", 1, make.at(days=1))], 10, None)
    await store.add_ignored([], 10, make.at(hours=1))
    assert [each.event for each in await store.ignored()] == ["b"]


async def test_quarantined_messages_are_found_by_the_names_in_them(store: Store, run: Any, make: Any) -> None:
    await run.save(
        customers=[make.customer("c1", email="Ada@Example.org"), make.customer("c2")],
        identities={("anonymous_id", "a1"): "c1", ("source_id", "old"): "c1"},
        quarantine=[
            make.quarantined("m1", names={"userId": "c1"}),
            make.quarantined("m2", names={"userId": "c2"}),
            make.quarantined("m3", "bad", names={"anonymousId": "a1"}),
            make.quarantined("m4", names={"context": {"traits": {"email": "Ada@Example.org"}}}),
            make.quarantined("m5", names={"userId": "stranger"}),
        ],
    )
    for name in ("c1", "old", "a1"):
        assert [each.key for each in await store.quarantined_of(name)] == ["m4", "m3", "m1"]
    assert [each.key for each in await store.quarantined_of("c1", 1)] == ["m4"]
    assert [each.key for each in await store.quarantined_of("stranger")] == ["m5"]
    assert await store.quarantined_of("nobody") == []

"""Events and decisions: appended, kept once, read latest first."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

from msgspec.structs import replace

from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction


async def test_an_event_is_returned_as_saved(store: Store, run: Any, make: Any) -> None:
    event = make.event("é\0", total=2**64, price=19.99, items=[{"sku": "a"}, None], note="\0\x01")
    await run.save(events=[("c1", event)])
    assert await store.events("c1") == [event]


async def test_events_come_latest_first_whatever_their_order_and_offset(
    store: Store, run: Any, make: Any
) -> None:
    east = timezone(timedelta(hours=9))
    late = make.event("late", make.at(seconds=1).astimezone(east))
    await run.save(
        events=[("c1", make.event("old", make.at(days=-900))), ("c1", late), ("c1", make.event("mid"))]
    )
    assert [event.id for event in await store.events("c1", limit=2)] == ["late", "mid"]


async def test_the_same_event_again_is_kept_once(store: Store, run: Any, make: Any) -> None:
    await run.save(events=[("c1", make.event()), ("c1", make.event())])
    await run.save(
        events=[("c1", make.event()), ("c1", make.event(at=make.at(seconds=1))), ("c2", make.event())]
    )
    assert await store.events("c1") == [make.event()]
    assert (await store.counts())["events"] == 2


async def test_one_id_under_several_names_are_several_events(store: Store, run: Any, make: Any) -> None:
    named = [replace(make.event(), name=name) for name in ("order_completed", "page_viewed", "screen_viewed")]
    await run.save(events=[("c1", event) for event in named])
    await run.save(events=[("c1", event) for event in named])
    assert sorted(event.name for event in await store.events("c1")) == [event.name for event in named]


async def test_a_script_learns_which_events_the_store_has(store: Store, run: Any, make: Any) -> None:
    await run.save(events=[("c1", make.event("e1"))])
    changes = make.changes(events=[("c1", make.event(name)) for name in ("e0", "e1", "e2", "e2")])
    told = []

    async def script(transaction: Transaction) -> None:
        told.append(transaction.known.repeated)
        await transaction.save(changes)

    await store.transact(script)
    assert told == [frozenset(), {1, 3}]
    assert [event.id for event in await store.events("c1")] == ["e2", "e1", "e0"]


async def test_a_script_learns_which_events_merged_customers_have_in_common(
    store: Store, run: Any, make: Any
) -> None:
    mine, theirs = make.event("e1", total=1), make.event("e1", make.at(days=-1), total=2)
    await run.save(
        customers=[make.customer(name) for name in "abc"],
        events=[("a", theirs), ("a", make.event("e2")), ("c", mine)],
    )
    told = []

    async def script(transaction: Transaction) -> None:
        told.append(transaction.known.lost)
        await transaction.save(make.changes(moved=[("a", "b"), ("b", "c")]))

    await store.transact(script)
    assert told == [{}, {"a": [theirs]}]
    assert await store.events("c") == [make.event("e2"), mine]


async def test_decisions_come_newest_first(store: Store, run: Any, make: Any) -> None:
    saved = [
        make.decision(event_id="e1"),
        make.decision(event_id="e2"),
        make.decision(event_id="e0", at=make.at(days=-1)),
    ]
    await run.save(decisions=saved)
    assert await store.decisions("c1") == [saved[1], saved[0], saved[2]]
    assert await store.decisions("c1", limit=1) == [saved[1]]


async def test_an_unknown_customer_has_no_data(store: Store) -> None:
    assert await store.customer("nobody") is None
    assert await store.events("nobody") == []
    assert await store.decisions("nobody") == []

"""Events and decisions: appended, kept once, read latest first."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

from adapter.store.contract import Store


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
    assert len(await store.events("c1")) == 2
    assert (await store.counts())["events"] == 3


async def test_decisions_come_newest_first(store: Store, run: Any, make: Any) -> None:
    saved = [
        make.decision(event_id="e1"),
        make.decision(event_id="e2"),
        make.decision(event_id="e0", at=make.at(days=-1)),
    ]
    await run.save(decisions=saved)
    assert await store.decisions("c1") == [saved[1], saved[0], saved[2]]
    assert await store.decisions("c1", limit=1) == [saved[1]]


async def test_who_is_unknown_has_nothing(store: Store) -> None:
    assert await store.customer("nobody") is None
    assert await store.events("nobody") == []
    assert await store.decisions("nobody") == []

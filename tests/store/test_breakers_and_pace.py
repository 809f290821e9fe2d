"""When the outbox leases nothing, or less: open breakers, and a pace."""

from __future__ import annotations

import asyncio
from typing import Any

from adapter.model.breakers import Tally
from adapter.model.deliveries import Pause
from adapter.model.pacing import Pacing
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.values import DeliveryResult


async def test_an_open_breaker_stops_leases_until_one_delivery_has_tried_the_destination(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(deliveries=[make.delivery(f"d{number}") for number in range(20)])
    await store.settle([], Tally("shop", 0, 10, make.now, "answered 500"))
    assert await store.lease(make.at(seconds=29), make.at(minutes=1), 9, "shop") == []
    [probe] = await store.lease(make.at(seconds=30), make.at(minutes=1), 9, "shop")
    assert await store.lease(make.at(seconds=59), make.at(minutes=2), 9, "shop") == []
    done = DeliveryResult(probe.id, 1, done=True)
    assert await store.settle([done], Tally("shop", 1, 0, make.at(seconds=59))) == 1
    assert await store.breakers() == []
    assert len(await store.lease(make.at(seconds=59), make.at(minutes=2), 9, "shop")) == 9


async def test_a_probe_whose_process_was_killed_is_followed_by_another(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(deliveries=[make.delivery("d1")])
    await store.settle([], Tally("shop", 0, 10, make.now, "answered 500"))
    assert len(await store.lease(make.at(seconds=30), make.at(seconds=90), 9, "shop")) == 1
    assert len(await store.lease(make.at(seconds=90), make.at(seconds=150), 9, "shop")) == 1


async def test_two_callers_make_one_probe(store: Store, run: Any, make: Any) -> None:
    await run.save(deliveries=[make.delivery(f"d{number}", f"c{number}") for number in range(9)])
    await store.settle([], Tally("shop", 0, 10, make.now, "answered 500"))
    leases = await asyncio.gather(
        *(store.lease(make.at(minutes=1), make.at(minutes=2), 9, "shop") for _ in range(6))
    )
    assert sum(map(len, leases)) == 1


async def test_an_open_breaker_stays_open_for_another_program_and_is_closed_by_resume(
    store: Store, store_url: str, run: Any, make: Any
) -> None:
    await run.save(deliveries=[make.delivery("d1")])
    await store.settle([], Tally("shop", 0, 10, make.now, "answered 500"))
    [seen] = await open_store(store_url).breakers()
    assert (seen.state(make.now), seen.until) == ("open", make.at(seconds=30))
    await store.resume("other")
    assert len(await store.breakers()) == 1
    await store.resume("shop")
    assert len(await store.lease(make.now, make.at(minutes=1), 9, "shop")) == 1


async def test_callers_together_lease_no_more_than_a_destination_is_sent_in_a_second(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(deliveries=[make.delivery(f"d{number}", f"c{number}") for number in range(200)])
    pacing, counts = Pacing(per_second=40), []
    for tenth in range(30):
        now, until = make.at(seconds=tenth / 10), make.at(minutes=9)
        leases = await asyncio.gather(
            *(store.lease(now, until, 5, "shop", pacing=pacing) for _ in range(6)),
            store.lease(now, until, 1, "other", pacing=pacing),
        )
        counts.append(sum(map(len, leases)))
    # Half a second of it was saved up.
    assert counts == [20] + [4] * 29
    assert len(await store.lease(make.at(seconds=3), make.at(minutes=9), 500, "shop")) == 64


async def test_a_destination_that_starts_slowly_is_leased_ever_more_after_its_pause(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(deliveries=[make.delivery(f"d{number}", f"c{number}") for number in range(900)])
    slowly, until = Pacing(starts_slowly=True), make.at(minutes=9)
    assert len(await store.lease(make.now, until, 100, "shop", pacing=slowly)) == 100
    await store.pause(Pause("shop", make.now, make.at(seconds=15), "cannot connect"))

    async def leased(seconds: float) -> int:
        return len(await store.lease(make.at(seconds=seconds), until, 1_000, "shop", pacing=slowly))

    counts = [await leased(at) for at in (14, 15, 15.1, 20, 20.1, 25, 25.1, 75)]
    assert counts == [0, 50, 10, 100, 20, 200, 40, 380]

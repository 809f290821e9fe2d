"""Guardrail counters: reserved under a lock, exact under concurrency."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.store.contract import Store, Transaction
from adapter.store.postgres import merging as postgres_merging
from adapter.store.sqlite import merging as sqlite_merging
from adapter.store.values import LoadRequest

CAP = ("", "high-cart:total")


async def test_differences_add_up(run: Any) -> None:
    await run.save(counters={("c1", "k"): 2, ("", "k"): 5})
    await run.save(counters={("c1", "k"): -1, ("", "k"): 0, ("", "l"): 1})
    assert await run.used(("c1", "k"), ("", "k"), ("", "l"), ("", "m")) == {
        ("c1", "k"): 1, ("", "k"): 5, ("", "l"): 1,
    }  # fmt: skip


async def test_concurrent_transactions_take_exactly_the_limit(store: Store, run: Any, make: Any) -> None:
    async def take(number: int) -> bool:
        async def script(transaction: Transaction) -> bool:
            await transaction.load(
                LoadRequest(messages=[("s", str(number))], customers=[f"c{number % 3}"]), make.now
            )
            used = (await transaction.reserve([CAP], [])).used.get(CAP, 0)
            granted = used < 10
            await transaction.save(make.changes(counters={CAP: int(granted)}))
            return granted

        return await store.transact(script)

    granted = await asyncio.gather(*(take(number) for number in range(25)))
    assert sum(granted) == 10
    assert await run.used(CAP) == {CAP: 10}


async def test_a_counter_read_in_one_transaction_and_written_in_the_next_breaks_the_cap(
    store: Store, run: Any, make: Any
) -> None:
    """The check above can fail: this variant reads and writes apart, as the law forbids."""

    async def take() -> None:
        if (await run.used(CAP)).get(CAP, 0) < 10:
            await run.save(counters={CAP: 1})

    await asyncio.gather(*(take() for _ in range(25)))
    assert (await run.used(CAP))[CAP] > 10


_name = st.sampled_from(["a", "b", "c", "d"])
_step = st.one_of(
    st.tuples(st.just("count"), _name, st.integers(-3, 9)),
    st.tuples(st.just("merge"), _name, _name),
    st.tuples(st.just("erase"), _name, st.none()),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_step, max_size=12))
def test_after_any_merges_and_erasures_counters_equal_those_of_a_simple_model(
    steps: list[Any], make: Any, simulate: Any
) -> None:
    model: dict[str, int] = {}
    for verb, name, given_ in steps:
        if verb == "count":
            model[name] = model.get(name, 0) + given_
        elif verb == "merge" and name != given_ and name in model:
            model[given_] = model.get(given_, 0) + model.pop(name)
        elif verb == "erase":
            model.pop(name, None)
    # The store outlives one example of hypothesis, so each starts by clearing it.
    saves = [make.changes(erased=list("abcd")), *(_changes(make, *step) for step in steps)]
    found = simulate(saves, [(name, "k") for name in "abcd"])
    assert {name: used for (name, _), used in found.items() if used} == {
        name: used for name, used in model.items() if used
    }


def _changes(make: Any, verb: str, name: str, value: Any) -> Any:
    if verb == "count":
        return make.changes(counters={(name, "k"): value})
    if verb == "merge":
        return make.changes(moved=[(name, value)])
    return make.changes(erased=[name])


async def test_reassigned_slots_come_from_open_discounts_only(
    store: Store, run: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a customer has used up is not read again, however much that is."""
    second = int(make.now.timestamp())
    slot = f"gift|slot|0|100|{second // 100}"
    claims = {who: (make.claim(who, slot, second % 100 + 1),) for who in ("large", "small")}
    used = [make.held(f"USED{at}", "large", status="redeemed", claims=claims["large"]) for at in range(50)]
    await run.save(
        customers=[make.customer("large"), make.customer("small")],
        discounts=[*used, make.held("OPEN", "large", claims=claims["large"])],
        counters={("large", slot): second % 100 + 1, ("small", slot): second % 100 + 1},
    )
    read: list[str] = []
    for engine in (sqlite_merging, postgres_merging):
        decode = engine.read_held

        def noted(body: bytes, decode: Any = decode) -> Any:
            held = decode(body)
            read.append(held.discount.code)
            return held

        monkeypatch.setattr(engine, "read_held", noted)
    await run.save(moved=[("small", "large")], customers=[make.customer("large")])
    assert read == ["OPEN"]
    kept: list[Any] = [await store.discount(code) for code in ("OPEN", "USED1")]
    assert [held.claims for held in kept] == [(), claims["large"]]

"""Guardrail counters: reserved under a lock, exact under concurrency."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapter.model.counter_key import CounterKey
from adapter.model.discounts import DiscountRecord
from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import LoadRequest
from tests.length import length

CAP = ("", CounterKey("high-cart:total"))


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


# An example is a dozen transactions, 50 ms and more on PostgreSQL.
@settings(
    max_examples=length(25, 100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
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


async def test_counters_of_customers_are_read_by_a_text_in_their_keys(
    store: Store, run: Any, make: Any
) -> None:
    counters = {
        ("ann", "r|slot|0|60|1"): 3,
        ("ann", "r|total"): 1,
        ("bob", "r|slot|1|60|1"): 4,
        ("", "slot"): 1,
    }
    await run.save(customers=[make.customer("ann"), make.customer("bob")], counters=counters)

    async def script(transaction: Transaction) -> Any:
        await transaction.load(LoadRequest(customers=["ann", "bob"]), make.now)
        return await transaction.counters_of(["ann", "bob", "cat"], "|slot|")

    assert await store.transact(script) == {"ann": {"r|slot|0|60|1": 3}, "bob": {"r|slot|1|60|1": 4}}


async def test_a_merge_reads_open_discounts_only_and_rewrites_them(store: Store, run: Any, make: Any) -> None:
    """What a customer has used up is not read, however much that is; what has expired is."""
    claims = {who: (make.claim(who, "k"), make.claim(who, "slot")) for who in ("large", "small")}
    past = make.now - timedelta(days=1)
    await run.save(
        customers=[make.customer("large"), make.customer("small")],
        discounts=[
            *(make.held(f"USED{at}", "large", status="redeemed", claims=claims["large"]) for at in range(5)),
            make.held("EXPIRED", "small", expires_at=past, claims=claims["small"]),
            make.held("OPEN", "large", status="applied", claims=claims["large"]),
        ],
    )

    async def script(transaction: Transaction) -> list[DiscountRecord]:
        await transaction.load(LoadRequest(customers=["large", "small"]), make.now)
        found = await transaction.open_discounts(["large", "small", "nobody"])
        rewritten = [replace(held, claims=held.claims[:1]) for held in found]
        moved = [("small", "large")]
        await transaction.save(
            make.changes(moved=moved, customers=[make.customer("large")], rewritten=rewritten)
        )
        return found

    found = await store.transact(script)
    assert {held.discount.code: held.claims for held in found} == {
        "OPEN": claims["large"], "EXPIRED": claims["small"],
    }  # fmt: skip
    kept: list[Any] = [await store.discount(code) for code in ("OPEN", "EXPIRED", "USED1")]
    assert [held.claims for held in kept] == [claims["large"][:1], claims["large"][:1], claims["large"]]
    assert {held.source_id for held in kept} == {"large"}

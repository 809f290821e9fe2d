"""An erasure is forwarded by each destination's own means, and the receipt says what was done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapter.destinations.contract import Attempt, Told
from adapter.model.erasures import ForwardedErasure, read_customer_erased
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, Erasure, LoadRequest
from tests.services.outbox_doubles import NOON, OK, Clock, Endpoint, delivery, put, relay


class Forgetful(Endpoint):
    """An endpoint that forgets customers when it is told, and answers as it is told."""

    def __init__(self, name: str, *outcomes: Attempt | Told) -> None:
        super().__init__(name)
        self.outcomes = list(outcomes)
        self.erased: list[str] = []

    async def erase(
        self, source_id: str, identities: Sequence[tuple[str, str]], now: datetime
    ) -> Attempt | Told:
        self.erased.append(source_id)
        return self.outcomes.pop(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'relay.db'}")
    await store.open()
    yield store
    await store.close()


async def erase(store: Store, clock: Clock, *destinations: str) -> None:
    """Send u-1 to destinations, and erase them."""
    await put(store, [delivery(f"d-{name}", name) for name in destinations])

    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(customers=["u-1"]), NOON)
        changes = Changes(NOON, {}, [], {}, [], [Erasure("u-1", by="api")], [], [], {}, [], [], [])
        await transaction.save(changes)

    await store.transact(script)
    clock.now += timedelta(hours=1)


async def states(store: Store) -> list[ForwardedErasure]:
    [receipt] = await store.receipts("u-1")
    return receipt.forwarded


async def test_each_destination_hears_of_it_by_its_own_means(store: Store, clock: Clock) -> None:
    vouchers, cdp, hook = (
        Forgetful("vouchers", OK),
        Forgetful("cdp", Told("delete the user `u-1` there")),
        Endpoint("hook"),
    )
    await erase(store, clock, "vouchers", "cdp", "hook", "gone")
    each = relay(store, clock, vouchers, cdp, hook)
    await each.run_once(100)
    clock.now += timedelta(minutes=10)  # after which a destination without a worker is not waited for
    await each.run_once(100)
    assert vouchers.erased == cdp.erased == ["u-1"]
    assert vouchers.sent == cdp.sent == []
    [body] = hook.bodies  # the signed event, as it is stored
    assert read_customer_erased(body).source_id == "u-1"
    found = {state.destination: (state.state, state.detail) for state in await states(store)}
    assert found.pop("gone")[0] == "dead"
    assert found == {
        "vouchers": ("done", ""),
        "cdp": ("told", "delete the user `ID` there"),
        "hook": ("done", ""),
    }
    assert all(b"u-1" not in bytes(kept.event) + kept.body for kept in await store.deliveries("done"))


async def test_a_failed_one_is_retried_and_the_receipt_says_so(store: Store, clock: Clock) -> None:
    failed = Attempt(ok=False, error="answered 503")
    vouchers = Forgetful("vouchers", failed, OK)
    await erase(store, clock, "vouchers")
    each = relay(store, clock, vouchers)
    await each.run_once(1)
    [state] = await states(store)
    assert (state.state, state.detail) == ("waiting", "answered 503")
    clock.now += timedelta(minutes=1)
    await each.run_once(1)
    [state] = await states(store)
    assert state == ForwardedErasure("vouchers", "done", clock.now)


async def test_a_final_refusal_keeps_the_id_for_a_retry_by_hand(store: Store, clock: Clock) -> None:
    vouchers = Forgetful("vouchers", Attempt(ok=False, error="answered 400", final=True), OK)
    await erase(store, clock, "vouchers")
    each = relay(store, clock, vouchers)
    await each.run_once(1)
    assert [state.state for state in await states(store)] == ["dead"]
    await store.revive(clock.now)
    await each.run_once(1)
    assert vouchers.erased == ["u-1", "u-1"]
    assert [state.state for state in await states(store)] == ["done"]

"""The pass that removes ids of erased people reads all rows once, in slices, concurrently with other work."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from adapter.model.encoding import encode
from adapter.model.operations import CustomerMerge, CustomerUpsert
from adapter.services.privacy.redaction import Forgetting
from adapter.services.privacy.requests import Privacy
from adapter.services.read_timeout import ReadTimeout
from adapter.store import scanning
from adapter.store.scanning import Slice, Spot
from tests.services.test_erased_ids import ANN, KINDS, RULES, erase, finish, live

pytestmark = pytest.mark.slow


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    return await open_desk(RULES)


async def test_one_pass_serves_many_erasures_and_each_receipt_counts_its_own(desk: Any) -> None:
    people = [f"person-{number:05}" for number in range(30)]
    for who in people:
        await desk.take(CustomerUpsert(who))
        await desk.take(CustomerUpsert("bob"), desk.event("seen", "bob", int(who[-5:]), by=who))
    await desk.take(CustomerUpsert("cid", traits={"friends": people[:2]}))
    await erase(desk, *people)
    slices = counted(desk)
    await finish(desk)
    assert sum(each.rows for each in slices) <= 2 * (2 + 30) + 2
    removed = [(await desk.store.receipts(who))[0].removed["mentions"] for who in people]
    assert removed == [2, 2] + [1] * 28
    assert "person" not in str(await desk.store.held("bob")).replace("[erased]", "")


def counted(desk: Any) -> list[Slice]:
    """Note what each slice of later passes reads."""
    slices: list[Slice] = []
    scan = desk.store.scan

    async def noting(spot: Spot, looks: Any) -> Slice:
        slices.append(await scan(spot, looks))
        return slices[-1]

    desk.store.scan = noting
    return slices


async def test_a_slice_has_few_rows_and_bytes_and_all_are_read_once(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "CUSTOMERS", 7)
    for who in range(20):
        await desk.take(CustomerUpsert(f"c{who:02}"), desk.event("seen", f"c{who:02}"))
    await desk.settle([desk.work(desk.event("seen", "c03", minute, by=ANN)) for minute in range(1, 1_201)])
    large = [desk.work(desk.event("seen", "c00", minute, text="x" * 300_000)) for minute in range(1, 8)]
    await desk.settle(large)
    await desk.take(CustomerUpsert(ANN))
    await erase(desk, ANN)
    slices = counted(desk)
    await finish(desk)
    assert max(each.rows for each in slices) <= scanning.SCANNED_ROWS
    held = [await desk.store.held(f"c{who:02}") for who in range(20)]
    stored = sum(1 + len(each.events) + len(each.decisions) for each in held)
    assert sum(each.rows for each in slices) == stored
    assert not any(ANN in encode(each).decode() for each in held)
    # The first small event of the first customer, and what makes up a million bytes.
    assert 1 + 4 in [each.rows for each in slices]


async def test_what_a_merge_moves_behind_the_pass_is_found(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any moment of a pass the last customer's rows may go to the first."""
    monkeypatch.setattr(scanning, "CUSTOMERS", 2)
    for turn in itertools.count(1):
        names = [f"{turn:03}-{letter}" for letter in "abcdz"]
        for who in names:
            await desk.take(CustomerUpsert(who))
        await desk.take(desk.event("seen", names[-1], by=ANN), CustomerUpsert(names[-1], traits={"by": ANN}))
        await desk.take(CustomerUpsert(ANN))
        await erase(desk, ANN)
        forgetting = Forgetting(desk.store, lambda: desk.now)
        steps = 0
        while await forgetting.step():
            steps += 1
            if steps == turn:
                await desk.take(CustomerMerge(names[0], names[-1]))
        held = await desk.store.held(names[0])
        if steps < turn:
            break
        assert len(held.events) == 1, turn
        assert ANN not in encode(held).decode(), turn
        await erase(desk, *names)
        await forgetting.finish()
    assert turn > 20


async def test_redirects_from_before_the_pass_cost_it_nothing(desk: Any) -> None:
    for number in range(10):
        await desk.take(CustomerUpsert(f"visitor-{number}"), desk.event("seen", f"visitor-{number}", number))
        await desk.take(
            CustomerUpsert(f"user-{number}"), CustomerMerge(f"user-{number}", f"visitor-{number}")
        )
    await desk.take(CustomerUpsert(ANN))
    await erase(desk, ANN)
    slices = counted(desk)
    await finish(desk)
    assert sum(each.rows for each in slices) == 10 * 2


async def test_a_pass_that_was_cut_off_begins_again(desk: Any) -> None:
    await live(desk)
    await erase(desk, ANN)
    for turn in range(12):
        forgetting = Forgetting(desk.store, lambda: desk.now)
        for _ in range(turn):
            await forgetting.step()
    await finish(desk)
    assert ANN not in encode(await desk.store.held("bob")).decode()
    assert len(await desk.store.receipts(ANN)) == 1


async def test_several_processes_may_pass_at_once(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    other = desk if type(desk.store).__name__ == "SqliteStore" else await open_desk(RULES)
    await live(desk)
    await erase(desk, ANN)
    await asyncio.gather(finish(desk), finish(other), finish(desk))
    held = await desk.store.held("bob")
    assert ANN not in encode(held).decode()
    assert all(len(getattr(held, kind)) for kind in KINDS)
    [receipt] = await desk.store.receipts(ANN)
    # The one that finishes first writes what it has removed; the others' rows are not in the receipt.
    assert receipt.removed.get("mentions", 0) <= 11


async def test_messages_go_on_between_two_slices(desk: Any) -> None:
    """Reading a slice holds no transaction, so a message waits for at most one slice."""
    await desk.settle([desk.work(desk.event("seen", "bob", minute)) for minute in range(600)])
    await desk.take(CustomerUpsert(ANN))
    await erase(desk, ANN)
    begun: list[str] = []
    scan, transact = desk.store.scan, desk.store.transact

    async def scanning_(spot: Spot, looks: Any) -> Slice:
        begun.append("slice")
        found: Slice = await scan(spot, looks)
        await desk.take(desk.event("seen", "cid", len(begun)))
        return found

    async def transacting(*given: Any) -> Any:
        begun.append("transaction")
        return await transact(*given)

    desk.store.scan, desk.store.transact = scanning_, transacting
    await finish(desk)
    assert begun.count("slice") == begun.count("transaction") > 10


async def test_nothing_is_read_where_no_id_is_long_enough(desk: Any) -> None:
    await desk.take(CustomerUpsert("ann"), CustomerUpsert("bob", traits={"by": "ann"}))
    await erase(desk, "ann")
    slices = counted(desk)
    await finish(desk)
    assert slices == []
    assert (await desk.store.customer("bob")).traits == {"by": "ann"}


async def test_a_request_by_address_reads_all_rows_once_for_all_its_customers(desk: Any) -> None:
    forgetting = Forgetting(desk.store, lambda: desk.now)
    privacy = Privacy(desk.store, desk.settle, lambda: desk.now, ReadTimeout(30), forgetting)
    holders = [f"holder-{number:03}" for number in range(5)]
    for who in holders:
        await desk.take(CustomerUpsert(who, fields={"email": "all@x.test"}))
    await desk.take(CustomerUpsert("bob", traits={"of": holders}))
    slices = counted(desk)
    await privacy.erase_address("all@x.test")
    assert sum(each.rows for each in slices) == 1
    assert (await desk.store.customer("bob")).traits == {"of": ["[erased]"] * 5}

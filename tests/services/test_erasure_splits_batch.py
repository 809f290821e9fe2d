"""What comes in one batch with an erasure ends as if each message had come alone, on both engines."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import Struct

from adapter.metrics import Metrics
from adapter.model.operations import CustomerErase, CustomerMerge, CustomerUpsert, Operation
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work, split_at_erasures

pytestmark = pytest.mark.slow

RULE = """\
name: treat
trigger: started
action: {type: free_shipping}
guardrails: {per_user_limit: 1}
"""
PEOPLE = ("ann", "bob", "cid")


async def together(desk: Any, works: Sequence[Work]) -> list[Result]:
    """Settle works as one request brings them."""
    committer = GroupCommitter(desk.settle, Limits(), Metrics())
    async with asyncio.TaskGroup() as group:
        group.create_task(committer.run())
        answers = await committer.submit(works)
        committer.close()
    return answers


async def one_by_one(desk: Any, works: Sequence[Work]) -> list[Result]:
    return [result for work in works for result in await desk.settle([work])]


async def at_once(desk: Any, works: Sequence[Work]) -> list[Result]:
    """Settle works in one transaction, which no server does."""
    answers: list[Result] = await desk.settle(works)
    return answers


def drawn(desk: Any, draw: random.Random, run: str) -> list[Operation]:
    """Draw what three people do; names are of this run alone."""
    operations: list[Operation] = []
    for minute in range(draw.randint(3, 7)):
        kind = draw.choice(["event", "event", "erase", "merge", "upsert"])
        one, other = (f"{who}{run}" for who in draw.choices(PEOPLE, k=2))
        if kind == "event":
            operations.append(desk.event("started", one, minute))
        elif kind == "erase":
            operations.append(CustomerErase(one))
        elif kind == "upsert":
            operations.append(CustomerUpsert(one, traits={f"t{minute}": minute}))
        elif one != other:
            operations.append(CustomerMerge(one, other))
    return operations


class CustomerData(Struct):
    """What is held of one person: names without their run, and the events that earned something."""

    owner: str
    traits: dict[str, Any]
    events: list[str]
    earned: list[str]
    counted: int


async def held(desk: Any, run: str) -> list[CustomerData]:
    found = []
    for who in PEOPLE:
        all_of = await desk.store.held(f"{who}{run}")
        owner, traits = "", {}
        if all_of.customer is not None:
            owner, traits = all_of.customer.source_id.removesuffix(run), all_of.customer.traits
        events = sorted(event.id for event in all_of.events)
        earned = sorted(each.event_id for each in all_of.discounts)
        found.append(CustomerData(owner, traits, events, earned, sum(all_of.counters.values())))
    return found


def agree(batch: list[CustomerData], single: list[CustomerData]) -> bool:
    """Say whether both end alike; who joins in the batch is known sooner, so there may be fewer discounts."""
    return all(
        (ours.owner, ours.traits, ours.events) == (theirs.owner, theirs.traits, theirs.events)
        and set(ours.earned) <= set(theirs.earned)
        and ours.counted == len(ours.earned)
        for ours, theirs in zip(batch, single, strict=True)
    )


async def differences(desk: Any, settle: Any, runs: int) -> list[str]:
    """Return the random runs that end otherwise than message by message."""
    found = []
    for seed in range(runs):
        ends = []
        for way, run in ((settle, f"-{seed}a"), (one_by_one, f"-{seed}b")):
            operations = drawn(desk, random.Random(seed), run)
            await way(desk, [desk.work(operation) for operation in operations])
            ends.append(await held(desk, run))
        if not agree(*ends):
            found.append(f"{seed}: {ends}")
    return found


async def test_one_batch_ends_as_its_messages_one_by_one(open_desk: Any) -> None:
    assert await differences(await open_desk(RULE), together, 60) == []


async def test_the_test_finds_erasures_within_a_transaction(open_desk: Any) -> None:
    assert await differences(await open_desk(RULE), at_once, 60) != []


@pytest.mark.parametrize(
    ("batch", "kept"),
    [
        ([CustomerErase("bob"), CustomerMerge("ann", "bob")], {"ann": 1, "bob": 1}),
        ([CustomerErase("ann"), CustomerMerge("ann", "bob")], {"ann": 1, "bob": 1}),
        ([CustomerMerge("ann", "bob"), CustomerErase("ann")], {"ann": 0, "bob": 0}),
    ],
    ids=["the merged was erased before", "who takes them in was erased before", "both were one when erased"],
)
async def test_an_erased_customer_does_not_return_and_others_stay(
    open_desk: Any, batch: list[Operation], kept: dict[str, int]
) -> None:
    desk = await open_desk(RULE)
    for who in ("ann", "bob"):
        await desk.take(desk.event("started", who))
    await together(desk, [desk.work(operation) for operation in batch])
    assert {who: len((await desk.store.held(who)).events) for who in kept} == kept


@pytest.mark.parametrize(
    ("batch", "parts"),
    [
        ("", [""]),
        ("xx", ["xx"]),
        ("E", ["E"]),
        ("xEEx", ["x", "EE", "x"]),
        ("ExE", ["E", "x", "E"]),
        ("EMMEx", ["E", "M", "M", "E", "x"]),
    ],
)
def test_works_are_cut_where_erasures_begin_and_end(batch: str, parts: list[str]) -> None:
    upsert, erase = CustomerUpsert("ann"), CustomerErase("ann")
    kinds: dict[str, tuple[Operation, ...]] = {"x": (upsert,), "E": (erase,), "M": (upsert, erase)}
    now = datetime(2026, 3, 1, tzinfo=UTC)
    works = [Work("segment", str(number), "", now, kinds[kind]) for number, kind in enumerate(batch)]
    cut = split_at_erasures(works)
    assert [len(part) for part in cut] == [len(part) for part in parts]
    assert [work for part in cut for work in part] == works


async def test_a_merge_with_an_erased_customer_takes_over_nothing_of_theirs(open_desk: Any) -> None:
    desk = await open_desk(RULE)
    await desk.take(desk.event("started", "bob"))
    merge = CustomerMerge("ann", "bob")
    await together(desk, [desk.work(CustomerErase("bob")), desk.work(merge, CustomerErase("cid"))])
    assert (await desk.store.held("ann")).events == []

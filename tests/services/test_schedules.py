"""Schedules over customers: once for each, in pieces, in one of several processes, also after an outage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter.errors import Unavailable
from adapter.model.operations import CustomerErase, CustomerMerge, CustomerUpsert
from adapter.model.triggers import Firing
from adapter.rules.engine.schedules import event_id
from adapter.store.schedule_contract import ScheduleLost, ScheduleStep
from tests.services.scheduling import Schedule

MONTHLY = """
rules:
  - name: monthly
    trigger: {every: "first day of month 09:00", for: gold, time_zone: Europe/Berlin}
    action: {type: store_credit, value: 5}
    guardrails: {stackable: true}
"""
BIRTHDAY = """
rules:
  - name: birthday
    trigger: {on: user.birthdate, before: 3d, at: "09:00", time_zone: Europe/Berlin}
    action: {type: percentage_off, value: 10, max_amount: 20}
    guardrails: {stackable: true}
"""
#: In Berlin it is nine o'clock on 1 April 2026, and in the evening of 12 March.
APRIL = datetime(2026, 4, 1, 7, tzinfo=UTC)
MARCH = datetime(2026, 3, 12, 18, tzinfo=UTC)


def gold(*names: str) -> list[CustomerUpsert]:
    return [CustomerUpsert(name, joined_segments=("gold",)) for name in names]


def born(name: str, day: str) -> CustomerUpsert:
    return CustomerUpsert(name, fields={"birthdate": day})


async def held(desk: Any, *names: str) -> list[int]:
    return [len(await desk.store.discounts(name)) for name in names]


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    """A desk with a monthly rule that was loaded in March, four gold customers and one other."""
    desk = await open_desk(MONTHLY)
    desk.now = MARCH
    await desk.take(*gold("ann", "bea", "cat", "dan"), CustomerUpsert("eve", traits={"tier": "none"}))
    assert await Schedule(desk).until_idle() == 0
    return desk


async def test_an_occurrence_fires_once_for_each_customer_of_the_segment(desk: Any) -> None:
    desk.now = APRIL - timedelta(seconds=1)
    assert await Schedule(desk).until_idle() == 0
    desk.now = APRIL
    process = Schedule(desk, page=2, firings=1)
    assert await process.until_idle() == 4
    assert await process.until_idle() == await Schedule(desk, "two").until_idle() == 0
    assert await held(desk, "ann", "bea", "cat", "dan", "eve") == [1, 1, 1, 1, 0]
    [discount] = await desk.store.discounts("ann")
    assert discount.event_id == event_id(Firing("monthly", "ann", APRIL))
    assert discount.discount.metadata["issued_for_event_id"] == discount.event_id
    [decision] = await desk.store.decisions("ann")
    assert (decision.event, decision.outcomes[0].outcome) == ("schedule_due", "issued")
    desk.now = datetime(2026, 5, 1, 7, tzinfo=UTC)
    assert await Schedule(desk).until_idle() == 4


async def test_another_process_goes_on_where_one_was_killed(desk: Any) -> None:
    desk.now = APRIL
    killed, other = Schedule(desk, firings=1, lease=timedelta(seconds=30)), Schedule(desk, "two")
    assert await killed.turn() == 1
    assert await killed.turn() == 1
    assert await other.until_idle() == 0  # while the lease lasts
    desk.now += timedelta(seconds=30)
    assert await other.until_idle() == 2
    assert await held(desk, "ann", "bea", "cat", "dan") == [1, 1, 1, 1]


async def test_one_that_was_killed_before_it_saved_what_it_read_loses_nothing(desk: Any) -> None:
    desk.now = APRIL
    killed, other = Schedule(desk, page=1, firings=3), Schedule(desk, "two", page=3)
    assert [await killed.turn() for _ in range(2)] == [0, 0]
    assert (killed.read(), killed.settled) == (2, 0)
    desk.now += timedelta(seconds=30)
    assert await other.until_idle() == 4
    assert await killed.until_idle() == 0
    assert await held(desk, "ann", "bea", "cat", "dan") == [1, 1, 1, 1]


@pytest.mark.parametrize(("firings", "unsaved", "transactions"), [(8, 1000, 2), (2, 1000, 4), (8, 20, 5)])
async def test_few_firings_among_many_customers_take_few_transactions(
    desk: Any, firings: int, unsaved: int, transactions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.take(*[CustomerUpsert(f"x{n:02}", traits={"tier": "none"}) for n in range(75)])
    saved: list[ScheduleStep] = []
    step_schedule = desk.store.step_schedule

    async def counted(step: ScheduleStep) -> None:
        saved.append(step)
        await step_schedule(step)

    monkeypatch.setattr(desk.store, "step_schedule", counted)
    desk.now = APRIL
    process = Schedule(desk, page=10, firings=firings, unsaved=unsaved)
    assert await process.until_idle() == 4
    assert process.settled + len(saved) == transactions
    assert process.read() == 80
    assert await held(desk, "ann", "bea", "cat", "dan") == [1, 1, 1, 1]


async def test_a_process_that_lost_its_lease_saves_nothing(desk: Any) -> None:
    desk.now = APRIL
    slow, other = Schedule(desk, firings=1), Schedule(desk, "two")
    settle = slow.settle

    async def after_the_other(*given: Any) -> Any:
        desk.now += timedelta(minutes=1)
        assert await other.until_idle() == 4
        return await settle(*given)

    slow.settle = after_the_other  # type: ignore[method-assign, assignment]
    assert await slow.turn() == 0
    assert await held(desk, "ann", "bea", "cat", "dan") == [1, 1, 1, 1]


async def test_a_commit_that_fails_is_repeated(desk: Any) -> None:
    desk.now = APRIL
    process = Schedule(desk, firings=1)
    settle = process.settle

    async def fails(*_: Any) -> Any:
        raise Unavailable("the store is away")

    process.settle = fails  # type: ignore[method-assign, assignment]
    with pytest.raises(Unavailable):
        await process.turn()
    process.settle = settle  # type: ignore[method-assign]
    assert await process.until_idle() == 4
    assert await held(desk, "ann", "bea", "cat", "dan") == [1, 1, 1, 1]


async def test_an_error_of_one_firing_costs_no_other(desk: Any) -> None:
    desk.now = APRIL
    process = Schedule(desk)
    settle = process.settle

    async def broken(works: Any, *given: Any) -> Any:
        if any(work.firing.source_id == "bea" for work in works):
            raise ValueError("an error of ours")
        return await settle(works, *given)

    process.settle = broken  # type: ignore[method-assign, assignment]
    await process.until_idle()
    assert await held(desk, "ann", "bea", "cat", "dan") == [1, 0, 1, 1]


@pytest.mark.parametrize(
    ("late", "fires"), [("catch_up", True), ("skip", False), ("3d", False), ("9w", True)]
)
async def test_after_an_outage_the_latest_occurrence_is_made_up_for_once_or_skipped(
    open_desk: Any, late: str, fires: bool
) -> None:
    desk = await open_desk(MONTHLY.replace("for: gold", f"for: gold, if_late: {late}"))
    desk.now = MARCH
    await desk.take(*gold("ann"))
    await Schedule(desk).until_idle()
    desk.now = datetime(2026, 6, 11, tzinfo=UTC)  # April, May and June were missed
    assert await Schedule(desk).until_idle() == int(fires)
    assert [each.event_id.partition(":")[0] for each in await desk.store.discounts("ann")] == [
        "monthly@2026-06-01T07"
    ] * fires
    desk.now = datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert await Schedule(desk).until_idle() == 1


async def test_a_rule_that_comes_back_after_months_makes_up_for_nothing(desk: Any, make_rules: Any) -> None:
    with_schedule, without = desk.book, make_rules(BIRTHDAY)
    desk.book, desk.now = without, APRIL + timedelta(hours=2)
    await Schedule(desk).until_idle()
    desk.book, desk.now = with_schedule, datetime(2026, 9, 10, tzinfo=UTC)
    assert await Schedule(desk).until_idle() == 0


async def test_a_new_schedule_of_a_rule_begins_anew(desk: Any, make_rules: Any) -> None:
    desk.book = make_rules(MONTHLY.replace("first day of month 09:00", "10 of month 09:00"))
    await Schedule(desk).until_idle()
    desk.now = APRIL
    assert await Schedule(desk).until_idle() == 0
    desk.now = datetime(2026, 4, 10, 7, tzinfo=UTC)
    assert await Schedule(desk).until_idle() == 4


async def test_a_paused_rule_fires_for_nobody_and_goes_on_later(desk: Any, make_rules: Any) -> None:
    live, desk.book, desk.now = desk.book, make_rules(MONTHLY + "    status: paused\n"), APRIL
    assert await Schedule(desk).until_idle() == 0
    desk.book = live
    assert await Schedule(desk).until_idle() == 0


async def test_merged_meanwhile_a_person_gets_one(desk: Any) -> None:
    desk.now = APRIL
    process = Schedule(desk, firings=1)
    assert await process.turn() == 1  # ann's
    await desk.take(CustomerMerge("dan", "ann"))
    await desk.take(CustomerErase("bea"))
    await process.until_idle()
    assert await held(desk, "dan", "ann", "bea", "cat") == [1, 1, 0, 1]


async def test_a_customer_merged_while_their_page_is_decided_fires_with_the_other(desk: Any) -> None:
    desk.now = APRIL
    process = Schedule(desk, page=9)
    settle = process.settle

    async def merged_before(*given: Any) -> Any:
        await desk.take(CustomerMerge("dan", "ann"))
        return await settle(*given)

    process.settle = merged_before  # type: ignore[method-assign, assignment]
    await process.until_idle()
    assert await held(desk, "dan", "bea", "cat") == [1, 1, 1]


async def birthdays(open_desk: Any) -> Any:
    desk = await open_desk(BIRTHDAY)
    desk.now = MARCH
    return desk


async def test_a_birthday_reads_those_who_have_it(open_desk: Any) -> None:
    desk = await birthdays(open_desk)
    before = [born(f"u{n}", f"1990-{n % 12 + 1:02}-{n % 28 + 1:02}") for n in range(60)]
    await desk.take(born("ann", "1990-03-20"), born("bea", "1985-03-20"), born("cat", "1990-03-21"), *before)
    process = Schedule(desk, page=10)
    await process.until_idle()  # builds the index of those who were there before the rule
    await desk.take(born("dan", "1999-03-20"))
    await desk.take(born("bea", "1985-03-21"))
    desk.now = datetime(2026, 3, 17, 8, tzinfo=UTC)
    assert await process.until_idle() == 2
    assert await held(desk, "ann", "bea", "cat", "dan") == [1, 0, 0, 1]
    assert process.read() == 2
    desk.now = datetime(2026, 3, 18, 8, tzinfo=UTC)
    assert await process.until_idle() == 2
    assert await held(desk, "ann", "bea", "cat", "dan") == [1, 1, 1, 1]


async def test_each_missed_day_of_birthdays_is_made_up_for(open_desk: Any) -> None:
    desk = await birthdays(open_desk)
    await desk.take(born("ann", "1990-03-20"), born("bea", "1985-03-22"), born("cat", "1990-03-24"))
    await Schedule(desk).until_idle()
    desk.now = datetime(2026, 3, 19, 12, tzinfo=UTC)
    assert await Schedule(desk).until_idle() == 2
    assert await held(desk, "ann", "bea", "cat") == [1, 1, 0]


async def test_an_index_that_is_being_built_makes_occurrences_wait(open_desk: Any) -> None:
    desk = await birthdays(open_desk)
    await desk.take(*(born(name, "1990-03-20") for name in ("ann", "bea", "cat")))
    process = Schedule(desk, page=1)
    await process.turn()
    desk.now = datetime(2026, 3, 17, 8, tzinfo=UTC)
    assert await process.until_idle() == 3


async def test_erasing_and_merging_leaves_no_date_behind(open_desk: Any) -> None:
    desk = await birthdays(open_desk)
    await desk.take(born("ann", "1990-03-20"), born("bea", "1985-03-20"), born("cat", "1990-03-20"))
    process = Schedule(desk)
    await process.until_idle()
    await desk.take(CustomerErase("ann"))
    await desk.take(CustomerMerge("cat", "bea"))
    found = await desk.store.dated_customers("birthdate", (320,), "", 9)
    assert [customer.source_id for _, customer in found] == ["cat"]
    desk.now = datetime(2026, 3, 17, 8, tzinfo=UTC)
    assert await process.until_idle() == 1


async def test_a_million_imported_customers_fire_nothing(desk: Any) -> None:
    """A few stand for the million: an occurrence fires by the clock alone, and not when customers come."""
    desk.now = APRIL
    await Schedule(desk).until_idle()
    works = [desk.work(*gold(f"new{n}"), unrewarded="an import") for n in range(30)]
    await desk.settle(works)
    assert await Schedule(desk).until_idle() == 0


async def test_a_step_of_a_worker_without_the_lease_is_refused(desk: Any) -> None:
    [row] = await desk.store.schedules()
    with pytest.raises(ScheduleLost):
        await desk.store.step_schedule(ScheduleStep(row, "nobody", desk.now, "x"))

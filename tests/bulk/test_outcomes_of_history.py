"""What imports of the past do with a store: cases of the conformance list, on real stores."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from adapter.errors import Refused
from adapter.model.imports import ImportOptions
from adapter.services.bulk import local
from adapter.services.bulk.importer import LEASE
from adapter.services.bulk.reader import Input
from adapter.services.bulk.refused_file import Layout
from tests.bulk.conftest import Shop, given
from tests.bulk.importing import history, live, reasons, run


async def test_an_older_file_does_not_roll_back_newer_facts(shop1: Shop) -> None:
    await live(
        shop1,
        '{"type":"identify","userId":"c-1","messageId":"i","timestamp":"2024-03-02T10:00:00Z","traits":{"tier":"gold"}}',
    )
    await run(shop1, "I44", as_of=datetime(2024, 3, 1, 23, tzinfo=UTC))
    traits = await shop1.traits("c-1")
    assert (traits["tier"], traits["city"]) == ("gold", "Oslo")
    await run(shop1, "I44")
    assert (await shop1.traits("c-1"))["tier"] == "silver"


RULES = """\
name: third-order
trigger: order_completed
conditions: {all: ['history.count("order_completed") >= 2']}
action: {type: percentage_off, value: 10}
---
name: abandoned
trigger: {event: checkout_started, unless: order_completed, within: 30m}
action: {type: percentage_off, value: 5}
"""


async def test_history_earns_nothing_starts_no_timer_and_counts(shop: Shop) -> None:
    shop.rule(RULES)
    ended = await run(shop, "I45")
    counts = await shop.store.counts()
    assert (ended.job.counts.accepted, counts["discounts"], counts["timers"], counts["deliveries_due"]) == (
        4,
        0,
        0,
        0,
    )
    assert await shop.store.decisions("c-1") == []
    assert (await history(shop, "c-1")).tallies["order_completed"].count == 3
    moment = shop.now.isoformat()
    await live(
        shop,
        '{"type":"track","event":"Order Completed","userId":"c-1","messageId":"m","timestamp":"'
        + moment
        + '"}',
    )
    assert len(await shop.store.discounts("c-1")) == 1


async def test_history_that_is_evaluated_earns_as_of_its_time_and_is_pushed_nowhere(shop1: Shop) -> None:
    shop1.rule(RULES)
    await run(shop1, "I45", evaluate=True)
    [held] = await shop1.store.discounts("c-1")
    assert held.issued_at == datetime(2023, 3, 1, tzinfo=UTC)
    counts = await shop1.store.counts()
    assert (counts["timers"], counts["deliveries_due"]) == (0, 0)


UPGRADE = """\
name: upgrade
trigger: {trait: tier, to: gold}
action: {type: percentage_off, value: 10}
"""


@pytest.mark.parametrize("evaluate", [False, True])
async def test_imported_changes_of_traits_earn_nothing_unless_asked(shop1: Shop, *, evaluate: bool) -> None:
    shop1.rule(UPGRADE)
    await shop1.imports("customers", "source_id,traits.tier\nc-1,silver\nc-2,silver\n")
    await shop1.imports("customers", "source_id,traits.tier\nc-1,gold\n", evaluate=evaluate)
    assert (await shop1.traits("c-1"))["tier"] == "gold"
    held = await shop1.store.discounts("c-1")
    assert [bool(each.event_id) for each in held] == [True] * evaluate


async def test_importing_again_after_years_changes_nothing(shop: Shop) -> None:
    await run(shop, "I45")
    shop.now = datetime(2030, 1, 1, tzinfo=UTC)
    await shop.store.purge_dedupe_keys(shop.now)
    await shop.store.purge("events", shop.now)
    ended = await run(shop, "I45")
    assert (ended.job.counts.accepted, ended.job.counts.duplicates) == (0, 4)
    assert (await history(shop, "c-1")).tallies["order_completed"].count == 3


async def test_rows_of_erased_people_are_refused_and_only_their_id_is_kept(shop: Shop) -> None:
    await shop.imports("customers", "source_id,email\nc-7,x@example.com\n")
    await shop.app.privacy.erase("c-7", "api")
    ended = await run(shop, "I47")
    assert (ended.rows, ended.job.counts.accepted) == ([2], 1)
    assert "was erased on 2026-03-01" in reasons(ended)
    file = await shop.refused_file(ended, Layout("csv", ("source_id", "email")))
    assert b"x@example.com" not in file
    assert (await run(shop, "I47", include_erased=True)).job.counts.accepted == 2


async def test_reasons_of_a_pools_codes(shop1: Shop) -> None:
    await shop1.store.add_pool_codes("b", ["CODE-2"], shop1.now)
    await shop1.store.add_pool_codes("a", ["A1", "A2", "A3"], shop1.now)
    ended = await run(shop1, "I50", pool="a", pool_limit=4)
    assert [row.reason for row in ended.refused] == [
        "same code as row 2", "CODE-2 belongs to pool b", "pool a is full (4)"
    ]  # fmt: skip


async def test_an_erasure_removes_refused_rows(shop: Shop) -> None:
    ended = await shop.imports("customers", "source_id,metadata.joined\nc-1,2024-13-01\nc-2,2024-13-01\n")
    assert len(ended.refused) == 2
    await shop.app.privacy.erase("c-1", "api")
    left = await shop.store.refused_rows(ended.job.id)
    assert [row.row for _, row in left] == [3]


async def test_imported_discounts_count_for_their_customer_and_not_in_caps(shop: Shop) -> None:
    shop.rule(
        "name: ten\ntrigger: order_completed\naction: {type: percentage_off, value: 10}\n"
        "guardrails: {per_user_limit: 1, max_daily_redemptions: 5}\n"
    )
    rows = "code,source_id,rule,action,value,status,issued_at\n"
    rows += "OLD-1,c-1,ten,percentage_off,10,redeemed,2024-01-01\n"
    ended = await shop.imports("discounts", rows)
    assert (ended.job.counts.accepted, ended.rows) == (1, [])
    counters = (await shop.store.held("c-1")).counters
    assert list(counters.values()) == [1]
    assert (await shop.store.counts())["deliveries_due"] == 0
    again = await shop.imports("discounts", rows)
    assert (again.job.counts.accepted, again.job.counts.duplicates) == (0, 1)
    line = (
        '{"type":"track","event":"Order Completed","userId":"c-1","messageId":"m","timestamp":"'
        + shop.now.isoformat()
        + '"}'
    )
    await live(shop, line)
    assert len(await shop.store.discounts("c-1")) == 1


async def test_a_file_that_has_changed_since_is_not_gone_on_with(shop1: Shop, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("source_id\nc-1\n")
    job = local.job_of(local.Source(path), "customers", ImportOptions(), shop1.now, "x")
    await local.begin(shop1.store, job, restart=False, alone=True)
    path.write_text("source_id\nc-1\nc-2\n")
    changed = local.job_of(local.Source(path), "customers", ImportOptions(), shop1.now, "x")
    assert changed.id == job.id
    with pytest.raises(Refused, match="has changed since"):
        await local.begin(shop1.store, changed, restart=False, alone=True)
    assert (await local.begin(shop1.store, changed, restart=True, alone=True)).rows_done == 0


async def test_each_event_of_a_body_is_decided_at_its_own_time(shop: Shop) -> None:
    shop.rule(
        "name: spring\ntrigger: order_completed\naction: {type: percentage_off, value: 10}\n"
        "guardrails: {stackable: true}\n"
    )
    calls = [
        {"type": "track", "event": "Order Completed", "userId": "c-1", "messageId": f"m-{month}",
         "timestamp": f"2024-{month:02}-10T10:00:00Z", "properties": {"total": 20}}
        for month in (1, 3, 5)
    ]  # fmt: skip
    body = msgspec.json.encode({"batch": calls})
    for accepted, known in ((1, 0), (0, 1)):
        ended = await shop.imports("events", body, source="segment", evaluate=True)
        assert (ended.job.counts.accepted, ended.job.counts.duplicates, ended.rows) == (accepted, known, [])
    decided = [each for _, each in await shop.store.dump_decisions(("", -(2**63), -1), None, None, 10)]
    assert [(each.decided_at.month, each.outcomes[0].outcome) for each in decided] == [
        (1, "issued"), (3, "issued"), (5, "issued")
    ]  # fmt: skip


async def test_an_erasure_removes_refused_rows_that_name_the_person_by_an_address_alone(shop: Shop) -> None:
    await shop.imports("customers", "source_id,email\nc-1,ada@example.com\n")
    rows = "source_id,email\n,Ada@Example.com\n,bo@example.com\n"
    archive = '{"type":"track","event":"x","properties":{"mail":"ada@example.com"}}\n'
    first = await shop.imports("customers", rows)
    second = await shop.imports("events", archive, source="segment")
    assert (first.rows, second.rows) == ([2, 3], [1])
    await shop.app.privacy.erase("c-1", "api")
    left = [await shop.store.refused_rows(each.job.id) for each in (first, second)]
    assert [[row.row for _, row in rows] for rows in left] == [[3], []]
    await shop.store.drop_import(first.job.id)
    assert not await shop.store.refused_rows(first.job.id)


async def test_a_file_is_read_by_another_thread_than_live_traffic(shop1: Shop) -> None:
    readers = set()
    content = b"id,name,user\n" + b"".join(b"e-%d,seen,c-1\n" % number for number in range(40))
    whole = given(content)

    def chunks() -> Iterator[bytes]:
        for chunk in whole.chunks():
            readers.add(threading.current_thread())
            yield chunk

    job = shop1.job("events")
    await shop1.store.add_import(job)
    leased = await shop1.store.lease_import("worker", shop1.now, shop1.now + LEASE, job.id)
    assert leased is not None
    ended = await shop1.importer.run(leased, Input("file", chunks), size=5, weight=20)
    assert (ended.state, ended.counts.accepted) == ("done", 40)
    assert threading.current_thread() not in readers

"""Everything from one store to another, of the same engine or the other."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from msgspec import Raw
from msgspec.structs import replace

from adapter.errors import Refused, Unavailable
from adapter.model.actions import PercentageOff
from adapter.model.activity import ActivityCount
from adapter.model.breakers import Tally
from adapter.model.console import AuditEntry, ConsoleSession, SignInLimits
from adapter.model.deliveries import Pause
from adapter.model.encoding import encode
from adapter.model.erasures import CUSTOMER_ERASED
from adapter.model.imports import ImportJob, ImportStep, RefusedRow
from adapter.model.simulations import CustomerDifference, SimulationAsked, SimulationResult, SimulationRun
from adapter.model.vouchers import Voucher
from adapter.store import unmapped_rows
from adapter.store.copy import copy, reopen
from adapter.store.engines import open_store
from adapter.store.forwarding_values import CallLimits, NewForward
from adapter.store.postgres.statements import SQL
from adapter.store.schedule_contract import ScheduleRow
from adapter.store.tables.copy_sql import PAGE_BYTES
from adapter.store.tables.operation_tables import QUARANTINE
from adapter.store.tables.registry import COPIED
from adapter.store.values import Erasure, LoadRequest


@pytest.fixture
async def other(store_url: str, postgres_url: str, tmp_path: Path) -> AsyncIterator[Any]:
    """An empty store of the other engine."""
    into_postgres = store_url.startswith("sqlite")
    other = open_store(postgres_url if into_postgres else f"sqlite:///{tmp_path / 'other.db'}")
    await other.open()
    yield other
    await other.close()


@pytest.fixture
async def filled(store: Any, run: Any, make: Any) -> Any:
    """A store with something in every table, odd text included."""
    many = range(2500)
    await run.save(customers=[make.customer("gone")], deliveries=[make.delivery("d0", "gone")])
    await run.save(
        LoadRequest(messages=[("s", str(number)) for number in many]),
        answers={("s", "1"): b"A1"},
        rewarded={("s", "1"): "c1"},
        customers=[make.customer(f"c{number}", b"h" * (number % 7)) for number in many]
        + [make.customer("a\0\x01", email="a@x.test", birthdate="1990-02-28")],
        dated=("birthdate",),
        identities={("anonymous_id", "é\0"): "c1", ("source_id", "old"): "c1"},
        events=[("c1", make.event(f"e{number}", make.at(seconds=number % 50))) for number in many],
        decisions=[make.decision(), make.decision("c2")],
        discounts=[
            make.held(f"A{number}", f"c{number}", expires_at=make.at(hours=number)) for number in many
        ],
        counters={("", "k"): 7, ("c1", "k"): -1},
        deliveries=[make.delivery("d2"), make.delivery("d1", "c2")],
        quarantine=[make.quarantined("1"), make.quarantined("2", names={"userId": "c\0"})],
        erased=[Erasure("gone", ("gone", "é"), "api", "r1")],
        armed=[make.timer(), make.timer("other\0", "c2")],
        redemptions=[make.redemption("r1", codes=("A1", "é\0")), make.redemption("r2", "c2", order_id="")],
        rollbacks=[make.rollback()],
        pending=[make.pending(code="Z9"), make.pending("p2", "c\0", "Z9", status="refused")],
        forwards=[NewForward("c1", "crm", "customer", make.now)],
        journal=[make.journal("m\0", "c1")],
        vouchers=[Voucher(code="V-1|x", action=PercentageOff(value=Decimal("12.5")))],
    )
    assert await store.add_pool_codes("p", ["P-1", "P-2"], make.now) == ["P-1", "P-2"]
    await store.add_ignored([make.ignored("é\0"), make.ignored("")], 10, None)
    await store.add_failed_codes([(b"d" * 16, "customer")], 1, make.now, make.now)
    await store.spend(make.now, "crm", 1, CallLimits())
    await store.pause(Pause("shop", make.now, make.at(hours=1), "answered 410"))
    await store.settle([], Tally("shop", 0, 10, make.now, "answered 500"))
    await store.start_schedule(ScheduleRow("monthly", "{}", make.now))
    await store.add_activity([ActivityCount("messages/processed", make.now, 7)])
    await _fill_imports(store, run, make)
    await store.add_session(ConsoleSession(b"s", b"t", "é", make.at(hours=1)), make.now)
    await store.begin_sign_in(b"a", make.now, SignInLimits(make.now, 1, 1))
    await store.begin_audit(AuditEntry(at=make.now, who="é\0", role="admin", action="Erase", customer="c1"))
    await _fill_simulations(store, make)
    return store


async def _fill_simulations(store: Any, make: Any) -> None:
    asked = SimulationAsked(title="t", since="30d", start=make.now, end=make.now)
    run = SimulationRun(id="s1", created_at=make.now, lease_until=make.at(hours=1), asked=asked)
    assert await store.begin_simulation(run, make.now, 10)
    await store.end_simulation(
        replace(run, state="done"), SimulationResult(b"r", [CustomerDifference("c1", b"{}")])
    )


async def _fill_imports(store: Any, run: Any, make: Any) -> None:
    """Store an import that has refused a row, and its upload."""
    job, until = ImportJob("imp_1", "customers", "c.csv", make.now, state="receiving"), make.at(hours=1)
    await store.add_import(job)
    await store.add_import_chunk("imp_1", 0, b"source_id\n7\n")
    await store.received_import(replace(job, state="waiting", chunks=1))
    leased = await store.lease_import("w", make.now, until)
    refused = (RefusedRow(1, 2, "no id", source_id="c1", raw=b"7,ada@example.com"),)
    await run.save(step=ImportStep(leased, "w", until, refused))


async def test_a_copy_holds_everything(filled: Any, other: Any, make: Any) -> None:
    seen: list[tuple[str, int, int]] = []
    counts = await copy(filled, other, lambda *progress: seen.append(progress), "there")
    assert counts["customers"] == 2501
    # The last two are of stores that older programs wrote.
    assert [name for name, copied, total in seen if copied == total and total] == [
        table.name for table in COPIED if table.name not in ("address_progress", "unaddressed")
    ]
    assert await other.counts() == await filled.counts()
    assert await other.pauses(make.now) == await filled.pauses(make.now) != []
    assert await other.breakers() == await filled.breakers() != []
    for name in ("c1", "old", "é\0", "a\0\x01"):
        assert await other.customer(name) == await filled.customer(name) is not None
    assert await other.events("c1", 5000) == await filled.events("c1", 5000)
    assert await other.decisions("c2") == await filled.decisions("c2")
    assert await other.discount("A77") == await filled.discount("A77")
    assert await other.lapsed(make.at(hours=9), 99) == [f"A{number}" for number in range(10)]
    assert await other.deliveries("due") == await filled.deliveries("due")
    assert await other.quarantined() == await filled.quarantined()
    assert await other.ignored() == await filled.ignored() != []
    assert await other.receipts("é") == await filled.receipts("é") != []
    assert await other.pending_moves(code="Z9") == await filled.pending_moves(code="Z9") != []
    assert (await other.held("c\0")).quarantined == (await filled.held("c\0")).quarantined != []
    assert await other.redemptions("all") == await filled.redemptions("all") != []
    assert await other.simulation("s1") == await filled.simulation("s1") is not None
    assert await other.rollbacks("r1") == await filled.rollbacks("r1") != []
    assert await other.import_jobs() == await filled.import_jobs() != []
    assert await other.import_chunk("imp_1", 0) == b"source_id\n7\n"
    assert await other.refused_rows("imp_1") == await filled.refused_rows("imp_1") != []
    assert await other.schedules() == await filled.schedules() != []
    counted = ["messages/processed"], make.now, make.at(hours=1), timedelta(minutes=1)
    assert await other.activity(*counted) == await filled.activity(*counted) != []
    assert await other.dated_customers("birthdate", (228,), "", 9) != []
    assert await other.pools() == await filled.pools() != []
    assert await other.due_timers(make.at(days=1), 9) == await filled.due_timers(make.at(days=1), 9)


async def test_a_copied_store_can_be_written_to(filled: Any, other: Any, make: Any) -> None:
    await copy(filled, other, lambda *_: None, "there")

    async def script(transaction: Any) -> Any:
        loaded = await transaction.load(
            LoadRequest(messages=[("s", "1"), ("s", "new")], codes=["A1"]), make.now
        )
        used = (await transaction.reserve([("", "k")], ["A5", "new"])).used
        await transaction.save(
            make.changes(decisions=[make.decision()], deliveries=[make.delivery("d3")],
                         discounts=[make.held("new")], quarantine=[make.quarantined("3")], erased=["gone2"])
        )  # fmt: skip
        return loaded.answers, used

    assert await other.transact(script) == ({("s", "1"): b"A1"}, {("", "k"): 7})
    due = [each.id for each in await other.deliveries("due") if each.type != CUSTOMER_ERASED]
    assert due == ["d2", "d1", "d3"]
    assert (await other.quarantined())[-1].id > 2
    assert len(await other.receipts("gone2")) == 1
    assert await other.add_pool_codes("p", ["P-3"], make.now) == ["P-3"]


async def stopped(source: Any, target: Any) -> None:
    """Copy until some of the events are there."""

    def stop(name: str, copied: int, _: int) -> None:
        if name == "events" and copied:
            raise KeyError("pulled the plug")

    with pytest.raises(KeyError, match="pulled the plug"):
        await copy(source, target, stop, "there")


async def test_a_copy_holds_all_events_of_one_id_and_moment(
    store: Any, other: Any, run: Any, make: Any
) -> None:
    """More than a page of them: their names alone tell them apart."""
    names = [f"name_{number:04}" for number in range(2500)]
    await run.save(events=[("c1", replace(make.event("e"), name=name)) for name in names])
    await copy(store, other, lambda *_: None, "there")
    assert sorted(event.name for event in await other.events("c1", 5000)) == names


async def test_an_interrupted_copy_continues_where_it_stopped(filled: Any, other: Any) -> None:
    await stopped(filled, other)
    seen: list[tuple[str, int, int]] = []
    counts = await copy(filled, other, lambda *progress: seen.append(progress), "there")
    assert next(progress for progress in seen if progress[0] == "events") == ("events", 2000, 2500)
    assert counts["events"] == 2500
    assert await other.counts() == await filled.counts()


async def test_a_store_that_holds_part_of_a_copy_is_opened_for_the_rest_only(filled: Any, other: Any) -> None:
    await stopped(filled, other)
    await other.close()
    with pytest.raises(Unavailable, match="unfinished copy: run `adapter store copy` again with the same"):
        await other.open()
    await other.open(copying=True)
    await copy(filled, other, lambda *_: None, "there")
    await other.close()
    await other.open()
    assert (await other.counts())["events"] == 2500


async def test_a_source_that_was_copied_is_opened_to_be_copied_only_until_it_is_reopened(
    filled: Any, other: Any
) -> None:
    await copy(filled, other, lambda *_: None, "there at noon")
    await filled.close()
    with pytest.raises(Unavailable, match="was copied into there at noon"):
        await filled.open()
    await filled.open(copying=True)
    assert await reopen(filled)
    await filled.close()
    await filled.open()
    assert not await reopen(filled)
    await other.close()
    await other.open()


async def test_a_copy_that_is_stopped_leaves_its_source_in_use(filled: Any, other: Any) -> None:
    await stopped(filled, other)
    await filled.close()
    await filled.open()


async def test_a_source_that_was_copied_can_be_copied_again(filled: Any, other: Any, tmp_path: Path) -> None:
    await copy(filled, other, lambda *_: None, "there")
    third = open_store(f"sqlite:///{tmp_path / 'third.db'}")
    await third.open()
    await copy(filled, third, lambda *_: None, "elsewhere")
    assert await third.counts() == await other.counts()
    await third.close()
    await third.open()
    await third.close()


async def test_part_of_a_copy_is_not_copied(filled: Any, other: Any, tmp_path: Path) -> None:
    await stopped(filled, other)
    third = open_store(f"sqlite:///{tmp_path / 'third.db'}")
    await third.open()
    with pytest.raises(Refused, match="the source holds an unfinished copy"):
        await copy(other, third, lambda *_: None, "there")
    await third.close()


async def test_a_copy_does_not_go_on_from_another_source(
    filled: Any, other: Any, run: Any, make: Any
) -> None:
    await stopped(filled, other)
    await run.save(customers=[make.customer("new")])
    with pytest.raises(Refused, match="part of a copy of another store, or of this one as it was before"):
        await copy(filled, other, lambda *_: None, "there")


async def test_rows_of_others_in_the_target_are_refused(filled: Any, other: Any, make: Any) -> None:
    await stopped(filled, other)
    rows = await filled.end().page(QUARANTINE, None, 1)
    await other.end().put(QUARANTINE, rows, "[]")
    with pytest.raises(Refused, match="the target holds quarantine that this copy did not put there"):
        await other.end().put(QUARANTINE, rows, "[]")


async def test_a_store_that_holds_something_is_not_copied_into(filled: Any, other: Any) -> None:
    await copy(filled, other, lambda *_: None, "there")
    with pytest.raises(Refused, match="the target holds messages already"):
        await copy(filled, other, lambda *_: None, "there")


async def test_a_copy_that_differs_is_found(filled: Any, other: Any, make: Any) -> None:
    async def spoil(transaction: Any) -> None:
        await transaction.load(LoadRequest(), make.now)
        await transaction.save(make.changes(counters={("", "k"): 1}))

    class Spoilt:
        """The source, written to while it is copied."""

        def end(self) -> Any:
            end = filled.end()
            page = end.page

            async def spoiling(table: Any, *more: Any) -> Any:
                rows = await page(table, *more)
                if table.name == "quarantine" and rows:
                    await filled.transact(spoil)
                return rows

            end.page = spoiling
            return end

    with pytest.raises(Unavailable, match="the copy of counters differs from its source"):
        await copy(Spoilt(), other, lambda *_: None, "there")


async def test_pages_of_a_copy_have_so_many_bytes(
    store: Any, run: Any, make: Any, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unmapped_rows, "packed", lambda message: message)
    long = Raw(encode("x" * 3_000_000))
    for number in range(7):
        await run.save(quarantine=[replace(make.quarantined(str(number)), document=long)])
    end, pages = store.end(), list[int]()
    page = end.page

    async def counted(table: Any, after: Any, limit: int) -> Any:
        found = await page(table, after, limit)
        pages.append(sum(len(value) for each in found for value in each if isinstance(value, bytes)))
        return found

    monkeypatch.setattr(end, "page", counted)
    monkeypatch.setattr(store, "end", lambda: end)
    counts = await copy(store, other, lambda *_: None, "there")
    assert counts["quarantine"] == 7
    assert max(pages) < PAGE_BYTES + 3_100_000
    assert sum(size > 0 for size in pages) >= 3


async def test_every_sequence_of_postgresql_continues_after_the_copied_rows(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    found = await connection.fetch("SELECT relname FROM pg_class WHERE relkind = 'S'")
    await connection.close()
    moved = re.findall(r"setval\('(\w+)'", SQL["next_numbers"])
    assert sorted(moved) == sorted(row["relname"] for row in found)

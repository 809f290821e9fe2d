"""Dumps: what is taken out comes in again as the same, and spreadsheets run nothing of it."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from adapter.bulk.headers import guarded, parsed, unguarded, written
from adapter.model.encoding import encode
from adapter.services.bulk.dump import Dump, DumpKind, Filters
from adapter.services.bulk.dump_formats import csv_of, jsonl, parquet
from adapter.sources.registry import SOURCES
from tests.bulk.conftest import Shop
from tests.bulk.test_cases import CASES

FORMS = {"csv": csv_of, "jsonl": jsonl, "parquet": parquet}


async def dumped(shop: Shop, kind: DumpKind, form: str = "csv", **filters: Any) -> bytes:
    """Return a dump of a shop."""
    if form == "parquet":
        pytest.importorskip("pyarrow")
    dump = Dump(shop.store, shop.files, lambda: shop.now, kind, Filters(**filters))
    return b"".join([piece async for piece in FORMS[form](dump)])


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[Shop]:
    """An empty shop."""
    found = Shop("sqlite:///:memory:", tmp_path)
    async with found.app.working():
        yield found


async def state(shop: Shop) -> dict[str, list[Any]]:
    """Return all customers, events and discounts of a shop, with the folded past."""
    customers = await shop.store.dump_customers("", 1000)
    events = await shop.store.dump_events(("", -(2**63), "", b""), None, None, 1000)
    return {
        "customers": [(key, encode(customer), history) for key, customer, history in customers],
        "events": [(key, encode(event)) for key, event in events],
        "discounts": [encode(each.held) for each in await shop.store.issued()],
    }


ADA = {
    "source_id": "c-1",
    "name": "Ada",
    "email": "a@example.com",
    "address": {"city": "Oslo"},
    "segments": ["vip"],
    "identities": {"anonymous_id": "an-1"},
    "traits": {"n": 5, "f": 1.5, "s": "5", "null": "null", "": "x", "a.b": [1, {"c": None}], "e": ""},
}


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
async def test_a_dump_comes_in_as_the_same_state(shop: Shop, other: Shop, form: str) -> None:
    shop.rule("name: ten\ntrigger: order_completed\naction: {type: percentage_off, value: 10}\n")
    other.files.rules = shop.files.rules
    await shop.imports("customers", encode(ADA))
    call = {"type": "track", "event": "Order Completed", "userId": "c-1", "messageId": "m"}
    body = encode({**call, "timestamp": shop.now, "properties": {"total": 20.5}})
    await shop.app.ingest.receive(SOURCES["segment"].decode_recorded(body, shop.now))
    kinds: tuple[Any, ...] = ("customers", "events", "discounts")
    for kind in kinds:
        file = await dumped(shop, kind, form)
        ended = await other.imports(kind, file, format="parquet" if form == "parquet" else "")
        assert (ended.job.state, ended.refused) == ("done", []), ended.job.error
        again = await shop.imports(kind, file, format="parquet" if form == "parquet" else "")
        assert again.refused == []
    assert await state(other) == await state(shop)
    assert (await other.store.held("c-1")).counters == (await shop.store.held("c-1")).counters


async def test_cells_that_a_spreadsheet_would_run_are_guarded_and_read_back(shop1: Shop, other: Shop) -> None:
    case = CASES["I42"]
    for number, value in enumerate(case["input"]["stored_values"]):
        await shop1.imports("customers", encode({"source_id": f"c-{number:02}", "traits": {"v": value}}))
    file = await dumped(shop1, "customers")
    rows = list(csv.DictReader(io.StringIO(file.decode(), newline="")))
    assert [row["traits.v"] for row in rows] == case["outcome"]["csv_cells"]
    await other.imports("customers", file)
    found = [(await other.traits(f"c-{number:02}"))["v"] for number in range(len(rows))]
    assert found == case["input"]["stored_values"]


async def test_names_of_traits_are_any_text(shop1: Shop, other: Shop) -> None:
    traits = CASES["I43"]["input"]["before"][0]["traits"]
    await shop1.imports("customers", encode({"source_id": "c-1", "traits": traits}))
    await other.imports("customers", await dumped(shop1, "customers"))
    assert await other.traits("c-1") == traits


@given(some.lists(some.text(min_size=1, max_size=8), min_size=1, max_size=3))
def test_every_path_can_be_written_as_a_name(path: list[str]) -> None:
    name = written(("traits", *path))
    assert parsed(unguarded(guarded(name))) == (("traits", *path), None)


@given(some.text(alphabet="'=+-@\t\r\n12 a", max_size=6))
def test_a_guard_is_taken_off_exactly(text: str) -> None:
    assert unguarded(guarded(text)) == text


async def test_dumps_are_narrowed_by_time_segment_and_rule(shop: Shop) -> None:
    lines = [
        {"source_id": "c-1", "segments": ["vip"], "told_at": {"name": 1_600_000_000_000}},
        {"source_id": "c-2", "told_at": {"name": 1_700_000_000_000}},
    ]
    await shop.imports("customers", b"\n".join(map(encode, lines)))
    rows = "id,name,user,occurred_at\ne1,seen,c-1,2023-01-01\ne2,seen,c-2,2024-01-01\n"
    await shop.imports("events", rows)

    async def ids(kind: DumpKind, **filters: Any) -> list[str]:
        lines = (await dumped(shop, kind, "jsonl", **filters)).splitlines()
        return [
            msgspec.json.decode(line).get("id") or msgspec.json.decode(line)["source_id"] for line in lines
        ]

    assert await ids("customers", segment="vip") == ["c-1"]
    assert await ids("customers", since=datetime(2023, 1, 1, tzinfo=UTC)) == ["c-2"]
    assert await ids("events", segment="vip") == ["e1"]
    assert await ids("events", until=datetime(2023, 6, 1, tzinfo=UTC)) == ["e1"]
    assert await ids("discounts", rule="none") == []


async def test_decisions_and_redemptions_are_dumped(shop: Shop) -> None:
    shop.rule("name: ten\ntrigger: order_completed\naction: {type: percentage_off, value: 10}\n")
    rows = "id,name,user,occurred_at\no1,order_completed,c-1,2026-03-01T11:00:00Z\n"
    await shop.imports("events", rows, evaluate=True)
    decisions = (await dumped(shop, "decisions", "csv", rule="ten")).decode()
    assert "order_completed" in decisions
    assert (await dumped(shop, "redemptions", "jsonl")).count(b"\n") <= 1

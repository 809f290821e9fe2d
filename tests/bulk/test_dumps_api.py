"""Dumps over HTTP, and how much of a store a dump has in memory."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest

from adapter.services.bulk.dump import Dump, Filters
from adapter.services.bulk.dump_formats import csv_of, jsonl
from tests.bulk.conftest import Shop


@pytest.fixture
async def client(shop1: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the shop's API."""
    transport = httpx.ASGITransport(shop1.app.asgi, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as found:
        yield found


async def test_rows_are_dumped_over_http_as_by_the_command(shop1: Shop, client: httpx.AsyncClient) -> None:
    await shop1.imports("customers", "source_id,segments[],traits.note\nc-1,vip,=1+1\nc-2,,plain\n")
    response = await client.get("/v1/dumps/customers")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert [(row["source_id"], row["traits.note"]) for row in rows] == [("c-1", "'=1+1"), ("c-2", "plain")]
    plain = await client.get("/v1/dumps/customers", params={"plain": "true", "segment": "vip"})
    assert [row["traits.note"] for row in csv.DictReader(io.StringIO(plain.text, newline=""))] == ["=1+1"]
    lines = (await client.get("/v1/dumps/customers", params={"format": "jsonl"})).text.splitlines()
    assert [json.loads(line)["source_id"] for line in lines] == ["c-1", "c-2"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("people", 404),
        ("customers?format=xml", 400),
        ("customers?plain=maybe", 400),
        ("events?since=soon", 400),
        ("events?until=1", 200),
    ],
)
async def test_a_wrong_dump_is_refused(client: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await client.get(f"/v1/dumps/{path}")).status_code == status


@pytest.mark.slow
@pytest.mark.parametrize("form", [csv_of, jsonl])
async def test_a_dump_has_some_rows_in_memory(shop1: Shop, form: object) -> None:
    peaks = []
    for first, rows in ((0, 1_000), (1_000, 4_000)):
        lines = (f"e-{first + n},seen,c-{n % 50},2024-01-01,{'n' * 200}\n" for n in range(rows))
        await shop1.imports("events", "id,name,user,occurred_at,note\n" + "".join(lines))
        dump = Dump(shop1.store, shop1.files, lambda: shop1.now, "events", Filters())
        pieces = csv_of(dump) if form is csv_of else jsonl(dump)
        tracemalloc.start()
        size = 0
        async for piece in pieces:
            size += len(piece)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert size > 200 * (first + rows)
    assert peaks[1] < 2 * peaks[0]

"""Imports over HTTP: received into the store, run one at a time, cancelled, and gone on with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from adapter.errors import TooLarge, Unavailable
from adapter.metrics import Metrics
from adapter.model.imports import ImportOptions
from adapter.services.bulk.importer import LEASE, Importer
from adapter.services.bulk.runner import ImportRunner
from adapter.services.bulk.slices import Slices
from adapter.services.bulk.uploads import Uploads
from adapter.services.environment import Environment
from adapter.services.read_timeout import ReadTimeout
from adapter.store.import_contract import ImportLost
from tests.bulk.conftest import Shop, given

FILE = b"source_id,name\nc-1,Ada\n,Bo\nc-3,Cy\n"


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the shop's API."""
    transport = httpx.ASGITransport(shop.app.asgi, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as found:
        yield found


def runner(
    shop: Shop, worker: str = "w1", importer: Importer | None = None, keep_every: timedelta = LEASE
) -> ImportRunner:
    """Return what runs imports."""
    world = Environment(clock=lambda: shop.now)
    slices = Slices(shop.store, shop.files, world, shop.app.completer.complete)
    importer = importer or Importer(shop.store, shop.files, slices, lambda: shop.now, worker)
    return ImportRunner(
        shop.store, importer, lambda: shop.now, worker=worker, metrics=Metrics(), keep=timedelta(days=7),
        keep_every=keep_every,
    )  # fmt: skip


async def upload(
    client: httpx.AsyncClient, content: bytes = FILE, kind: str = "customers", **query: Any
) -> str:
    """Upload a file, and return the path of its import."""
    response = await client.post("/v1/imports", content=content, params={"kind": kind, **query})
    assert response.status_code == 202, response.text
    return response.headers["location"]


async def test_an_upload_is_imported_and_its_refused_rows_are_listed(
    shop: Shop, client: httpx.AsyncClient
) -> None:
    path = await upload(client, name="a.csv")
    assert (await client.get(path)).json()["state"] == "waiting"
    assert await runner(shop).run_next()
    job = (await client.get(path)).json()
    assert [job["state"], *(job["counts"][name] for name in ("rows", "accepted", "refused"))] == [
        "done", 3, 2, 1
    ]  # fmt: skip
    [refused] = (await client.get(f"{path}/refusals")).json()["refused"]
    assert (refused["row"], refused["reason"], refused["content"]) == (3, "source_id is empty", ",Bo")
    file = (await client.get(f"{path}/refused-file")).text
    assert file.splitlines()[1] == ",Bo,3,source_id is empty"
    assert await shop.store.import_bytes() == 0
    assert [each["id"] for each in (await client.get("/v1/imports")).json()["imports"]] == [job["id"]]


async def test_a_form_with_a_file_and_options(shop: Shop, client: httpx.AsyncClient) -> None:
    data = {"kind": "codes", "pool": "spring", "column": "Voucher=code"}
    files = {"file": ("file", b"Voucher\nA-1\nA-2\n", "application/octet-stream")}
    response = await client.post("/v1/imports", data=data, files=files)
    assert response.status_code == 202, response.text
    assert await runner(shop).run_next()
    assert [(each.name, each.left) for each in await shop.store.pools()] == [("spring", 2)]


@pytest.mark.parametrize(
    ("query", "content", "code"),
    [
        ({"kind": "people"}, FILE, "invalid_import"),
        ({"kind": "customers"}, b"", "invalid_import"),
        ({"kind": "codes"}, b"code\nA\n", "invalid_import"),
        ({"kind": "events", "evaluate": "perhaps"}, FILE, "invalid_import"),
    ],
)
async def test_a_wrong_upload_is_refused(
    client: httpx.AsyncClient, query: dict[str, str], content: bytes, code: str
) -> None:
    response = await client.post("/v1/imports", content=content, params=query)
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)


async def test_a_file_over_the_limit_is_refused_and_leaves_nothing(shop: Shop) -> None:
    limits = replace(shop.settings.imports, max_file_bytes=50)
    service = Uploads(shop.store, lambda: shop.now, lambda: "big", limits=limits, patience=ReadTimeout(10))

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 30

    with pytest.raises(TooLarge):
        await service.receive("customers", "big.csv", ImportOptions(), body())
    assert (await shop.store.import_jobs(), await shop.store.import_bytes()) == ([], 0)


async def test_uploads_that_arrive_together_do_not_pass_the_limit_of_all(shop: Shop) -> None:
    limits = replace(shop.settings.imports, max_stored_bytes=1_000_000)
    numbers = iter("ab")
    service = Uploads(
        shop.store, lambda: shop.now, lambda: next(numbers), limits=limits, patience=ReadTimeout(10)
    )
    both = asyncio.Barrier(2)

    async def body() -> AsyncIterator[bytes]:
        await both.wait()  # there is room for each when it begins
        for _ in range(30):
            yield b"x" * 500_000

    async def upload_() -> None:
        with pytest.raises(Unavailable, match="max_stored_bytes"):
            await service.receive("customers", "big.csv", ImportOptions(), body())

    await asyncio.gather(upload_(), upload_())
    assert (await shop.store.import_jobs(), await shop.store.import_bytes()) == ([], 0)


async def test_a_process_that_reads_for_long_before_its_next_slice_keeps_its_import(
    shop: Shop, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await upload(client)
    long, keep, kept = runner(shop, keep_every=timedelta(0)), shop.store.keep_import, asyncio.Queue[None]()
    fetch = long._fetch

    async def keep_and_tell(*given: Any) -> None:
        await keep(*given)
        kept.put_nowait(None)

    async def fetch_for_minutes(*given: Any) -> None:
        for _ in range(3):
            shop.now += LEASE * 0.9
            for _ in range(kept.qsize() + 2):  # the last one began after the clock had moved
                await asyncio.wait_for(kept.get(), 60)
            assert not await runner(shop, "other").run_next()
        await fetch(*given)

    monkeypatch.setattr(shop.store, "keep_import", keep_and_tell)
    monkeypatch.setattr(long, "_fetch", fetch_for_minutes)
    assert await long.run_next()
    assert (await client.get(path)).json()["state"] == "done"


async def test_a_cancelled_import_keeps_what_it_has_and_does_not_run(
    shop: Shop, client: httpx.AsyncClient
) -> None:
    path = await upload(client)
    assert (await client.delete(path)).json()["state"] == "cancelled"
    assert (await client.delete(path)).status_code == 409
    assert not await runner(shop).run_next()
    assert await shop.store.import_bytes() == 0


async def test_an_import_cancelled_while_it_runs_stops_at_the_next_slice(
    shop: Shop, client: httpx.AsyncClient
) -> None:
    rows = b"source_id\n" + b"".join(b"c-%d\n" % number for number in range(350))
    path = await upload(client, rows)
    working = asyncio.create_task(runner(shop).run_next())
    while not (await client.get(path)).json()["rows_done"]:
        await asyncio.wait((working,), timeout=0.001)
    await client.delete(path)
    await working
    job = (await client.get(path)).json()
    assert job["state"] == "cancelled"
    assert 0 < (await shop.store.counts())["customers"] < 350


async def test_one_import_runs_at_a_time_and_another_worker_goes_on_after_the_lease(
    shop: Shop, client: httpx.AsyncClient
) -> None:
    await upload(client, b"source_id\n" + b"".join(b"c-%d\n" % number for number in range(250)))
    await upload(client, b"source_id\nd-1\n")
    first = await shop.store.lease_import("killed", shop.now, shop.now + LEASE)
    assert first is not None
    assert not await runner(shop).run_next()
    shop.now += LEASE + timedelta(seconds=1)
    assert await runner(shop, "w2").run_next()
    assert await runner(shop, "w2").run_next()
    assert (await shop.store.counts())["customers"] == 251


async def test_a_worker_that_lost_its_import_stores_nothing(shop: Shop, client: httpx.AsyncClient) -> None:
    await upload(client)
    mine = await shop.store.lease_import("worker", shop.now, shop.now + LEASE)
    assert mine is not None
    shop.now += LEASE + timedelta(seconds=1)
    assert await shop.store.lease_import("other", shop.now, shop.now + LEASE) is not None
    with pytest.raises(ImportLost):
        await shop.importer.run(mine, given(FILE))
    assert (await shop.store.counts())["customers"] == 0


async def test_old_imports_are_deleted_with_their_refused_rows(shop: Shop, client: httpx.AsyncClient) -> None:
    path = await upload(client)
    await runner(shop).run_next()
    shop.now += timedelta(days=8)
    await runner(shop).purge()
    assert (await client.get(path)).status_code == 404
    assert not await shop.store.refused_rows(path.rpartition("/")[2])


async def test_a_column_without_a_name_is_told(shop: Shop, client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/imports", content=FILE, params={"kind": "customers", "column": "name"})
    assert response.status_code in {400, 422}
    assert "NAME=TARGET" in response.text

"""Rows that would end a whole import, fill the memory, or leave data of a person behind."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from datetime import timedelta
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.bulk import compression
from adapter.bulk.compression import decompressed
from adapter.errors import InvalidImport, Refused, Unreadable, WrongMove
from adapter.model.imports import ImportKind, ImportOptions
from adapter.services.bulk.importer import LEASE, Importer
from adapter.services.bulk.refused_file import Layout
from adapter.services.bulk.uploads import Uploads
from adapter.services.read_timeout import ReadTimeout
from adapter.web.multipart import form_of
from tests.bulk.conftest import Shop
from tests.bulk.test_uploads import runner

EVENTS = "name,user,occurred_at\n"


async def test_an_id_with_bytes_that_are_not_text_costs_its_row_alone(shop1: Shop) -> None:
    ended = await shop1.imports("customers", b"source_id,name\nM\xfcller,x\nok,y\n")
    assert (ended.job.state, ended.job.counts.accepted, ended.rows) == ("done", 1, [2])


@pytest.mark.parametrize("at", ["²²²²²²²²²²", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00"])
async def test_a_time_outside_of_the_calendar_costs_its_row_alone(shop1: Shop, at: str) -> None:
    ended = await shop1.imports("events", f"{EVENTS}o,u1,{at}\no,u2,2024-01-01\n")
    assert (ended.job.state, ended.job.counts.accepted, ended.rows) == ("done", 1, [2])


@pytest.mark.parametrize("at", ["9999-12-31", "9999-12-31T23:59:59Z"])
async def test_a_discount_may_expire_on_the_last_day_of_the_calendar(shop1: Shop, at: str) -> None:
    ended = await shop1.imports("discounts", f"code,source_id,type,value,expires_at\nA1,u1,percent,10,{at}\n")
    assert (ended.job.state, ended.job.counts.accepted, ended.refused) == ("done", 1, [])


async def test_nul_in_a_later_line_of_a_cell_is_refused(shop1: Shop) -> None:
    ended = await shop1.imports("customers", b'source_id,name\nu1,"a\nb\0c"\n')
    assert ended.rows == [2]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("customers", {"encoding": "hex"}),
        ("customers", {"encoding": "rot13"}),
        ("customers", {"encoding": "punycode"}),
        ("events", {"zone": "Nowhere"}),
        ("customers", {"quote": "ab"}),
        ("customers", {"delimiter": "ab"}),
        ("customers", {"delimiter": "\n"}),
        ("customers", {"quote": ","}),
        ("events", {"source": "nobody"}),
        ("events", {"date_format": "DD"}),
    ],
)
async def test_a_wrong_option_is_told_before_anything_is_written(
    shop1: Shop, kind: ImportKind, options: dict[str, Any]
) -> None:
    content = "source_id,name,user,occurred_at\nu1,a,u1,2024-01-01\n"
    if kind == "events":
        content = "name,user,occurred_at\na,u1,2024-01-01\n"
    ended = await shop1.imports(kind, content, **options)
    assert (ended.job.state, ended.job.counts.rows) == ("failed", 0)
    assert ended.job.error


async def test_reasons_and_names_of_columns_are_no_formulas(shop1: Shop) -> None:
    rows = 'code,source_id,type,value,"=cmd()"\n=1+1,u1,percent,1,\n=1+1,u1,percent,1,\n'
    await shop1.imports("codes", "code\n=1+1\n", pool="p")
    ended = await shop1.imports("discounts", rows)
    file = await shop1.refused_file(ended, Layout("csv", ended.job.header))
    for line in file.decode("utf-8-sig").splitlines():
        assert not any(cell.strip('"').startswith("=") for cell in line.split(",")), line


async def test_records_of_an_export_are_checked_as_others(shop1: Shop) -> None:
    dumped = await shop1.imports("discounts", "code,source_id,type,value\nA1,u1,percent,10\n")
    assert dumped.job.counts.accepted == 1
    record = (
        '{"discount":{"code":"CODE","action":{"type":"percentage_off","value":10},"expires_at":null,'
        '"metadata":{},"stackable":false,"status":"issued"},"source_id":"WHO","rule":"r","event_id":"e",'
        '"issued_at":"2024-01-01T00:00:00Z","moved_at":"2024-01-01T00:00:00Z"}'
    )
    for code, who in (("", "u2"), ("A\\u0000", "u2"), ("B1", "n/a"), ("B2", "")):
        made = record.replace("CODE", code).replace("WHO", who)
        ended = await shop1.imports("discounts", f'{{"record":{made}}}')
        assert ended.job.counts.refused == 1, (code, who, ended)


@pytest.mark.parametrize("rows_before", [0, 1, 60])
async def test_a_line_that_is_too_long_is_refused_wherever_it_stands(shop1: Shop, rows_before: int) -> None:
    before = b"".join(b"u%d,x\n" % number for number in range(rows_before))
    file = b"source_id,name\n" + before + b"z" * 17_000_000 + b"\nlast,\xff\n"
    ended = await shop1.imports("customers", file)
    assert ended.rows == [rows_before + 2, rows_before + 3]
    assert "the line is longer than" in ended.refused[0].reason


async def test_a_header_that_is_not_text_is_told_with_the_remedy(shop1: Shop) -> None:
    ended = await shop1.imports("customers", b"source_id,gr\xf6\xdfe\nu1,x\n")
    assert ended.job.state == "failed"
    assert "byte 0xF6 in the name of column 2" in ended.job.error
    assert "--encoding windows-1252" in ended.job.error


async def test_a_column_that_nests_too_deeply_is_refused_before_the_first_row(shop1: Shop) -> None:
    ended = await shop1.imports("customers", f"source_id,metadata.{'.'.join('a' * 5000)}\nu1,x\n")
    assert ended.job.state == "failed"
    assert ended.job.error.endswith("nests deeper than 32 names")


def test_zstd_of_zeros_is_read_in_small_pieces() -> None:
    zstandard = pytest.importorskip("zstandard")
    bomb = zstandard.compress(bytes(1 << 28))
    assert max(map(len, decompressed([bomb]))) <= 32 << 20


async def test_a_person_erased_while_a_slice_is_made_is_not_stored_again(shop: Shop) -> None:
    await shop.imports("customers", "source_id,name\nu1,Ada\n")
    erased: list[str] = []
    transact = shop.store.transact

    async def erase_first(*given: Any) -> Any:
        if not erased:
            erased.append("u1")
            await shop.app.privacy.erase("u1", "api")
        return await transact(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop.store, "transact", erase_first)
        ended = await shop.imports("customers", "source_id,name\nu1,Ada\nu2,Bo\n")
    assert erased
    assert (ended.job.counts.accepted, ended.rows) == (1, [2])
    assert await shop.store.customer("u1") is None


async def test_a_bad_row_of_an_erased_person_is_not_kept(shop1: Shop) -> None:
    await shop1.imports("customers", "source_id,name\nu1,Ada\n")
    await shop1.app.privacy.erase("u1", "api")
    ended = await shop1.imports("customers", "source_id,name,updated_at\nu1,Ada,never\n")
    assert [row.raw for row in ended.refused] == [b'{"source_id":"u1"}']


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("segment", '{"type":"track","userId":"u1","email":"a@example.com"}'),
        (
            "mparticle",
            '{"events":[{"event_type":"custom_event","data":7}],"user_identities":{"customer_id":"u1"}}',
        ),
        ("mparticle", '{"events":7,"user_identities":[{"customer_id":"u1"}]}'),
    ],
)
async def test_an_erasure_deletes_refused_bodies(shop1: Shop, source: str, body: str) -> None:
    await shop1.imports("customers", "source_id,name\nu1,Ada\n")
    ended = await shop1.imports("events", body + "\n", source=source)
    assert len(ended.refused) == 1, ended
    await shop1.app.privacy.erase("u1", "api")
    assert await shop1.store.refused_rows(ended.job.id) == []


async def test_long_cells_make_small_slices(shop1: Shop) -> None:
    slices: list[int] = []
    settled = Importer._settled

    async def counted(self: Importer, job: Any, taken: Any, *others: Any) -> Any:
        slices.append(len(taken))
        return await settled(self, job, taken, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Importer, "_settled", counted)
        await shop1.imports(
            "customers",
            "source_id,name\n" + "".join(f"u{i},{'x' * 4000}\n" for i in range(9)),
            weight=10_000,
        )
    assert slices == [3, 3, 3]


async def test_an_upload_cancelled_while_it_is_received_leaves_nothing(shop: Shop) -> None:
    new_id = map(str, count()).__next__
    uploads = Uploads(
        shop.store, lambda: shop.now, new_id, limits=shop.settings.imports, patience=ReadTimeout(10)
    )

    async def body() -> AsyncIterator[bytes]:
        yield b"source_id\n" + b"x" * (1 << 20)
        await uploads.cancel((await uploads.jobs())[0].id)
        yield b"x" * (1 << 20)

    async def late() -> AsyncIterator[bytes]:
        yield b"source_id\n"
        await uploads.cancel((await uploads.jobs())[0].id)

    for each in (body(), late()):
        with pytest.raises(WrongMove):
            await uploads.receive("customers", "a.csv", ImportOptions(), each)
        assert await shop.store.import_bytes() == 0
        shop.now += timedelta(seconds=1)


async def test_a_command_that_was_killed_for_good_leaves_no_refused_rows(shop: Shop) -> None:
    job = replace(shop.job("customers"), local=True)
    await shop.store.add_import(job)
    leased = await shop.store.lease_import("killed", shop.now, shop.now + LEASE, job.id)
    assert leased is not None
    shop.now += timedelta(days=8)
    await runner(shop).purge()
    assert await shop.store.import_job(job.id) is None


def test_refused_rows_overwrite_no_other_file_and_are_not_imported_with_a_folder(tmp_path: Path) -> None:
    command = import_module("adapter.cli.import")
    one, two = tmp_path / "a.csv", tmp_path / "b.csv"
    for name in ("a.csv", "b.csv", "a.csv.refused.csv", "b.gz.refused.csv.reasons.jsonl"):
        (tmp_path / name).write_text("source_id\n")
    assert command._all_of([tmp_path]) == [one, two]
    for refused, files in ((tmp_path / "bad.csv", [one, two]), (one, [one])):
        with pytest.raises(Refused, match="--refused"):
            command._expect_apart(refused, files)


async def test_a_file_that_was_cut_off_fails_and_the_whole_one_doubles_no_row(shop1: Shop) -> None:
    whole = gzip.compress(b"source_id\n" + b"".join(b"c-%d\n" % number for number in range(100)))
    ended = await shop1.imports("customers", whole[:-9])  # the case I28
    stored = (await shop1.store.counts())["customers"]
    assert (ended.job.state, ended.job.counts.accepted) == ("failed", stored)
    assert "ends in the middle of the compressed stream" in ended.job.error
    assert (await shop1.imports("customers", whole)).job.state == "done"
    assert (await shop1.store.counts())["customers"] == 100


async def test_rows_before_damaged_compression_are_stored(shop1: Shop) -> None:
    whole = gzip.compress(b"source_id\n" + b"".join(b"u%d\n" % number for number in range(99)))
    ended = await shop1.imports("customers", whole + b"damaged")
    assert (ended.job.state, ended.job.counts.accepted) == ("failed", 99)
    assert f"after row {ended.job.counts.rows + 1}" in ended.job.error


async def test_a_form_without_end_before_its_file_is_refused() -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            assert read < 100
            yield b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 65_536 + b"\r\n"

    with pytest.raises(Unreadable, match="before its part"):
        await form_of("multipart/form-data; boundary=b", body())


async def test_a_form_whose_boundary_is_too_long_is_refused() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"--"

    with pytest.raises(Unreadable, match="boundary"):
        await form_of(f"multipart/form-data; boundary={'b' * 3000}", body())


def test_a_file_that_grows_without_end_is_refused() -> None:
    bomb = gzip.compress(bytes(1 << 24))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compression, "_MOST_ALWAYS", 1 << 20)
        with pytest.raises(InvalidImport, match="times as long"):
            list(decompressed([bomb]))
    assert sum(map(len, decompressed([bomb]))) == 1 << 24

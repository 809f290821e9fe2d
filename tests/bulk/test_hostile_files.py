"""Rows that would end a whole import, fill the memory, or leave data of a person behind."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.bulk.compression import decompressed
from adapter.model.imports import ImportKind
from adapter.services.bulk.refused_file import Layout
from tests.bulk.conftest import Shop

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


def test_zstd_of_zeros_is_read_in_small_pieces() -> None:
    zstandard = pytest.importorskip("zstandard")
    bomb = zstandard.compress(bytes(1 << 28))
    assert max(map(len, decompressed([bomb]))) <= 32 << 20

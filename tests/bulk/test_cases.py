"""The cases of `cases.jsonl`: which rows are taken, and which are refused with which row and reason."""

from __future__ import annotations

import gzip
import io
import re
from datetime import UTC, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.bulk.conftest import Shop

CASES = {
    case["id"]: case
    for case in map(msgspec.json.decode, (Path(__file__).parent / "cases.jsonl").read_bytes().splitlines())
}
#: Cases with more than one file or step, or of what is no import, have tests of their own.
OWN = {"I26", "I27", "I28", "I37", "I40", "I42", "I43", "I45", "I47", "I48"}
OPTIONS: dict[str, dict[str, Any]] = {
    "I05": {"currency": "EUR"},
    "I18": {"zone": "Europe/Berlin"},
    "I20": {"currency": "EUR"},
    "I22": {"currency": "EUR"},
    "I35": {"zone": "America/New_York"},
    "I44": {"as_of": datetime(2024, 3, 1, 23, tzinfo=UTC)},
    "I50": {"pool_limit": 4},
}


def content(case: dict[str, Any]) -> bytes:
    """Return the file of a case."""
    given = case["input"]
    if "python" in given:
        names: dict[str, Any] = {"gzip": gzip, "io": io, "datetime": datetime, "timezone": timezone}
        if "pq." in given["python"]:
            names["pa"] = pytest.importorskip("pyarrow")
            names["pq"] = pytest.importorskip("pyarrow.parquet")
        names["Decimal"] = Decimal
        return bytes(eval(given["python"], names))
    return str(given["text"]).encode()


def options(case: dict[str, Any]) -> dict[str, Any]:
    """Return the options that the command of a case names."""
    command = case["input"]["command"]
    found = dict(OPTIONS.get(case["id"], {}))
    for name in ("pool", "source"):
        if match := re.search(rf"--{name} (\S+)", command):
            found[name] = match[1]
    return found


def expected(case: dict[str, Any]) -> list[int]:
    """Return the refused rows of a case."""
    rows = []
    for each in case["outcome"]["refused"]:
        first, _, last = str(each.get("rows", each.get("row"))).partition(" to ")
        rows += list(range(int(first), int(last or first) + 1))
    return rows


async def prepared(shop: Shop, case: dict[str, Any]) -> None:
    """Do what comes before a case."""
    before = case["id"]
    if before == "I14":
        await shop.imports("customers", "source_id,name,metadata.tier\nc-1,Ada,gold\n")
    elif before == "I11":
        shop.declare(
            "traits:\n  favorite_brands: array of string\n  newsletter: boolean\n  joined_on: datetime\n"
        )
    elif before == "I20":
        header = "Code,Discount Type,Value,Active,Category\n"
        await shop.imports("codes", f"{header}FALL30,AMOUNT,10,false,New\n", currency="EUR")
    elif before == "I24":
        line = b'{"type":"track","event":"Order Completed","userId":"c-1","messageId":"m-2","properties":{}}'
        from adapter.sources.registry import SOURCES

        await shop.app.ingest.receive(SOURCES["segment"].decode_recorded(line, shop.now))
    elif before == "I44":
        line = b'{"type":"identify","userId":"c-1","messageId":"i","traits":{"tier":"gold"},'
        line += b'"timestamp":"2024-03-02T10:00:00Z"}'
        from adapter.sources.registry import SOURCES

        await shop.app.ingest.receive(SOURCES["segment"].decode_recorded(line, shop.now))
    elif before == "I50":
        await shop.store.add_pool_codes("b", ["CODE-2"], shop.now)
        await shop.store.add_pool_codes("a", ["A1", "A2", "A3"], shop.now)


@pytest.mark.parametrize("name", sorted(CASES.keys() - OWN))
async def test_a_file_is_taken_or_refused_as_its_case_says(shop1: Shop, name: str) -> None:
    case = CASES[name]
    await prepared(shop1, case)
    kind = case["input"]["command"].split()[1]
    ended = await shop1.imports(kind, content(case), **options(case))
    refused = case["outcome"]["refused"]
    if isinstance(refused, str):
        assert (ended.job.state, ended.job.counts.rows) == ("failed", 0)
        return
    assert ended.job.counts.accepted == case["outcome"]["accepted"], (ended.job, ended.refused)
    assert ended.rows == expected(case)
    assert ended.job.counts.duplicates == case["outcome"].get("duplicates", 0)
    for row in refused:
        lines = [each.line for each in ended.refused if each.row == row.get("row")]
        assert row.get("line", lines[0] if lines else 0) in (lines or [0])

"""Read Parquet through pyarrow, an extra: exact numbers, and wall clocks in the project's zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from adapter.bulk.records import Record
from adapter.errors import InvalidImport

#: Rows that are decoded at a time.
_BATCH = 1_000


def read_parquet(file: BinaryIO, zone: str) -> tuple[tuple[str, ...], Iterator[Record]]:
    """Return the names of the columns and the rows; raises InvalidImport."""
    try:
        from pyarrow import ArrowException, parquet  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415 - an extra
    except ImportError:
        raise InvalidImport(
            "reading Parquet needs pyarrow: pip install 'behaviour-discounts-adapter[parquet]'"
        ) from None
    try:
        found = parquet.ParquetFile(file)
    except (ArrowException, OSError) as error:
        raise InvalidImport(f"the file is not Parquet: {error}") from None
    return tuple(found.schema_arrow.names), _records(found, ZoneInfo(zone))


def _records(found: Any, zone: ZoneInfo) -> Iterator[Record]:
    row = 0
    for batch in found.iter_batches(batch_size=_BATCH):
        for values in batch.to_pylist():
            row += 1
            yield Record(row, row, {name: _plain(value, zone) for name, value in values.items()})


def _plain(value: Any, zone: ZoneInfo) -> Any:
    """Return a value as JSON has it; a time without a zone is one of the project's."""
    if isinstance(value, datetime):
        at = value.replace(tzinfo=zone) if value.tzinfo is None else value
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {name: _plain(each, zone) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, zone) for each in value]
    return value

"""Timestamps as sources write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.times import parse_timestamp


def _utc(*fields: int) -> datetime:
    return datetime(*fields, tzinfo=UTC)  # type: ignore[arg-type,misc]


READ: list[tuple[Any, datetime]] = [
    ("2026-11-21T09:49:02.412Z", _utc(2026, 11, 21, 9, 49, 2, 412000)),
    ("2026-11-21T09:49:02.412+00:00", _utc(2026, 11, 21, 9, 49, 2, 412000)),
    ("2026-11-21T09:49:02.412+05:30", _utc(2026, 11, 21, 4, 19, 2, 412000)),
    ("2026-11-21T09:49:02-0800", _utc(2026, 11, 21, 17, 49, 2)),
    ("2026-11-21 09:49:02", _utc(2026, 11, 21, 9, 49, 2)),
    ("2026-11-21", _utc(2026, 11, 21)),
    ("20261121T094902Z", _utc(2026, 11, 21, 9, 49, 2)),
    ("19901210", _utc(1990, 12, 10)),
    ("2020-05-09T23:54:49.209808489Z", _utc(2020, 5, 9, 23, 54, 49, 209808)),
    ("2020-05-09 23:54:49.209808489 +0000 UTC m=+70366.298768264", _utc(2020, 5, 9, 23, 54, 49, 209808)),
    ("2020-05-09 23:54:49 -0700 PDT", _utc(2020, 5, 10, 6, 54, 49)),
    (1516298443, _utc(2018, 1, 18, 18, 0, 43)),
    ("1516298443", _utc(2018, 1, 18, 18, 0, 43)),
    (1516298443.5, _utc(2018, 1, 18, 18, 0, 43, 500000)),
    (157609199900, _utc(1974, 12, 30, 4, 19, 59, 900000)),  # 12 digits are still milliseconds
    (1760000000123, _utc(2025, 10, 9, 8, 53, 20, 123000)),
    (" 1527092401214 ", _utc(2018, 5, 23, 16, 20, 1, 214000)),
    # Digits that ISO-8601's basic format would take for the year 1712.
    ("1712111151030", _utc(2024, 4, 3, 2, 25, 51, 30000)),
    (1760000000123456, _utc(2025, 10, 9, 8, 53, 20, 123456)),
    (1760000000123456789, _utc(2025, 10, 9, 8, 53, 20, 123457)),
    (-3600, _utc(1969, 12, 31, 23)),
    (_utc(2026, 1, 1), _utc(2026, 1, 1)),
    (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), _utc(2026, 1, 1)),
]  # fmt: skip
NOT: list[Any] = [
    None, "", " ", "soon", "2026-13-01", "2026-11-21T25:00:00Z", "9" * 21, "1e9", True, float("nan"),
    float("inf"), 10**30, -(10**30), [], {}, "0001-01-01T00:00:00+14:00", "2020-05-09 23:54:49 UTC m=+1",
    "\x00", "１２３４５",
]  # fmt: skip
# hypothesis wants its bounds without a zone.
EARLIEST, LATEST = _utc(1900, 1, 1).replace(tzinfo=None), _utc(2200, 1, 1).replace(tzinfo=None)


@pytest.mark.parametrize(("value", "moment"), READ, ids=repr)
def test_a_timestamp_is_read_to_utc(value: Any, moment: datetime) -> None:
    found = parse_timestamp(value)
    assert found == moment
    assert found is not None
    assert found.tzinfo is UTC


@pytest.mark.parametrize("value", NOT, ids=lambda value: repr(value)[:30])
def test_what_is_no_timestamp_is_none(value: Any) -> None:
    assert parse_timestamp(value) is None


@given(st.datetimes(timezones=st.timezones(), min_value=EARLIEST, max_value=LATEST))
def test_iso_text_of_any_zone_is_the_same_instant(moment: datetime) -> None:
    assert parse_timestamp(moment.isoformat()) == moment.astimezone(UTC)


@given(
    st.one_of(
        st.text(), st.integers(), st.floats(), st.none(), st.from_regex(r"[0-9 :T+.Z-]{0,40}"), st.datetimes()
    )
)
def test_anything_is_a_moment_in_utc_or_none(value: Any) -> None:
    found = parse_timestamp(value)
    assert found is None or found.tzinfo is UTC

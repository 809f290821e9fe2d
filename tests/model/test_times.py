"""Timestamps as sources write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.times import event_time, message_time, parse_timestamp


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
    # What JavaScript, Ruby, Java, C and people write, where it can mean one instant only.
    ("2015-2-02T00:30:12.984Z", _utc(2015, 2, 2, 0, 30, 12, 984000)),
    ("2015-2-2 3:04", _utc(2015, 2, 2, 3, 4)),
    ("2015/02/02 00:30:12", _utc(2015, 2, 2, 0, 30, 12)),
    ("2015.02.02", _utc(2015, 2, 2)),
    ("2015-02-02t00:30:12z", _utc(2015, 2, 2, 0, 30, 12)),
    ("2015-02-02 00:30:12 UTC", _utc(2015, 2, 2, 0, 30, 12)),
    ("2015-02-02T00:30:12 +01:00", _utc(2015, 2, 1, 23, 30, 12)),
    ("2015-02-02T00:30:12.984Z[UTC]", _utc(2015, 2, 2, 0, 30, 12, 984000)),
    ("2015-02-02T00:30:12+01:00[Europe/Berlin]", _utc(2015, 2, 1, 23, 30, 12)),
    ("2015-02-02T24:00:00Z", _utc(2015, 2, 3)),
    ("2015-02-02T23:59:60Z", _utc(2015, 2, 3)),
    ("2015-02-02 1:30:12 PM", _utc(2015, 2, 2, 13, 30, 12)),
    ("2015-02-02 12:30 a.m.", _utc(2015, 2, 2, 0, 30)),
    ("Mon, 02 Feb 2015 00:30:12 GMT", _utc(2015, 2, 2, 0, 30, 12)),
    ("Mon, 2 Feb 2015 00:30:12 +0100", _utc(2015, 2, 1, 23, 30, 12)),
    ("Mon Feb 02 2015 00:30:12 GMT+0100 (Central European Standard Time)", _utc(2015, 2, 1, 23, 30, 12)),
    ("Mon Feb 02 00:30:12 +0000 2015", _utc(2015, 2, 2, 0, 30, 12)),
    ("Mon Feb  2 00:30:12 2015", _utc(2015, 2, 2, 0, 30, 12)),
    ("20150202003012", _utc(2015, 2, 2, 0, 30, 12)),
    (20150202003012, _utc(2015, 2, 2, 0, 30, 12)),
    ("February 2nd, 2015 at 1:30 PM", _utc(2015, 2, 2, 13, 30)),
    (-3600, _utc(1969, 12, 31, 23)),
    (_utc(2026, 1, 1), _utc(2026, 1, 1)),
    (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), _utc(2026, 1, 1)),
]  # fmt: skip
NOT: list[Any] = [
    None, "", " ", "soon", "2026-13-01", "2026-11-21T25:00:00Z", "9" * 21, "1e9", True, float("nan"),
    float("inf"), 10**30, -(10**30), [], {}, "0001-01-01T00:00:00+14:00", "2020-05-09 23:54:49 UTC m=+1",
    "\x00", "１２３４５", "02/03/2015", "2/3/2015 10:00", "03-02-15", "2015-2-30", "2015-2-02T25:00:00Z",
    "2015-02-02T00:30:12 CST", "2015-02-02 13:30 PM", "2015-02", "Feb 2", "Monday", "yesterday",
    "2015-02-02T00:60:00Z", "2015-02-02T00:30:12[Europe/Berlin]",
    # Numbers that would be times of a far future.
    "20151302003012", 20150202003060, "20150202003012123", 99_999_999_999, 10**16 + 10**12, 10**19 * 2,
    "2015-2-02T00:00:00+99:00", "2015-02-02T00:30:12.984Z and more", "Mon Feb 02 " * 40,
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
def test_an_invalid_timestamp_gives_none(value: Any) -> None:
    assert parse_timestamp(value) is None


@given(st.datetimes(timezones=st.timezones(), min_value=EARLIEST, max_value=LATEST))
def test_iso_text_of_any_zone_is_the_same_instant(moment: datetime) -> None:
    assert parse_timestamp(moment.isoformat()) == moment.astimezone(UTC)


@given(
    st.one_of(
        st.text(), st.integers(), st.floats(), st.none(), st.from_regex(r"[0-9 :T+.Z-]{0,40}"), st.datetimes()
    )
)
def test_any_value_gives_a_time_in_utc_or_none(value: Any) -> None:
    found = parse_timestamp(value)
    assert found is None or found.tzinfo is UTC


RECEIVED = _utc(2026, 11, 21, 12)
LONG_AGO, EARLIER = "2026-11-01T00:00:00Z", "2026-11-21T11:00:00Z"
#: The document, when it happened, by what the misfit says it was taken from, and whether it may be older.
TOLD: list[tuple[dict[str, Any], datetime, str, bool]] = [
    ({"timestamp": EARLIER}, _utc(2026, 11, 21, 11), "", False),
    ({"timestamp": "2026-11-21T13:00:00Z"}, RECEIVED, "", False),
    ({}, RECEIVED, "", False),
    ({"timestamp": " "}, RECEIVED, "", False),
    ({"originalTimestamp": LONG_AGO}, _utc(2026, 11, 1), "", False),
    ({"timestamp": None, "sentAt": EARLIER}, _utc(2026, 11, 21, 11), "", False),
    ({"timestamp": "soon", "originalTimestamp": LONG_AGO, "sentAt": EARLIER}, _utc(2026, 11, 1),
     "`originalTimestamp`", False),
    ({"timestamp": "soon", "originalTimestamp": "soon", "sentAt": EARLIER}, _utc(2026, 11, 21, 11),
     "`sentAt`", True),
    ({"timestamp": {}}, RECEIVED, "receipt", True),
    ({"timestamp": EARLIER, "unreadTimestamp": "soon"}, _utc(2026, 11, 21, 11), "batch", True),
    ({"timestamp": True}, RECEIVED, "receipt", True),
]  # fmt: skip


@pytest.mark.parametrize(("document", "at", "taken", "undated"), TOLD, ids=repr)
def test_an_unreadable_timestamp_is_never_silently_the_time_of_receipt(
    document: dict[str, Any], at: datetime, taken: str, undated: bool
) -> None:
    found = message_time(document, RECEIVED)
    assert (found.at, found.undated) == (at, undated)
    assert taken in found.misfit
    assert bool(found.misfit) == bool(taken)


def test_an_unreadable_time_of_a_mapping_falls_back_to_the_message_and_is_doubted() -> None:
    found = event_time("02/03/2026", {"timestamp": EARLIER}, RECEIVED)
    assert (found.at, found.undated) == (_utc(2026, 11, 21, 11), True)
    assert "`occurred_at`" in found.misfit
    assert event_time("", {"timestamp": EARLIER}, RECEIVED) == message_time({"timestamp": EARLIER}, RECEIVED)


@given(
    st.one_of(
        st.text(), st.from_regex(r"[0-9]{1,4}[-/. ][0-9A-Za-z]{1,3}[-/. ][0-9]{1,4}[ T]?[0-9:AP+Z-]{0,12}")
    )
)
def test_text_that_is_read_names_its_year(text: str) -> None:
    found = parse_timestamp(text)
    if found is not None and not text.strip().lstrip("+-").replace(".", "").isdigit():
        assert any(str(year).zfill(4) in text for year in (found.year - 1, found.year, found.year + 1))

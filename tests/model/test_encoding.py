"""Numbers of money leave as JSON numbers and come back exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.actions import AmountOff
from adapter.model.encoding import decode, encode


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3))
def test_a_decimal_is_a_number_and_survives_a_round_trip(value: Decimal) -> None:
    body = encode(AmountOff(value))
    assert b'"value":"' not in body
    assert str(decode(body, AmountOff).value) == str(value)


def test_a_moment_ends_in_z() -> None:
    assert encode(datetime(2024, 7, 16, 18, 24, 10, tzinfo=UTC)) == b'"2024-07-16T18:24:10Z"'


def test_another_kind_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(b'{"type":"percentage_off","value":1}', AmountOff)

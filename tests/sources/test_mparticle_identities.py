"""mParticle's ids and identities in one spelling."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import MappingError
from adapter.sources.mparticle.identities import ZERO_GUID, identities, text_id

IDS: list[tuple[Any, str | None]] = [
    (7346244611012968789, "7346244611012968789"),
    ("-3876453215678901234", "-3876453215678901234"),
    (" 42 ", "42"),
    ("+42", "42"),
    ("0042", "42"),
    (7346244611012968000.0, "7346244611012968448"),
    ("E5A9ECC8-1B29-4D4C-A8DE-460945647CD9", "E5A9ECC8-1B29-4D4C-A8DE-460945647CD9"),
    ("9" * 5000, "9" * 5000),
]
UNSET: list[Any] = [None, 0, 0.0, "0", "-0", "", " ", "null", ZERO_GUID, True, 1.5, [], {}]


@pytest.mark.parametrize(("value", "text"), IDS, ids=lambda value: repr(value)[:24])
def test_an_id_is_text_in_canonical_form(value: Any, text: str | None) -> None:
    assert text_id(value) == text


@pytest.mark.parametrize("value", UNSET, ids=repr)
def test_an_unset_id_gives_none(value: Any) -> None:
    assert text_id(value) is None


@given(st.integers(min_value=-(2**63), max_value=2**64 - 1))
def test_an_id_as_number_or_text_is_the_same(number: int) -> None:
    assert text_id(number) == text_id(str(number)) == (str(number) if number else None)


@pytest.mark.parametrize(
    "name", ["customerid", "customerId", "customer_id", "customer", "CustomerId", "controller_customer_id"]
)
def test_the_customer_id_is_found_under_every_spelling(name: str) -> None:
    assert identities({name: "c"}) == {"customer_id": "c"}
    assert identities([{"identity_type": name, "identity": "c"}]) == {"customer_id": "c"}


def test_other_kinds_have_one_name_and_unknown_ones_keep_theirs() -> None:
    value = {
        "other": "a",
        "other2": "b",
        "otherId10": "c",
        "mobileNumber": "d",
        "phone_number_2": "e",
        "Loyalty-Card": "f",
    }
    assert identities(value) == {
        "other": "a", "other_id_2": "b", "other_id_10": "c", "mobile_number": "d", "phone_number_2": "e",
        "Loyalty-Card": "f",
    }  # fmt: skip


def test_unset_identities_are_left_out_and_numbers_become_text() -> None:
    value = {
        "customer_id": 1001,
        "email": None,
        "facebook": "",
        "other": ZERO_GUID,
        "google": True,
        "alias": " 007 ",
    }
    assert identities(value) == {"customer_id": "1001", "alias": "007"}
    assert identities(None) == identities([]) == identities({}) == {}


@pytest.mark.parametrize(
    "value", ["c", 5, [5], [{"identity": "c"}], [{"identity_type": None, "identity": "c"}]]
)
def test_other_shapes_are_refused(value: Any) -> None:
    with pytest.raises(MappingError, match="user_identities"):
        identities(value)

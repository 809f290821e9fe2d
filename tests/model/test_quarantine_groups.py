"""Reasons of the quarantine without their values: what is alike but for these is one group."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.quarantine_groups import fingerprint, group_of


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("`total` is text of 12 characters", "`total` is text of N characters"),
        ("@json requires an object with a \"value\" key", "@json requires an object with a \"value\" key"),
        ("the value \"Ann Lee\" is not known", "the value \"…\" is not known"),
        ("no customer ann@shop.example here", "no customer … here"),
        ("it is over 262144 bytes, at 12:30:01", "it is over N bytes, at N"),
        ("`products[0].price` is empty", "`products[N].price` is empty"),
        ("id 6f9619ff-8b86-d011-b42d-00c04fc964ff is taken", "id … is taken"),
    ],
)  # fmt: skip
def test_a_reason_is_told_without_its_values(reason: str, expected: str) -> None:
    assert fingerprint(reason) == expected


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_reasons_that_differ_in_numbers_are_one_group(one: int, other: int) -> None:
    reasons = [f"`total` is text of {number} characters" for number in (one, other)]
    assert len({group_of("segment", reason) for reason in reasons}) == 1


def test_sources_and_fields_tell_groups_apart() -> None:
    names = {
        group_of(source, f"no {field}") for source in ("segment", "mparticle") for field in ("code", "id")
    }
    assert len(names) == 4


@given(st.text())
def test_the_fingerprint_of_a_fingerprint_is_itself(reason: str) -> None:
    assert fingerprint(fingerprint(reason)) == fingerprint(reason)

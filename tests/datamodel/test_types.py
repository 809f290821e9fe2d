"""What is read as what: types.yaml, and what holds of any value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from adapter.datamodel.types import ABSENT, MISFIT, NAMES, Type, parse_type

CASES: list[list[Any]] = yaml.safe_load((Path(__file__).parent / "types.yaml").read_text(encoding="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
TYPES = st.builds(Type, st.sampled_from(NAMES), st.booleans())


@pytest.mark.parametrize(
    ("name", "sent", "becomes"), CASES, ids=[f"{name}: {sent!r}" for name, sent, _ in CASES]
)
def test_a_value_is_read_as_its_type_or_is_a_misfit(name: str, sent: Any, becomes: Any) -> None:
    kind = parse_type(name)
    assert kind is not None
    found = kind.reader(sent)
    if becomes == "misfit":
        assert found is MISFIT
    elif becomes == "absent":
        assert found is ABSENT
    else:
        assert (found, type(found)) == (becomes, type(becomes))


@given(TYPES, JSON)
def test_any_value_is_refused_or_read_as_the_type(kind: Type, value: Any) -> None:
    found = kind.reader(value)
    if found is not MISFIT and found is not ABSENT:
        again = kind.reader(found)
        assert again is found or again == found


@given(TYPES, JSON)
def test_a_class_that_needs_no_look_always_fits(kind: Type, value: Any) -> None:
    if value.__class__ in kind.classes:
        assert kind.reader(value) is value


@given(TYPES)
def test_a_type_is_parsed_as_it_is_printed(kind: Type) -> None:
    assert parse_type(str(kind)) == kind


@pytest.mark.parametrize(
    "text", ["", "strng", "array of", "array of array of string", "string number", "list"]
)
def test_other_words_are_no_type(text: str) -> None:
    assert parse_type(text) is None

"""What is written as YAML is read back as it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.files import yaml
from adapter.files.dumping import dump

#: YAML cannot write lone surrogates; its readers fold the other line ends.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT
    | st.floats(allow_nan=False, allow_infinity=False, width=32),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def read_back(text: str) -> Any:
    document, problems = yaml.parse(text + "\n", "written")
    assert problems == []
    assert document is not None
    return document.value


@given(VALUES)
def test_any_value_is_read_back_as_it_was(value: Any) -> None:
    assert read_back(dump(value)) == value


@pytest.mark.parametrize(
    "word", ["no", "On", "null", "~", "true", "1", "1e3", "0x1f", ".5", "2026-01-01", "", "- a"]
)
def test_text_that_looks_like_something_else_stays_text(word: str) -> None:
    assert read_back(dump([word])) == [word]


def test_lines_are_indented_and_lists_are_blocks() -> None:
    assert dump({"a": [1, {"b": "x y"}]}, indent=2) == "  a:\n  - 1\n  - b: x y"

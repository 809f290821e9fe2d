"""Keys of counters: what is written is what older stores hold, byte for byte."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.counter_key import CounterKey, decode, encode

BEFORE = Path(__file__).parents[1] / "store" / "before"
_ROW = re.compile(r"INSERT INTO counters \(scope, key, used\) VALUES \('[^']*', '([^']*)', \d+\);")
_CLAIM = re.compile(r'"claims":(\[\[.*?\]\])')
#: Of each form that a key may have.
FORMS = {
    "ten|day|2026-11-21": ("ten", ("day", "2026-11-21")),
    "ten|week|2026-W47": ("ten", ("week", "2026-W47")),
    "*|total": ("*", ("total",)),
    "ten|user|month|2026-11": ("ten", ("user", "month", "2026-11")),
    "ten|cooldown|3600|497222": ("ten", ("cooldown", "3600", "497222")),
    "ten|slot|1|3600|497222": ("ten", ("slot", "1", "3600", "497222")),
    "ten|budget|EUR|day|2026-11-21": ("ten", ("budget", "EUR", "day", "2026-11-21")),
}
PART = st.text(st.characters(exclude_characters="|", exclude_categories=["Cs"]), min_size=1, max_size=9)


def recorded(engine: str) -> set[str]:
    """Return the keys that a store of the version before holds: of its counters, and of discounts' claims."""
    text = (BEFORE / f"{engine}.sql").read_text(encoding="utf-8")
    claims = [claim for found in _CLAIM.findall(text) for claim in json.loads(found)]
    return {*_ROW.findall(text), *(claim[1] for claim in claims)}


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_keys_of_the_version_before_are_made_again_byte_for_byte(engine: str) -> None:
    found = recorded(engine)
    assert {"spring|total", "thanks|user|total"} <= found
    for key in map(CounterKey, found):
        rule, parts = decode(key)
        assert encode(rule, *parts) == key


@pytest.mark.parametrize(("key", "told"), FORMS.items())
def test_each_form_of_a_key_is_read_as_it_is_written(key: str, told: tuple[str, tuple[str, ...]]) -> None:
    rule, parts = told
    assert decode(CounterKey(key)) == told
    assert encode(rule, *parts) == key


@given(PART, st.lists(PART, max_size=4))
def test_a_key_survives_encode_and_decode(rule: str, parts: list[str]) -> None:
    assert decode(encode(rule, *parts)) == (rule, tuple(parts))

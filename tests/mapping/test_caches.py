"""What senders choose freely is remembered within bounds: in number, and in length."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from adapter.mapping.engine.paths import split
from adapter.sources.mparticle.identities import canonical_kind


@pytest.mark.parametrize("remember", [split, canonical_kind])
def test_long_texts_leave_nothing_behind(remember: Callable[[str], Any]) -> None:
    tracemalloc.start()
    try:
        for number in range(50):
            remember(f"{number} " + "Ab" * 50_000)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1_000_000, f"50 names of 100 KB left {held:,} bytes behind"

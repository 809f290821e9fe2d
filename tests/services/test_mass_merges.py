"""A mass of customers that are imported and merged fires nothing, under rules of every trigger."""

from __future__ import annotations

import pytest

from benchmarks.merges import main
from tests.length import length


@pytest.mark.process
def test_many_customers_imported_and_merged_fire_nothing_and_start_nothing() -> None:
    count = length(120, 10_000)
    found = main(["--customers", str(count)])
    assert (found["merges"], found["changed"]) == (count // 2, min(count, 1_000) // 2)
    made = {name: more for name, more in found.items() if name.endswith(("_by_import", "_by_merges"))}
    assert len(made) == 10
    # Of two waits for the product that all have bought, one stays.
    assert made.pop("timers_by_merges") == -min(count, 1_000) // 2
    assert set(made.values()) == {0}

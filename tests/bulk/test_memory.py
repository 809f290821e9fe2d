"""What imports leave in memory."""

from __future__ import annotations

import gc

from adapter.services.ingest.apply import ApplyPass
from tests.bulk.conftest import Shop


async def test_a_slice_is_freed_when_it_is_committed_without_a_search_for_cycles(shop: Shop) -> None:
    rows = "".join(f"e-{n},order_completed,c-{n % 3},2024-01-01T00:00:0{n % 10}Z,5\n" for n in range(40))
    gc.collect()
    gc.disable()
    try:
        ended = await shop.imports("events", f"id,name,user,occurred_at,total\n{rows}", size=10)
        kept = [each for each in gc.get_objects() if type(each) is ApplyPass]
    finally:
        gc.enable()
    assert (ended.job.counts.accepted, kept) == (40, [])

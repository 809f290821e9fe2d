"""A batch is freed with its last use: the search for cycles, which stops a server, has nothing to find."""

from __future__ import annotations

import gc
from typing import Any

from adapter.services.ingest.apply import ApplyPass

RULES = """
rules:
  - {name: welcome, trigger: started, action: {type: free_shipping}}
"""


async def test_a_batch_that_issues_discounts_is_freed_without_a_search_for_cycles(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    gc.collect()
    gc.disable()
    try:
        results = await desk.settle([desk.work(desk.event("started", who)) for who in ("ann", "bob")])
        kept = [each for each in gc.get_objects() if type(each) is ApplyPass]
    finally:
        gc.enable()
    assert ([len(each.discounts) for each in results], kept) == ([1, 1], [])

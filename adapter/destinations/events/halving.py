"""Send a batch of which the receiver refuses a part, without saying which."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final, TypeVar

from msgspec.structs import replace

from adapter.destinations.contract import Attempt

T = TypeVar("T")
#: The answers to a request that could be taken without a part of it: a bad request, one that is too large.
REFUSED: Final = (400, 413)


_UNSENT: Final = Attempt(
    ok=False, error="the receiver refused a batch with it, and which delivery it refuses is not known yet"
)


async def send_in_halves(
    items: Sequence[T], post: Callable[[Sequence[T]], Awaitable[Attempt]], within: timedelta
) -> list[Attempt]:
    """Send all items in one request, and in halves what is refused; return one attempt for each item.

    An item that is refused alone is given up at once, if it came alone or others were taken: a receiver that
    refuses everything refuses for another reason, and its items are kept. That takes at most 2 log2(n) + 1
    requests, all of them `within` a time. `post` returns errors of the network, and raises none.
    """
    found = [_UNSENT] * len(items)
    waiting, alone = [(0, len(items))] if items else [], []
    most = 2 * (len(items) - 1).bit_length() + 1
    ends = asyncio.get_running_loop().time() + within.total_seconds()
    for _ in range(most):
        if not waiting:
            break
        start, end = waiting.pop()
        attempt = await _in_time(post(items[start:end]), ends, within)
        if attempt.status in REFUSED and end - start > 1:
            middle = (start + end) // 2
            waiting += [(middle, end), (start, middle)]
            continue
        if attempt.status in REFUSED:
            alone.append(start)
        elif not attempt.ok:  # the others would fail likewise
            end = max((last for _, last in waiting), default=end)
        found[start:end] = [attempt] * (end - start)
        if end == len(items):
            break
    if len(items) == 1 or any(attempt.ok for attempt in found):
        for place in alone:
            found[place] = replace(found[place], final=True)
    return found


async def _in_time(sent: Awaitable[Attempt], ends: float, within: timedelta) -> Attempt:
    try:
        async with asyncio.timeout_at(ends):
            return await sent
    except TimeoutError:
        return Attempt(ok=False, error=f"no answer within {within.total_seconds():g} s")

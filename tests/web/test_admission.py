"""Large bodies are processed in order, and small ones never wait for them."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapter.errors import Unavailable, Unreadable
from adapter.model.encoding import encode
from adapter.sources.headers import Headers
from adapter.web.admission import LARGE, MemoryBudget
from adapter.web.context import WebContext
from adapter.web.endpoints import Endpoint
from adapter.web.request_body import declared_size, decode_body
from adapter.web.responses import HttpResponse

BODY = encode({"text": "x" * 1_200_000})
#: As large as Segment's batches.
USUAL = encode({"text": "x" * 500_000})


class Desk:
    """Handles bodies until the test ends it, and records how many bytes are in progress."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.held = self.most = self.begun = 0

    async def handle(self, body: bytes, _headers: Headers) -> HttpResponse:
        self.begun += 1
        self.held += len(body)
        self.most = max(self.most, self.held)
        await self.open.wait()
        self.held -= len(body)
        return HttpResponse(200)


def _endpoint(context: Callable[..., WebContext], budget: MemoryBudget, desk: Desk) -> Endpoint:
    return Endpoint("test", replace(context(), body_budget=budget), desk.handle)


async def _steps() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("body", "headers"),
    [(BODY, {}), (gzip.compress(BODY), {b"content-encoding": b"gzip"})],
    ids=["plain", "gzip"],
)
async def test_large_bodies_are_handled_a_few_at_a_time_and_a_small_one_at_once(
    context: Callable[..., WebContext], body: bytes, headers: Headers
) -> None:
    desk = Desk()
    endpoint = _endpoint(context, MemoryBudget(64_000_000, max_in_progress=2 * len(BODY)), desk)
    large = [asyncio.create_task(endpoint.respond(headers, body)) for _ in range(8)]
    await _steps()
    assert (desk.begun, desk.most) == (2, 2 * len(BODY))
    small = asyncio.create_task(endpoint.respond({}, b"{}"))
    await _steps()
    assert desk.begun == 3
    desk.open.set()
    assert {(await each).status for each in (*large, small)} == {200}
    assert desk.most <= 2 * len(BODY) + 2


async def test_a_body_of_usual_size_does_not_wait_for_the_largest(
    context: Callable[..., WebContext],
) -> None:
    desk = Desk()
    endpoint = _endpoint(context, MemoryBudget(64_000_000, max_in_progress=1), desk)
    tasks = [asyncio.create_task(endpoint.respond({}, BODY)) for _ in range(4)]
    await _steps()
    tasks += [asyncio.create_task(endpoint.respond({}, USUAL)) for _ in range(8)]
    await _steps()
    assert (desk.begun, desk.most) == (4, len(BODY) + 3 * len(USUAL))
    desk.open.set()
    assert {(await task).status for task in tasks} == {200}


async def test_waiting_bodies_use_the_budget_and_others_are_refused_with_retry_after(
    context: Callable[..., WebContext],
) -> None:
    desk = Desk()
    endpoint = _endpoint(context, MemoryBudget(3 * len(BODY), max_in_progress=1), desk)
    tasks = [asyncio.create_task(endpoint.respond({}, BODY)) for _ in range(5)]
    await _steps()
    assert [task.done() for task in tasks] == [False, False, False, True, True]
    desk.open.set()
    assert [(await task).status for task in tasks] == [200, 200, 200, 503, 503]
    assert (await endpoint.respond({}, BODY)).status == 200


async def test_a_body_that_waits_too_long_leaves_the_queue(context: Callable[..., WebContext]) -> None:
    desk = Desk()
    endpoint = _endpoint(context, MemoryBudget(64_000_000, max_in_progress=1, timeout=0.01), desk)
    first = asyncio.create_task(endpoint.respond({}, BODY))
    await _steps()
    late = await endpoint.respond({}, BODY)
    assert (late.status, dict(late.headers).get(b"retry-after")) == (503, b"2")
    desk.open.set()
    assert (await first).status == 200
    assert (await endpoint.respond({}, BODY)).status == 200


turns = st.tuples(
    st.integers(1, 9).map(lambda size: size * 1_000_001), st.sampled_from(["done", "cancelled", "failed"])
)


@given(st.lists(turns, max_size=12))
def test_processing_releases_its_budget_however_it_ends(turns: list[tuple[int, str]]) -> None:
    async def taking(budget: MemoryBudget, size: int, end: str, begun: list[int]) -> None:
        async with budget.admit(size):
            begun.append(size)
            await asyncio.sleep(0)
            if end == "failed":
                raise ValueError

    async def all_of_them() -> None:
        budget, begun = MemoryBudget(10**9, max_in_progress=10**7), list[int]()
        tasks = [asyncio.create_task(taking(budget, size, end, begun)) for size, end in turns]
        await asyncio.sleep(0)
        for task, (_, end) in zip(tasks, turns, strict=True):
            if end == "cancelled":
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with budget.admit(10**9):
            pass

    asyncio.run(all_of_them())


async def test_large_bodies_are_processed_in_order() -> None:
    budget, order = MemoryBudget(10**9, max_in_progress=10**7), list[int]()

    async def taking(number: int, size: int) -> None:
        async with budget.admit(size):
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(taking(number, (10 - number) * 1_000_001) for number in range(8)))
    assert order == list(range(8))


def test_a_gzip_body_may_not_exceed_its_declared_length() -> None:
    honest = gzip.compress(b"x" * 500_000)
    headers = {b"content-encoding": b"gzip"}
    assert declared_size(headers, honest) == 500_000 > LARGE > len(honest)
    lying = honest[:-4] + (10).to_bytes(4, "little")
    assert declared_size(headers, lying) < LARGE
    with pytest.raises(Unreadable):
        decode_body(headers, lying, 1_000_000)


def test_a_declared_length_over_the_limit_reserves_only_the_limit(context: Callable[..., WebContext]) -> None:
    lying = gzip.compress(b"x")[:-4] + b"\xff" * 4

    async def once() -> int:
        budget = MemoryBudget(context().settings.server.max_body_bytes)
        endpoint = _endpoint(context, budget, Desk())
        return (await endpoint.respond({b"content-encoding": b"gzip"}, lying)).status

    assert asyncio.run(once()) == 400


async def test_a_used_up_budget_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        async with MemoryBudget(10).admit(11):
            pass

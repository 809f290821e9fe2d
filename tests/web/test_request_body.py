"""Request bodies: in parts, compressed, incomplete, too long, too late."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import Refused, TooLarge, Unavailable, Unreadable
from adapter.web.admission import MemoryBudget
from adapter.web.request_body import Disconnected, decode_body, read_body

LIMIT = 2_000


def receiving(parts: list[bytes], *, then: str = "nothing more") -> Any:
    """Return an ASGI `receive` that hands out the parts, and then ends, disconnects or waits for ever."""
    messages: Iterator[dict[str, Any]] = iter(
        {"type": "http.request", "body": part, "more_body": at < len(parts) - 1 or then != "nothing more"}
        for at, part in enumerate(parts)
    )

    async def receive() -> dict[str, Any]:
        for message in messages:
            return message
        if then == "disconnect":
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        raise AssertionError

    return receive


def reading(
    parts: list[bytes], headers: dict[bytes, bytes] | None = None, then: str = "nothing more"
) -> bytes:
    async def once() -> bytes:
        return await read_body(headers or {}, receiving(parts, then=then), LIMIT, 0.05, MemoryBudget())

    return anyio.run(once)


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=5))
def test_a_body_in_parts_is_joined(parts: list[bytes]) -> None:
    assert reading(parts) == b"".join(parts)


@given(st.lists(st.binary(min_size=300, max_size=900), min_size=7, max_size=9))
def test_a_body_over_the_limit_is_refused_though_no_length_was_declared(parts: list[bytes]) -> None:
    with pytest.raises(TooLarge):
        reading(parts)


@pytest.mark.parametrize("declared", [b"2001", b"9" * 30])
def test_a_declared_length_over_the_limit_is_refused_before_reading(declared: bytes) -> None:
    with pytest.raises(TooLarge, match="2000 bytes"):
        reading([], {b"content-length": declared}, then="wait")


@pytest.mark.parametrize(
    ("parts", "headers", "message"),
    [
        ([b""], {b"content-length": b"2"}, "0 bytes.* 2"),
        ([b"{"], {b"content-length": b"2"}, "1 bytes.* 2"),
        ([b"{", b"}", b"}"], {b"content-length": b"2"}, "3 bytes"),
        ([b""], {b"transfer-encoding": b"chunked"}, "Transfer-Encoding"),
    ],
    ids=["empty", "too short", "too long", "no chunk"],
)
def test_a_body_whose_length_is_not_the_declared_one_is_rejected(
    parts: list[bytes], headers: dict[bytes, bytes], message: str
) -> None:
    with pytest.raises(Unreadable, match=message):
        reading(parts, headers)


@pytest.mark.parametrize("headers", [{}, {b"content-length": b"0"}, {b"content-length": b"00"}])
def test_an_empty_body_needs_no_content_length(headers: dict[bytes, bytes]) -> None:
    assert reading([b""], headers) == b""


@given(st.binary(max_size=LIMIT))
def test_a_gzip_body_is_decompressed(body: bytes) -> None:
    assert reading([gzip.compress(body)], {b"content-encoding": b" GZIP "}) == body


def test_a_gzip_bomb_is_not_decompressed() -> None:
    bomb = gzip.compress(b"0" * 30_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            decode_body({b"content-encoding": b"gzip"}, bomb, 200_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", "and the body is not"),
        (zlib.compress(b"{}"), "and the body is not"),
        (gzip.compress(b"{}")[:-3], "incomplete"),
        (b"", "incomplete"),
        (gzip.compress(b"{}") + b"more", "extra bytes"),
    ],
    ids=["plain", "zlib", "half", "empty", "trailing"],
)
def test_broken_gzip_is_reported(body: bytes, message: str) -> None:
    with pytest.raises(Unreadable, match=message):
        reading([body], {b"content-encoding": b"gzip"})


def test_an_unsupported_encoding_is_named_in_the_error() -> None:
    with pytest.raises(Unreadable, match="`br`"):
        reading([b"{}"], {b"content-encoding": b"br"})


@given(st.binary(max_size=300), st.binary(max_size=20))
def test_any_bytes_in_any_encoding_are_read_or_rejected(body: bytes, encoding: bytes) -> None:
    with suppress(Refused):
        reading([body], {b"content-encoding": encoding})


@pytest.mark.parametrize("parts", [[], [b"{"]])
def test_a_body_that_never_ends_is_unavailable(parts: list[bytes]) -> None:
    with pytest.raises(Unavailable, match="did not arrive in time"):
        reading(parts, then="wait")


@pytest.mark.parametrize("parts", [[], [b"{"]])
def test_a_disconnected_client_gets_no_response(parts: list[bytes]) -> None:
    with pytest.raises(Disconnected):
        reading(parts, then="disconnect")


async def arriving(parts: list[bytes], budget: MemoryBudget, then: str = "nothing more") -> bytes:
    return await read_body({}, receiving(parts, then=then), LIMIT, 0.2, budget)


async def test_incomplete_bodies_use_no_more_than_the_budget() -> None:
    budget = MemoryBudget(1_000)
    waiting = [asyncio.create_task(arriving([b"x" * 400], budget, "wait")) for _ in range(2)]
    await asyncio.sleep(0.05)
    with pytest.raises(Unavailable, match="memory"):
        await arriving([b"x" * 400, b"x"], budget)
    assert await arriving([b"x" * 400], budget) == b"x" * 400, "a body in one part uses no budget"
    assert {type(each) for each in await asyncio.gather(*waiting, return_exceptions=True)} == {Unavailable}
    assert len(await arriving([b"x" * 500, b"x" * 500], budget)) == 1_000, "their budget is released"


@pytest.mark.parametrize("then", ["nothing more", "disconnect", "wait"])
async def test_every_end_of_a_body_releases_its_memory_budget(then: str) -> None:
    budget = MemoryBudget(600)
    for _ in range(3):
        with suppress(Disconnected, Unavailable):
            await arriving([b"x" * 300, b"x" * 300], budget, then)
    assert await arriving([b"x" * 300, b"x" * 300], budget) == b"x" * 600


@pytest.mark.slow
def test_a_body_of_tiny_parts_takes_little_more_memory_than_its_bytes() -> None:
    count = 200_000
    parts: Iterator[dict[str, Any]] = (
        {"type": "http.request", "body": b"%03d" % (at % 1_000), "more_body": at < count - 1}
        for at in range(count)
    )

    async def receive() -> dict[str, Any]:
        return next(parts)

    async def once() -> int:
        tracemalloc.start()
        try:
            body = await read_body({}, receive, 5_000_000, 60, MemoryBudget())
            assert len(body) == 3 * count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert anyio.run(once) < 4 * 3 * count

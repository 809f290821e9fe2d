"""Long bodies: taken slice by slice they hold what they hold at once, and nothing large is decoded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import AdapterError, Refused, TooLarge, Unreadable
from adapter.sources import payloads
from adapter.sources.decoded_body import Bounds, Decoded
from adapter.sources.mparticle import batches
from adapter.sources.segment import webhook

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIXTURES = Path(__file__).parents[2] / "fixtures"
SMALL = Bounds(message=2_000, slice_messages=3, slice_bytes=4_000)
BODIES = sorted(FIXTURES.glob("*/*.json"))

Whole = Callable[[bytes], Decoded]
Parts = Callable[[bytes, Bounds], Iterator[Decoded]]


def _parts(take: Callable[..., Iterator[Decoded]], **more: Any) -> Parts:
    return lambda body, bounds: take(body, NOW, bounds, **more)


DOORS: dict[str, tuple[Whole, Parts]] = {
    "segment": (partial(webhook.decode, received_at=NOW), _parts(webhook.parts)),
    "batch": (
        partial(webhook.decode_batch, received_at=NOW, kind=None),
        _parts(webhook.batch_parts, kind=None),
    ),
    "track": (
        partial(webhook.decode_batch, received_at=NOW, kind="track"),
        _parts(webhook.batch_parts, kind="track"),
    ),
    "mparticle": (partial(batches.decode, received_at=NOW), _parts(batches.parts)),
}

events = st.sampled_from(
    [
        b'{"event_type":"custom_event","data":{"event_name":"a","event_id":1}}',
        b'{"event_type":"custom_event","data":{"event_name":"b"}}',
        b'{"event_type":"user_attribute_change","data":{"user_attribute_name":"t","new":"x"}}',
        b'{"event_type":"custom_event","data":{"source_message_id":"bd-1"}}',
        b'{"event_type":7}',
        b'{"v":1e999}',
        b"17",
    ]
)
heads = st.sampled_from(
    [
        b"",
        b'"mpid":5,',
        b'"mpid":5,"batch_id":77,"user_attributes":{"plan":"gold"},"user_identities":{"customer_id":"c"},',
        b'"user_attributes":7,"mpid":5,',
        b'"source_request_id":"bd-9","mpid":5,',
        b'"source_info":{"channel":"native"},"mpid":5,"user_attributes":{"plan":"gold"},',
    ]
)
calls = st.sampled_from(
    [
        b'{"type":"track","event":"a","userId":"u","timestamp":"2026-02-01T00:00:00Z"}',
        b'{"type":"identify","messageId":"m1","context":{"ip":"1.1.1.1"},"writeKey":"k"}',
        b'{"v":1e999}',
        b'"x"',
    ]
)


def _same(door: str, body: bytes) -> None:
    whole, parts = DOORS[door]
    try:
        expected = whole(body)
    except AdapterError as error:
        with pytest.raises(type(error)):
            list(parts(body, Bounds()))
        return
    found = list(parts(body, Bounds(slice_messages=3)))
    assert [message for part in found for message in part.messages] == expected.messages
    assert [kept for part in found for kept in part.quarantined] == expected.quarantined
    assert sum(part.dropped for part in found) == expected.dropped


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.stem)
@pytest.mark.parametrize("door", DOORS)
def test_slices_together_equal_the_whole(door: str, path: Path) -> None:
    _same(door, path.read_bytes())


@given(heads, st.lists(events, max_size=8), st.booleans())
def test_slices_of_batches_together_equal_the_batches(head: bytes, some: list[bytes], twice: bool) -> None:
    batch = b"{%b%b}" % (head, b'"events":[%b]' % b",".join(some))
    _same("mparticle", b"[%b,%b]" % (batch, batch) if twice else batch)


@given(
    st.lists(calls, max_size=8), st.sampled_from([b"", b'"context":{"app":"a"},', b'"sentAt":"2026-02-01",'])
)
def test_slices_of_calls_together_equal_the_calls(some: list[bytes], head: bytes) -> None:
    _same("batch", b'{%b"writeKey":"k","batch":[%b]}' % (head, b",".join(some)))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"type":"dsr_processing_request"}', Refused),
        (b"17", Unreadable),
        (b'{"events":[', Unreadable),
        (b'{"events":[%b]}' % b",".join([b"1"] * (payloads.MAX_ITEMS + 1)), TooLarge),
        (b"[%b]" % b",".join([b'{"events":[1,2]}'] * (payloads.MAX_ITEMS // 2 + 1)), TooLarge),
    ],
)
def test_a_refused_body_is_reported_before_the_first_slice(body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        batches.parts(body, NOW, Bounds())


def _values(count: int) -> dict[str, Any]:
    return {f"k{number}": [{}, [], "a"] for number in range(count)}


LARGE = json.dumps({"type": "track", "userId": "u", "properties": _values(500)})
SHARED = json.dumps(_values(500))
OVER = {
    "one call": ("segment", LARGE),
    "one of several calls": ("segment", f'[{LARGE},{{"type":"track"}}]'),
    "a call by its path": ("track", LARGE),
    "one of a batch": ("batch", f'{{"batch":[{LARGE}]}}'),
    "a batch whose context is large": ("batch", f'{{"context":{SHARED},"batch":[{{}},{{}},{{}}]}}'),
    "an event": ("mparticle", f'{{"mpid":5,"events":[{LARGE}]}}'),
    "a batch whose attributes are large": ("mparticle", f'{{"user_attributes":{SHARED},"events":[1,2,3]}}'),
    "a batch without events": ("mparticle", f'{{"mpid":5,"user_attributes":{SHARED}}}'),
    "one of several batches": ("mparticle", f'[{{"mpid":5,"user_attributes":{SHARED}}}]'),
    "a profile": (
        "mparticle",
        f'{{"type":"audience_membership_change_request","user_profiles":[{{"mpid":5,"x":{SHARED}}}]}}',
    ),
}


@pytest.mark.parametrize(("door", "body"), OVER.values(), ids=OVER)
def test_a_message_over_the_bound_is_quarantined_whole_without_decoding(
    door: str, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = 0
    decoding = payloads._decode

    def watched(raw: bytes) -> Any:
        nonlocal largest
        largest = max(largest, len(raw))
        return decoding(raw)

    monkeypatch.setattr(payloads, "_decode", watched)
    parts = list(DOORS[door][1](body.encode(), SMALL))
    [kept] = [kept for part in parts for kept in part.quarantined]
    assert "max_event_bytes" in kept.reason or "with each" in kept.reason
    assert (LARGE in body) <= (LARGE in json.loads(bytes(kept.document)))
    assert largest <= SMALL.message


def test_common_fields_of_a_batch_are_not_stored_with_thousands_of_messages() -> None:
    calls = ",".join(["{}"] * 5_000)
    body = f'{{"context":{{"a":"{"x" * 1_500}"}},"batch":[{calls}]}}'.encode()
    parts = list(webhook.batch_parts(body, NOW, SMALL, kind=None))
    assert [len(part.messages) for part in parts] == [0]
    assert sum(len(bytes(kept.document)) for part in parts for kept in part.quarantined) < 2 * len(body)


def test_a_profile_is_not_kept_with_each_of_hundreds_of_audiences() -> None:
    audiences = ",".join(['{"audience_id":1,"action":"add"}'] * 500)
    profile = f'{{"mpid":5,"audiences":[{audiences}]}}'
    body = f'{{"type":"audience_membership_change_request","user_profiles":[{profile}]}}'.encode()
    parts = list(batches.parts(body, NOW, Bounds(message=20_000)))
    assert [(len(part.messages), len(part.quarantined)) for part in parts] == [(0, 1)]
    parts = list(batches.parts(body, NOW, Bounds()))
    assert sum(len(part.messages) for part in parts) == 500


@given(st.lists(st.integers(1, 1_800), min_size=1, max_size=30))
def test_a_slice_holds_no_more_than_its_bytes_and_its_messages(sizes: list[int]) -> None:
    body = json.dumps([{"type": "track", "x": "y" * size} for size in sizes]).encode()
    parts = list(webhook.parts(body, NOW, SMALL))
    assert all(part.size <= SMALL.slice_bytes for part in parts)
    assert all(len(part.messages) <= SMALL.slice_messages for part in parts)
    assert sum(len(part.messages) for part in parts) == len(sizes)


def test_millions_of_values_are_refused_without_being_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    def list_them(_body: bytes) -> list[bytes]:
        raise AssertionError

    monkeypatch.setattr(payloads, "_elements", list_them)
    with pytest.raises(TooLarge):
        payloads.elements(b"[%b1]" % (b"1," * 450_000))

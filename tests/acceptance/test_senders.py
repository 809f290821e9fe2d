"""The right outcome of what senders send and the documentation of Segment and mParticle does not say."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Server

SENDERS = Path(__file__).parent / "senders"
_numbers = itertools.count()


def ago(**lengths: int) -> datetime:
    return datetime.now(UTC) - timedelta(**lengths)


def checkout(**members: Any) -> dict[str, Any]:
    """Return a first checkout that earns 15 per cent, of somebody new."""
    number = next(_numbers)
    return {
        "type": "track", "event": "Checkout Started", "messageId": f"senders-{number}",
        "userId": f"senders-{number}",
        "properties": {"value": 150, "currency": "USD", "shipping_country": "US"},
    } | members  # fmt: skip


def sent(shop: Server, body: Any, source: str = "segment") -> dict[str, Any]:
    """Return the last result of a body, all others of which are processed without a remark."""
    answer = shop.post(f"/webhooks/{source}", body)
    results: list[dict[str, Any]] = answer.get("results", [])
    return results[-1] if results else answer


def earned(shop: Server, body: Any, source: str = "segment") -> list[str]:
    return [discount["metadata"]["rule"] for discount in sent(shop, body, source).get("discounts", [])]


READABLE: list[Any] = [
    lambda now: now.strftime("%Y-%-m-%-dT%H:%M:%SZ"),
    lambda now: now.strftime("%Y/%m/%d %H:%M:%S"),
    lambda now: now.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)"),
    lambda now: now.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    lambda now: int(now.timestamp()),
    lambda now: int(now.timestamp() * 1000),
    lambda now: str(int(now.timestamp())),
    lambda now: str(int(now.timestamp() * 1000)),
    lambda now: now.timestamp(),
]


@pytest.mark.parametrize("form", READABLE)
def test_a_timestamp_in_an_unusual_form_is_read(form: Any, shop: Server) -> None:
    assert earned(shop, checkout(timestamp=form(ago(minutes=1)))) == ["high-value-cart-first-purchase"]
    old = sent(shop, checkout(timestamp=form(ago(days=400))))
    assert old.get("discounts", []) == []
    assert "longer ago" in old["reason"]


UNREADABLE: list[Any] = [
    "02/03/2015",
    "soon",
    "2015-13-01",
    {"$date": 1},
    True,
    ["2015"],
    "0000-00-00 00:00:00",
]


@pytest.mark.parametrize("timestamp", UNREADABLE, ids=repr)
def test_an_unreadable_timestamp_earns_nothing_and_is_shown_as_a_misfit(timestamp: Any, shop: Server) -> None:
    result = sent(shop, checkout(timestamp=timestamp))
    assert result["outcome"] == "processed"
    assert result.get("discounts", []) == []
    assert result["reason"].startswith("not rewarded")
    assert ["`timestamp`" in misfit for misfit in result["misfits"]] == [True]


def test_the_original_timestamp_is_taken_for_one_that_cannot_be_read(shop: Server) -> None:
    recent = checkout(timestamp="soon", originalTimestamp=ago(minutes=1).isoformat())
    result = sent(shop, recent)
    assert len(result["discounts"]) == len(result["misfits"]) == 1
    old = sent(
        shop, checkout(timestamp="soon", originalTimestamp=ago(days=9).isoformat(), sentAt=ago().isoformat())
    )
    assert old.get("discounts", []) == []


def of_mparticle(**data: Any) -> dict[str, Any]:
    number = next(_numbers)
    said = {
        "event_name": "Checkout Started", "source_message_id": f"senders-{number}",
        "custom_attributes": {"value": "150", "currency": "USD", "shipping_country": "US"},
    }  # fmt: skip
    event = {"event_type": "custom_event", "data": said | data}
    return {"mpid": str(10**12 + number), "batch_id": number + 1, "events": [event]}


def test_a_timestamp_of_mparticle_that_cannot_be_read_earns_nothing(shop: Server) -> None:
    for timestamp in ("soon", 157609199900, {"a": 1}):
        result = sent(shop, of_mparticle(timestamp_unixtime_ms=timestamp), "mparticle")
        assert result.get("discounts", []) == []
        assert result["misfits"] != []
    started = {"timestamp_unixtime_ms": "soon", "event_start_unixtime_ms": int(ago().timestamp() * 1000)}
    assert len(sent(shop, of_mparticle(**started), "mparticle")["discounts"]) == 1
    for unset in (None, 0, "0", ""):
        assert earned(shop, of_mparticle(timestamp_unixtime_ms=unset), "mparticle") != []

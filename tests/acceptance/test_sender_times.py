"""Times as real senders write them: read, or shown as a misfit that earns nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.conftest import Server
from tests.acceptance.senders import ago, checkout, earned, of_mparticle, sent

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


def test_a_timestamp_of_mparticle_that_cannot_be_read_earns_nothing(shop: Server) -> None:
    for timestamp in ("soon", 157609199900, {"a": 1}):
        result = sent(shop, of_mparticle(timestamp_unixtime_ms=timestamp), "mparticle")
        assert result.get("discounts", []) == []
        assert result["misfits"] != []
    started = {"timestamp_unixtime_ms": "soon", "event_start_unixtime_ms": int(ago().timestamp() * 1000)}
    assert len(sent(shop, of_mparticle(**started), "mparticle")["discounts"]) == 1
    for unset in (None, 0, "0", ""):
        assert earned(shop, of_mparticle(timestamp_unixtime_ms=unset), "mparticle") != []

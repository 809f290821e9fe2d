"""Codes are uploaded to pools, and what cannot be is reported."""

from __future__ import annotations

from tests.checkout.orders import issued
from tests.checkout.shop import Shop


async def test_codes_are_added_once_in_whatever_spelling(shop: Shop) -> None:
    await shop.issue(issued("TAKEN-1"))
    asked = {"codes": ["P-1", "P-2", "p1", "taken1"]}
    first = (await shop.post("/v1/code-pools/partner/codes", **asked)).json()
    assert first == {"pool": "partner", "added": 2, "left_out": ["p1", "taken1"]}
    assert (await shop.post("/v1/code-pools/other/codes", **asked)).json()["added"] == 0
    pools = (await shop.http.get("/v1/code-pools")).json()["pools"]
    assert pools == [{"name": "partner", "left": 2, "drawn": 0}]


async def test_codes_that_cannot_be_codes_are_refused(shop: Shop) -> None:
    for codes in (["A B"], [""], [], ["A" * 101], ["A"] * 10_001):
        response = await shop.post("/v1/code-pools/partner/codes", codes=codes)
        assert (response.status_code, response.json()["error"]["code"]) == (422, "invalid_codes")

"""docs/checkout-examples.md: each example comes out as the page says, over HTTP on both engines."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.checkout.shop import NOON, Shop

PAGE = (Path(__file__).parents[2] / "docs" / "checkout-examples.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"^## (.+?)$.*?```yaml\n# rules\n(.*?)```.*?```yaml\n# calls\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL
)


def test_the_page_has_the_whole_catalogue() -> None:
    kinds = {kind for _, rules, _ in EXAMPLES for kind in re.findall(r"{type: (\w+)", rules)}
    assert kinds == {"percentage_off", "amount_off", "free_shipping", "store_credit", "unit_off"}
    assert len(EXAMPLES) == len(re.findall(r"^## ", PAGE, re.MULTILINE))


@pytest.mark.parametrize(("rules", "calls"), [pytest.param(*each, id=name) for name, *each in EXAMPLES])
async def test_an_example_comes_out_as_the_page_says(
    rules: str, calls: str, store_url: str, tmp_path: Path
) -> None:
    codes: dict[str, str] = {}
    async with Shop(store_url, tmp_path / "rules", rules).open() as shop:
        for number, call in zip(itertools.count(), yaml.safe_load(calls)):
            if "after" in call:
                shop.now = NOON + timedelta(hours=int(call["after"].removesuffix("h")))
            if "track" in call:
                codes |= await issued(shop, call, number)
            else:
                assert await came_out(shop, call, codes) == expected(call), (call, number)


async def issued(shop: Shop, call: dict[str, Any], number: int) -> dict[str, str]:
    """Send an event, and return the codes of the page with those that were issued."""
    message = {
        "type": "track", "event": call["track"], "messageId": f"m{number}", "userId": call["customer"],
        "timestamp": shop.now.isoformat(), "properties": call["properties"],
    }  # fmt: skip
    [result] = (await shop.post("/webhooks/segment", **message)).json()["results"]
    found = {one["metadata"]["rule"]: one["code"] for one in result.get("discounts", ())}
    assert found.keys() == call["issues"].keys()
    return {name: found[rule] for rule, name in call["issues"].items()}


async def came_out(shop: Shop, call: dict[str, Any], codes: dict[str, str]) -> dict[str, Any]:
    operation = "redeem" if "redeem" in call else "validate"
    path = {"redeem": "/v1/redemptions", "validate": "/v1/validations"}[operation]
    asked = {"codes": [codes.get(name, name) for name in call[operation]], "order": call["order"]}
    asked |= {"customer": {"source_id": call["customer"]}} if "customer" in call else {}
    answer = (await shop.post(path, **asked)).json()
    names = {code: name for name, code in codes.items()}
    if "error" in answer or not answer["valid"]:
        refused = answer.get("error") or next(one for one in answer["codes"] if "reason" in one)
        missing = [one["missing"]["amount"] for one in answer["codes"] if "missing" in one]
        return {"refused": refused["reason"]} | ({"missing": missing[0]} if missing else {})
    taken = {
        names.get(one["code"], one["code"]): one["amount"] for one in answer["codes"] if one["applicable"]
    }
    lines = {line["id"]: line["after"] for line in answer["lines"]}
    found = {"takes": taken, "due": answer["totals"]["due"]}
    return found | ({"lines": lines} if "lines" in call else {})


def expected(call: dict[str, Any]) -> dict[str, Any]:
    return {name: call[name] for name in ("takes", "due", "lines", "refused", "missing") if name in call}

"""docs/checkout.md: its calls work in their order, and every reason has a heading."""

from __future__ import annotations

import json
import re
import shlex
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapter.model.actions import PercentageOff
from adapter.model.discounts import Discount, DiscountRecord
from adapter.services.checkout import reasons
from tests.checkout.shop import NOON, Shop

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "checkout.md").read_text(encoding="utf-8")
#: What pricing alone says.
PRICING = {
    "budget_exhausted",
    "currency_mismatch",
    "duplicate_code",
    "item_not_in_order",
    "minimum_not_reached",
    "no_effect",
    "not_combinable",
    "not_needed",
}
CODES = "HV15-8K2F", "HV15-9M3G"


def held(code: str) -> DiscountRecord:
    action = PercentageOff(value=Decimal(15), max_amount=Decimal(40), currency="USD")
    discount = Discount(code, action, None, {"rule": "high-value"}, False, "issued")
    return DiscountRecord(discount, "user_123", "high-value", "e1", NOON, NOON)


async def test_the_calls_of_the_page_work_in_their_order(tmp_path: Path) -> None:
    known = {"TOKEN": "t"}
    async with Shop("sqlite:///:memory:", tmp_path / "rules").open() as shop:
        await shop.issue(*map(held, CODES))
        for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
            found = await call(shop, block, known)
            if found.get("state") == "held":
                known["HOLD"] = found["id"]
            elif found.get("state") == "redeemed":
                known["REDEMPTION"] = found["id"]
    assert {"HOLD", "REDEMPTION"} <= known.keys()


async def call(shop: Shop, command: str, known: dict[str, str]) -> dict[str, Any]:
    text = re.sub(r"\$(\w+)", lambda name: known[name[1]], command)
    words = shlex.split(text.replace("\\\n", " "))
    options = {
        name: [words[at + 1] for at, word in enumerate(words) if word == name] for name in ("-X", "-d", "-H")
    }
    [url] = [word for word in words if word.startswith("http://")]
    headers = dict(header.split(": ", 1) for header in options["-H"])
    method = options["-X"][0] if options["-X"] else "GET"
    body = options["-d"][0] if options["-d"] else None
    response = await shop.http.request(
        method, url.removeprefix("http://127.0.0.1:8000"), headers=headers, content=body
    )
    assert response.status_code == 200, f"{command}\n{response.text}"
    found: dict[str, Any] = json.loads(response.text)
    return found


def test_every_reason_has_a_heading() -> None:
    source = Path(str(reasons.__file__)).read_text(encoding="utf-8")
    ours = set(re.findall(r'_rejected\(\s*"(\w+)"', source))
    assert set(re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)) == ours | PRICING

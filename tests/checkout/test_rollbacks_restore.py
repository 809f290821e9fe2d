"""Whatever the order, and however its rollbacks are split: all of them restore what the redemption took."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapter.model.actions import StoreCredit
from tests.checkout.orders import budget, issued, percent, shared, uses
from tests.checkout.shop import Shop

CODES = ["HALF", "TEN", "CREDIT"]


@pytest.mark.parametrize("seed", range(12))
async def test_rolling_back_everything_in_any_split_restores_all_counters_balances_and_budgets(
    seed: int, tmp_path: Path
) -> None:
    random, claim = Random(seed), budget(100_000, 7_000)
    counters = (claim.scope, claim.key), shared_uses()
    async with Shop("sqlite:///:memory:", tmp_path / "rules").open() as shop:
        shop.codes.put("TEN", shared("TEN", 9))
        credit = StoreCredit(value=Decimal(15), currency="EUR")
        await shop.issue(
            issued("HALF", action=percent(random.randint(1, 60)), claims=(claim,)),
            issued("CREDIT", action=credit),
            counters={counters[0]: 7_000},
        )
        before = await shop.used(*counters)
        quantities = {f"l{n}": random.randint(1, 4) for n in range(random.randint(1, 4))}
        lines = [
            {"id": id_, "quantity": count, "unit_price": f"{random.randint(1, 4_000) / 100:.2f}"}
            for id_, count in quantities.items()
        ]
        response = await shop.post("/v1/redemptions", codes=CODES, order={"currency": "EUR", "lines": lines})
        found = response.json()
        assert response.status_code == 200, found
        backs = await returned(shop, random, found["id"], quantities)
        sums = {
            code: sum(Decimal(back["returned"].get(code, "0")) for back in backs)
            for code in {one["code"] for one in found["redeemed"]}
        }
        assert sums == {one["code"]: Decimal(one["amount"]) for one in found["redeemed"]}
        assert sum(Decimal(back["refund"]) for back in backs) == Decimal(found["totals"]["due"])
        assert await shop.used(*counters) == before
        for code in ("HALF", "CREDIT"):
            discount = (await shop.http.get(f"/v1/discounts/{code}")).json()
            assert (discount["status"], discount["action"].get("left", 15)) == ("issued", 15)


async def returned(shop: Shop, random: Random, id_: str, left: dict[str, int]) -> list[dict[str, Any]]:
    """Return units in random portions until none is left."""
    backs = []
    while any(left.values()):
        line = random.choice([name for name, count in left.items() if count])
        count = random.randint(1, left[line])
        left[line] -= count
        asked = [{"id": line, "quantity": count}]
        response = await shop.post(f"/v1/redemptions/{id_}/rollbacks", lines=asked)
        assert response.status_code == 200, response.text
        backs.append(response.json())
    assert [back["whole"] for back in backs] == [False] * (len(backs) - 1) + [True]
    return backs


def shared_uses() -> Any:
    claim = uses("TEN", 9)
    return claim.scope, claim.key

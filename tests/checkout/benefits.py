"""Discounts with several benefits, issued as a rule issues them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from adapter.model.actions import Action, UnitOff
from adapter.model.discounts import CounterReservation, DiscountRecord
from adapter.model.events import Event, User
from adapter.model.rules import Guardrails, OnRefund, Rule
from adapter.rules.engine.issue import issue
from adapter.rules.guardrails.proposal import Proposal
from tests.checkout.shop import NOON, Shop

MINUTES = UnitOff(Decimal(15), "minutes")
UNLOCK = UnitOff(Decimal(1), "unlocks")


def bundle(
    *actions: Action,
    claims: tuple[CounterReservation, ...] = (),
    expires_at: datetime | None = None,
    on_refund: OnRefund = "return",
) -> DiscountRecord:
    rule = Rule(
        name="thanks", trigger=("x",), action=actions[0], more_actions=actions[1:],
        guardrails=Guardrails(stackable=True), expires_at=expires_at, on_refund=on_refund,
    )  # fmt: skip
    event = Event("e1", "x", NOON, User(id="ann"), {}, {})
    proposal = Proposal(rule, claims, currency="EUR")
    return issue(proposal, event, "ann", "A1", NOON)


async def read(shop: Shop, code: str = "A1") -> tuple[str, list[str]]:
    found = (await shop.http.get(f"/v1/discounts/{code}")).json()
    return found["status"], [one["status"] for one in found["actions"]]


async def redeem(shop: Shop, order: dict[str, Any], **more: Any) -> Any:
    response = await shop.post("/v1/redemptions", **{"codes": ["A1"], "order": order, **more})
    return response.json()


async def give_back(shop: Shop, redemption: Any, amount: str | None = None) -> Any:
    asked = {} if amount is None else {"amount": amount}
    response = await shop.post(f"/v1/redemptions/{redemption['id']}/rollbacks", **asked)
    assert response.status_code == 200, response.text
    return response.json()

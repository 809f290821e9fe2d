"""Runs a worked case of `tests/pricing/cases/checkout.jsonl` over HTTP, and says what differs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx

from adapter.model.actions import StoreCredit
from adapter.model.counter_key import ScopedKey, encode
from adapter.model.discounts import CheckoutTerms, CounterReservation, Discount, DiscountRecord
from adapter.model.money import digits
from adapter.services.checkout.offers import Claim, Offer
from adapter.store.checkout_values import BookingRequest
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, LoadRequest
from tests.checkout.shop import NOON, Shop
from tests.pricing.book import action_of

MANY = 10**12
#: Reasons that the cases call otherwise.
OURS = {
    "idempotency_key_reused": "idempotency key reused with another request",
    "hold_confirmed": "reservation is confirmed",
}
Answer = dict[str, Any]


class Case:
    """One case in a shop that others have used before: its counters have names of their own."""

    def __init__(self, case: Mapping[str, Any], shop: Shop) -> None:
        self.case = case
        self.shop = shop
        self.order = case["order"]
        self.ids: dict[str, str] = {}
        self.booked: list[str] = []
        self.budgets = {
            name: (self._key(name, "budget", one["currency"], "total"), one)
            for name, one in case.get("budgets", {}).items()
        }

    def _key(self, *parts: str) -> ScopedKey:
        return "", encode(f"{self.case['id']}-{parts[0]}", *parts[1:])

    async def prepare(self) -> None:
        self.shop.codes.offers.clear()
        self.shop.now = NOON
        counters: dict[ScopedKey, int] = {
            key: _minor(one["used"], one["currency"]) for key, one in self.budgets.values()
        }
        issued = []
        for discount in self.case["discounts"]:
            if "balance" in discount:
                issued.append(_credit(discount))
            else:
                self.shop.codes.put(discount["code"], self._offers(discount))
        await self.shop.issue(*issued, counters=counters)
        for pool, codes in self.case.get("pools", {}).items():
            await self.shop.app.store.add_pool_codes(pool, codes, NOON)

    def _offers(self, discount: Mapping[str, Any]) -> Any:
        action = _in_cel(action_of(deepcopy(discount)))
        code = discount["code"]

        def make(claim: Claim) -> Offer:
            scope = claim.source_id
            claims = [self._claim("", code, discount.get("max_redemptions", MANY))]
            if "max_per_customer" in discount:
                claims.append(self._claim(scope, code, discount["max_per_customer"]))
            budget = self.budgets.get(discount.get("budget", ""))
            if budget is not None:
                (_, key), one = budget
                cap = _minor(one["limit"], one["currency"])
                claims.append(CounterReservation("", key, cap, 0, "budget"))
            return Offer(
                code=code,
                action=action,
                rule=code,
                currency=discount.get("currency", claim.order.get("currency", self.order["currency"])),
                starts_at=_moment(discount.get("starts_at")),
                expires_at=_moment(discount.get("expires_at")),
                priority=discount.get("priority", 0),
                stackable=discount.get("stackable", True),
                stacking_group=discount.get("stacking_group"),
                exclusive=discount.get("exclusive", False),
                claims=tuple(claims),
                partial=budget is not None and budget[1].get("on_exceed") == "partial",
            )

        return make

    def _claim(self, scope: str, code: str, cap: int) -> CounterReservation:
        return CounterReservation(scope, self._key(code, "uses")[1], cap, 1, "uses")

    async def run(self) -> list[Answer]:
        await self.prepare()
        return [await self.step(step) for step in self.case["steps"]]

    async def step(self, step: Mapping[str, Any]) -> Answer:
        self.shop.now = _moment(step.get("at")) or NOON
        answer: Answer = await getattr(self, step["op"])(step)
        return answer

    async def validate(self, step: Mapping[str, Any]) -> Answer:
        return _answer(await self.shop.post("/v1/validations", **self._body(step)))

    async def redeem(self, step: Mapping[str, Any]) -> Answer:
        response = await self.shop.post("/v1/redemptions", step.get("key"), **self._body(step))
        self._note(step, response)
        return _answer(response)

    async def reserve(self, step: Mapping[str, Any]) -> Answer:
        body = self._body(step) | {"reserve": {"ttl": step["ttl_s"]}}
        response = await self.shop.post("/v1/validations", **body)
        self.ids[step["id"]] = response.json()["id"]
        return _answer(response)

    async def confirm(self, step: Mapping[str, Any]) -> Answer:
        response = await self.shop.post("/v1/redemptions", hold=self.ids[step["reservation"]])
        self._note(step, response)
        return _answer(response)

    async def release(self, step: Mapping[str, Any]) -> Answer:
        response = await self.shop.http.delete(f"/v1/holds/{self.ids[step['reservation']]}")
        return {"ok": response.status_code == 200}

    async def balance(self, step: Mapping[str, Any]) -> Answer:
        await self.shop.app.bookings.expire_holds()
        response = await self.shop.http.get(f"/v1/discounts/{step['code']}")
        return {"ok": True, "available": _two(response.json()["action"]["left"])}

    async def rollback(self, step: Mapping[str, Any]) -> Answer:
        body = {name: step[name] for name in ("lines", "amount") if name in step}
        response = await self.shop.post(f"/v1/redemptions/{self.ids[step['redemption']]}/rollbacks", **body)
        found = response.json()
        if response.status_code != 200:
            return {"ok": False, "reason": _said(found["error"]["code"])}
        answer = {"ok": True, "returned": found["returned"]}
        return answer if "amount" in step else answer | {"refund": found["refund"]}

    async def concurrent(self, step: Mapping[str, Any]) -> Answer:
        answers = await asyncio.gather(*(self.step(step["do"]) for _ in range(step["n"])))
        refused: dict[str, int] = {}
        for answer in answers:
            if not answer["ok"]:
                refused[answer["reason"]] = refused.get(answer["reason"], 0) + 1
        return {"ok": True, "succeeded": sum(answer["ok"] for answer in answers), "refused": refused}

    async def draw(self, step: Mapping[str, Any]) -> Answer:
        async def script(transaction: Transaction) -> str | None:
            await transaction.load(LoadRequest(), NOON)
            drawn = (await transaction.booked(BookingRequest(pools={step["pool"]: 1}))).codes[step["pool"]]
            await transaction.save(Changes(seen_at=NOON, drawn=drawn))
            return next(iter(drawn), None)

        code = await self.shop.app.store.transact(script)
        return {"ok": False, "reason": "pool empty"} if code is None else {"ok": True, "code": code}

    async def final(self) -> dict[str, dict[str, Any]]:
        """Return uses by code, balances and what budgets have spent, all as the API and the store say."""
        uses = {one["code"]: 0 for one in self.case["discounts"]}
        for id_ in dict.fromkeys(self.booked):
            found = (await self.shop.http.get(f"/v1/redemptions/{id_}")).json()
            for use in found["redeemed"] if found["state"] == "redeemed" else ():
                uses[use["code"]] += 1
        keys = {one["code"]: self._key(one["code"], "uses") for one in self.case["discounts"]}
        counted = await self.shop.used(*keys.values(), *(key for key, _ in self.budgets.values()))
        shared = {one["code"] for one in self.case["discounts"] if "balance" not in one}
        assert {code: counted.get(keys[code], 0) for code in shared} == {code: uses[code] for code in shared}
        balances = {}
        for one in self.case["discounts"]:
            if "balance" in one:
                action = (await self.shop.http.get(f"/v1/discounts/{one['code']}")).json()["action"]
                balances[one["code"]] = _two(action.get("left", action["value"]))
        spent = {
            name: f"{Decimal(counted.get(key, 0)).scaleb(-digits(one['currency'])):f}"
            for name, (key, one) in self.budgets.items()
        }
        return {"uses": uses, "balance": balances, "budget_used": spent}

    def _body(self, step: Mapping[str, Any]) -> dict[str, Any]:
        customer = {"customer": {"source_id": step["customer"]}} if "customer" in step else {}
        mode = {"mode": step["mode"]} if "mode" in step else {}
        return {"codes": step["codes"], "order": step.get("order", self.order), **customer, **mode}

    def _note(self, step: Mapping[str, Any], response: httpx.Response) -> None:
        if response.status_code == 200:
            self.booked.append(response.json()["id"])
            self.ids[step.get("id", "?")] = response.json()["id"]


def _answer(response: httpx.Response) -> Answer:
    found = response.json()
    if "error" in found:
        error = found["error"]
        problems = found.get("problems")
        reason = problems[0]["code"] if problems else error.get("reason", error["code"])
        code = {"code": error["discount_code"]} if "discount_code" in error else {}
        return {"ok": False, "reason": _said(reason)} | code
    applied = [one for one in found["codes"] if one["applicable"]]
    others = {
        kind: {one["code"]: _said(one["reason"]) for one in found["codes"] if one["status"] == kind}
        for kind in ("rejected", "no_effect")
    }
    totals = ("items", "shipping", "discount", "credit", "due", "tax")
    return {
        "ok": True,
        "per_code": {one["code"]: one["amount"] for one in applied},
        "alloc": {one["code"]: one["lines"] for one in applied},
        "line_totals": {line["id"]: line["after"] for line in found["lines"]},
        "totals": {name: found["totals"][name] for name in totals if name in found["totals"]},
        "rejected": others["rejected"],
        "unapplied": others["no_effect"],
    }


def _said(reason: str) -> str:
    return OURS.get(reason, reason.replace("_", " "))


def _credit(discount: Mapping[str, Any]) -> DiscountRecord:
    action = StoreCredit(value=Decimal(discount["balance"]), currency=discount["currency"])
    issued = Discount(discount["code"], action, None, {"rule": "credit"}, True, "issued")
    return DiscountRecord(issued, "holder", "credit", "e1", NOON, NOON, checkout=CheckoutTerms())


def _in_cel(action: dict[str, Any]) -> dict[str, Any]:
    """Return an action whose conditions are over `item`."""
    found = dict(action)
    if "min_excludes" in found:
        found["min_excludes"] = _condition(found["min_excludes"])
    for block in (found, found.get("buy", {}), found.get("get", {})):
        if "applies_to" in block:
            block["applies_to"] = {"items": _condition(block["applies_to"]["items"])}
    return found


def _condition(text: str) -> str:
    member, *values = text.split()
    listed = ", ".join(f'"{value}"' for value in values)
    return f"item.{member} in [{listed}]" if values else f"item.{member}"


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _minor(amount: str, currency: str) -> int:
    return int(Decimal(amount).scaleb(digits(currency)))


def _two(amount: Any) -> str:
    return f"{Decimal(str(amount)):.2f}"

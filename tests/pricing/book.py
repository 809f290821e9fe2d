"""A checkout in memory: enough of uses, balances, budgets, holds and time to run the worked cases.

It is not a model of the service: it has no customers beside their counts, no keys, no concurrency.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapter.model.codes import resolve
from adapter.model.money import from_minor_units
from adapter.pricing import (
    Budget,
    InvalidOrder,
    InvalidRefund,
    ItemTest,
    Pricing,
    Redeemed,
    Refund,
    ReturnedLine,
    Terms,
    price,
    read_order,
    read_terms,
    redeemed,
    roll_back,
    roll_back_amount,
)

#: The cases call some action types by other names.
TYPES = {"percentage": "percentage_off", "unit_amount_off": "amount_off"}
#: Two ways in which the cases name items.
MEMBERS = {"skus": "sku", "categories": "category"}
Answer = dict[str, Any]


class Refused(Exception):
    def __init__(self, reason: str, code: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class Redemption(Struct):
    left: Redeemed
    codes: tuple[str, ...]
    customer: str


class Hold(Struct):
    pricing: Pricing
    ends: datetime
    codes: tuple[str, ...]
    open: bool = True


class Book:
    def __init__(self, case: Mapping[str, Any]) -> None:
        self.order = case["order"]
        self.discounts = {one["code"]: one for one in case["discounts"]}
        self.terms = {code: terms_of(one) for code, one in self.discounts.items()}
        self.balances = {code: Decimal(one["balance"]) for code, one in self.discounts.items()
                         if "balance" in one}  # fmt: skip
        self.budgets = case.get("budgets", {})
        self.used = {name: Decimal(one["used"]) for name, one in self.budgets.items()}
        self.uses = dict.fromkeys(self.discounts, 0)
        self.by_customer = dict[tuple[str, str], int]()
        self.redemptions = dict[str, Redemption]()
        self.holds = dict[str, Hold]()

    def step(self, step: Mapping[str, Any]) -> Answer:
        now = datetime.fromisoformat(step.get("at", "2026-01-01T00:00:00Z"))
        self._expire(now)
        operation: Callable[[Mapping[str, Any], datetime], Answer] = getattr(self, step["op"])
        try:
            return {"ok": True} | operation(step, now)
        except Refused as refused:
            return {"ok": False, "reason": refused.reason} | ({"code": refused.code} if refused.code else {})
        except InvalidOrder as error:
            return {"ok": False, "reason": error.problems[0].code}
        except InvalidRefund as error:
            return {"ok": False, "reason": error.reason}

    def validate(self, step: Mapping[str, Any], now: datetime) -> Answer:
        return self._answer(self._price(step, now)[1])

    def redeem(self, step: Mapping[str, Any], now: datetime) -> Answer:
        codes, pricing = self._price(step, now, booking=True)
        customer = step.get("customer", "")
        self._charge(pricing, 1)
        self._book(step.get("id", "?"), codes, pricing, customer)
        return self._answer(pricing)

    def reserve(self, step: Mapping[str, Any], now: datetime) -> Answer:
        codes, pricing = self._price(step, now, booking=True)
        self._charge(pricing, 1)
        self._use(codes, "", 1)
        self.holds[step["id"]] = Hold(pricing, now + timedelta(seconds=step["ttl_s"]), codes)
        return self._answer(pricing)

    def release(self, step: Mapping[str, Any], now: datetime) -> Answer:
        self._give_up(self.holds[step["reservation"]])
        return {}

    def confirm(self, step: Mapping[str, Any], now: datetime) -> Answer:
        hold = self.holds[step["reservation"]]
        if not hold.open:
            raise Refused("reservation_is_confirmed")
        hold.open = False
        self.redemptions[step["reservation"]] = Redemption(redeemed(hold.pricing), hold.codes, "")
        return self._answer(hold.pricing)

    def balance(self, step: Mapping[str, Any], now: datetime) -> Answer:
        return {"available": str(self.balances[step["code"]])}

    def rollback(self, step: Mapping[str, Any], now: datetime) -> Answer:
        redemption = self.redemptions[step["redemption"]]
        if "amount" in step:
            refund = roll_back_amount(redemption.left, step["amount"])
        else:
            lines = [ReturnedLine(one["id"], one["quantity"]) for one in step.get("lines", ())]
            refund = roll_back(redemption.left, None if step.get("all") else lines)
        redemption.left = refund.after
        self._give_back(refund, redemption)
        currency = refund.after.currency
        answer: Answer = {"returned": texts(refund.returned, currency)}
        return answer if "amount" in step else answer | {"refund": text(refund.refund, currency)}

    def _price(
        self, step: Mapping[str, Any], now: datetime, *, booking: bool = False
    ) -> tuple[tuple[str, ...], Pricing]:
        order = read_order(step.get("order", self.order))
        codes = [resolve(code, dict(zip(self.discounts, self.discounts, strict=True)))
                 for code in step["codes"]]  # fmt: skip
        known = [code for code in codes if code is not None]
        for code in known:
            self._usable(code, step.get("customer", ""), now)
        terms = [replace(self.terms[code], balance=self.balances.get(code)) for code in known]
        pricing = price(order, terms, budgets=self._budgets(), mode=step.get("mode", "reject"))
        if booking and pricing.refusal is not None:
            raise Refused(pricing.refusal[1].reason, pricing.refusal[0])
        return tuple(one.code for one in pricing.codes if one.amount), pricing

    def _usable(self, code: str, customer: str, now: datetime) -> None:
        discount = self.discounts[code]
        if now < datetime.fromisoformat(discount.get("starts_at", "0001-01-01T00:00:00Z")):
            raise Refused("not_started", code)
        if now >= datetime.fromisoformat(discount.get("expires_at", "9999-01-01T00:00:00Z")):
            raise Refused("expired", code)
        if self.uses[code] >= discount.get("max_redemptions", 10**9):
            raise Refused("usage_limit_reached", code)
        if self.by_customer.get((code, customer), 0) >= discount.get("max_per_customer", 10**9):
            raise Refused("usage_limit_reached_for_this_customer", code)

    def _budgets(self) -> dict[str, Budget]:
        return {
            name: Budget(
                left=Decimal(one["limit"]) - self.used[name],
                currency=one["currency"],
                partial=one.get("on_exceed") == "partial",
            )
            for name, one in self.budgets.items()
        }

    def _charge(self, pricing: Pricing, sign: int) -> None:
        for one in pricing.codes:
            self._settle(one.code, sign * from_minor_units(one.amount, pricing.currency))

    def _settle(self, code: str, amount: Decimal) -> None:
        if code in self.balances:
            self.balances[code] -= amount
        for name in self.terms[code].budgets:
            self.used[name] += amount

    def _book(self, id_: str, codes: tuple[str, ...], pricing: Pricing, customer: str) -> None:
        self.redemptions[id_] = Redemption(redeemed(pricing), codes, customer)
        self._use(codes, customer, 1)

    def _use(self, codes: Sequence[str], customer: str, sign: int) -> None:
        for code in codes:
            self.uses[code] += sign
            key = (code, customer)
            self.by_customer[key] = self.by_customer.get(key, 0) + sign

    def _give_back(self, refund: Refund, redemption: Redemption) -> None:
        for code, amount in refund.returned.items():
            self._settle(code, -from_minor_units(amount, refund.after.currency))
        if refund.whole:
            self._use(redemption.codes, redemption.customer, -1)

    def _give_up(self, hold: Hold) -> None:
        hold.open = False
        self._charge(hold.pricing, -1)
        self._use(hold.codes, "", -1)

    def _expire(self, now: datetime) -> None:
        for hold in self.holds.values():
            if hold.open and hold.ends <= now:
                self._give_up(hold)

    def _answer(self, pricing: Pricing) -> Answer:
        currency, totals = pricing.currency, pricing.totals
        sums = {"items": totals.items, "shipping": totals.shipping, "discount": totals.discount,
                "credit": totals.credit, "due": totals.due}  # fmt: skip
        sums |= {} if totals.tax is None else {"tax": totals.tax}
        reasons = {kind: {one.code: one.refusal.reason for one in pricing.codes
                          if one.refusal is not None and one.refusal.kind == kind}
                   for kind in ("rejected", "no_effect")}  # fmt: skip
        return {
            "per_code": texts({one.code: one.amount for one in pricing.codes if one.amount}, currency),
            "alloc": {one.code: texts(one.lines, currency) for one in pricing.codes if one.amount},
            "line_totals": texts({line.id: line.after for line in pricing.lines}, currency),
            "totals": texts(sums, currency),
            "rejected": reasons["rejected"],
            "unapplied": reasons["no_effect"],
        }


def text(amount: int, currency: str) -> str:
    return f"{from_minor_units(amount, currency):f}"


def texts(amounts: Mapping[str, int], currency: str) -> dict[str, str]:
    return {name: text(amount, currency) for name, amount in amounts.items()}


def terms_of(discount: Mapping[str, Any]) -> Terms:
    """Return the terms of a case's discount: its action in our words."""
    terms = read_terms(discount["code"], action_of(discount), compile_test)
    return replace(
        terms,
        currency=discount.get("currency"),
        priority=discount.get("priority", 0),
        stackable=discount.get("stackable", True),
        stacking_group=discount.get("stacking_group"),
        exclusive=discount.get("exclusive", False),
        budgets=(discount["budget"],) if "budget" in discount else (),
    )


def action_of(discount: Mapping[str, Any]) -> dict[str, Any]:
    action: dict[str, Any] = deepcopy(discount["action"])
    kind = action["type"]
    action["type"] = TYPES.get(kind, kind)
    if kind == "unit_amount_off":
        action["per"] = "unit"
    if kind == "store_credit":
        action["value"] = discount["balance"]
    if "unit_selection" in action:
        action["prefer"] = action.pop("unit_selection")
    if action.pop("min_excludes_on_sale", False):
        action["min_excludes"] = "on_sale"
    for block in (action, action.get("buy", {}), action.get("get", {})):
        if "applies_to" in block:
            [(member, values)] = block["applies_to"].items()
            block["applies_to"] = {"items": f"{MEMBERS[member]} {' '.join(values)}"}
    return action


def compile_test(text_: str) -> ItemTest:
    """Return the test of a member and its values, or of a member that is true."""
    member, *values = text_.split()
    return lambda item: item.get(member) in values if values else item.get(member) is True

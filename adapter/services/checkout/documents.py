"""Redemptions, holds, quotes and rollbacks as callers see them: amounts are text, with all their digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from adapter.model.encoding import encode
from adapter.model.money import from_minor_units
from adapter.model.redemptions import CodeUse, Redemption, Rollback, amount_of
from adapter.pricing import Order, Refusal, total_problem
from adapter.services.checkout.candidates import Unusable
from adapter.services.checkout.quote import Quote


def money(amount: int, currency: str) -> str:
    """Return minor units as text."""
    return f"{from_minor_units(amount, currency):f}"


def quoted(found: Quote) -> dict[str, Any]:
    """Return what codes take off an order, each code with whether it is applicable."""
    document = found.pricing.document()
    codes = [{**one, "applicable": one["status"] == "applied"} for one in document["codes"]]
    document["codes"] = codes + [_unusable(one, found.pricing.currency) for one in found.unusable]
    refusal = found.refusal
    document["valid"] = refusal is None and bool(found.used)
    return document


def _unusable(one: Unusable, currency: str) -> dict[str, Any]:
    return {"code": one.code, "status": one.refusal.kind, "amount": money(0, currency),
            "lines": {}, **reason(one.refusal, currency), "applicable": False}  # fmt: skip


def reason(refusal: Refusal, currency: str) -> dict[str, Any]:
    """Return why a code takes nothing, and what is missing."""
    found: dict[str, Any] = {"reason": refusal.reason, "message": refusal.message}
    missing = dict(refusal.missing or {})
    if refusal.missing_amount is not None:
        missing["amount"] = money(refusal.missing_amount, currency)
    if missing:
        found["missing"] = missing
    return found | ({"other": refusal.other} if refusal.other else {})


def booked(redemption: Redemption, now: datetime) -> dict[str, Any]:
    """Return a redemption or a hold with the amounts that were booked, and what came back of them."""
    currency = redemption.currency
    document: dict[str, Any] = {
        "id": redemption.id,
        "state": redemption.state_at(now),
        "source_id": redemption.source_id or None,
        "order_id": redemption.order_id or None,
        "created_at": redemption.at,
        "expires_at": redemption.until,
        "currency": currency,
        "redeemed": _uses(redemption.uses, currency),
    }
    return {**(redemption.priced or {}), **document}


def _uses(uses: Sequence[CodeUse], currency: str | None) -> list[dict[str, Any]]:
    """Return what each code came to; of a code with several benefits also what each of these did."""
    codes: dict[str, list[CodeUse]] = {}
    for use in uses:
        codes.setdefault(use.code, []).append(use)
    return [_code(own, currency) for own in codes.values()]


def _code(uses: Sequence[CodeUse], currency: str | None) -> dict[str, Any]:
    [first, *more] = uses
    if not more and not first.benefit:
        return _use(first, currency)
    amount = amount_of(uses)
    whole = replace(first, amount=amount, returned=sum(use.returned for use in uses))
    members = ("amount", "returned")
    benefits = [
        {"benefit": use.benefit, **{name: _use(use, currency)[name] for name in members}} for use in uses
    ]
    return {**_use(whole, currency), "benefits": benefits}


def _use(use: CodeUse, currency: str | None) -> dict[str, Any]:
    known = use.amount is not None and currency is not None
    found: dict[str, Any] = {
        "code": use.code,
        "rule": use.rule or None,
        "shared": use.shared,
        "amount": money(use.amount or 0, currency or "") if known else None,
        "returned": money(use.returned, currency or "") if known else None,
    }
    return found | ({"discount": use.discount} if use.discount is not None else {})


def rolled_back(back: Rollback) -> dict[str, Any]:
    """Return what a rollback gave back."""
    currency = back.currency or ""

    def texts(amounts: Mapping[str, int]) -> dict[str, str]:
        return {name: money(amount, currency) for name, amount in amounts.items()}

    return {
        "id": back.id,
        "redemption": back.redemption,
        "created_at": back.at,
        "currency": back.currency,
        "refund": money(back.refund, currency),
        "tax": money(back.tax, currency),
        "returned": texts(back.returned),
        "lines": {line: texts(codes) for line, codes in back.lines.items()},
        "whole": back.whole,
        "reason": back.reason,
    }


def warnings(order: Order) -> dict[str, Any]:
    """Return what is odd about an order, as a member of an answer."""
    problem = total_problem(order)
    if problem is None:
        return {}
    return {"warnings": [{"code": problem.code, "path": problem.path, "message": problem.message}]}


def plain(document: Any) -> Any:
    """Return a document as plain JSON values, to be kept."""
    return msgspec.json.decode(encode(document))

"""Prices an order with codes: which are used, what each takes off which line, and what is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapter.model.codes import folded
from adapter.pricing.applying import Application
from adapter.pricing.combining import Mode, chosen
from adapter.pricing.errors import OrderProblem
from adapter.pricing.numbers import money
from adapter.pricing.order import Order
from adapter.pricing.outcomes import Outcome, Refusal
from adapter.pricing.results import CodeResult, LineResult, Pricing, Totals
from adapter.pricing.scope import Sheet
from adapter.pricing.taxes import taxes
from adapter.pricing.terms import Budget, Terms

#: Codes that one order may have.
MOST_CODES = 30
_NO_BUDGETS: Mapping[str, Budget] = {}


def price(
    order: Order,
    terms: Sequence[Terms],
    *,
    budgets: Mapping[str, Budget] = _NO_BUDGETS,
    mode: Mode = "reject",
    refused: Sequence[CodeResult] = (),
) -> Pricing:
    """Return what the codes take off the order, whatever the order in which they are given.

    `budgets` has every budget that terms name. `refused` are codes that are not priced (unknown, expired,
    used up) but reported with the others. Codes that cannot be used get their reason, and the rest is priced;
    `Pricing.refusal` says whether a redemption must be refused.
    """
    sheet = Sheet(order)
    single, repeated = _single(terms)
    application = Application(sheet, single, budgets)
    used, unused = chosen(application, mode)
    outcomes = unused | {outcome.terms.code: outcome for outcome in application.run(used)}
    ordered = [outcomes[one.code] for one in application.terms]
    lines = _lines(sheet, ordered)
    return Pricing(
        currency=order.currency,
        prices_include_tax=order.prices_include_tax,
        codes=(*(_code(sheet, outcome) for outcome in ordered), *repeated, *refused),
        lines=lines,
        totals=_totals(sheet, lines),
    )


def total_problem(order: Order) -> OrderProblem | None:
    """Return how the lines differ from the total that the order states, None where they agree.

    The lines are worth items, shipping, and the tax on top of prices that leave it out.
    """
    if order.total is None:
        return None
    found = price(order, ()).totals.due_before
    if found == order.total:
        return None
    stated, summed = money(order.total, order.currency), money(found, order.currency)
    message = f"is {stated} {order.currency}, and the lines add up to {summed}"
    return OrderProblem("total", "total_mismatch", message)


def _single(terms: Sequence[Terms]) -> tuple[list[Terms], list[CodeResult]]:
    """Return each code once, and the refusals of those that are there again, in whatever spelling."""
    known, repeated = dict[str, Terms](), list[CodeResult]()
    for one in sorted(terms, key=lambda one: one.code):
        fold = folded(one.code)
        if fold not in known:
            known[fold] = one
            continue
        message = f"{one.code} is given more than once"
        refusal = Refusal("rejected", "duplicate_code", message, other=known[fold].code)
        repeated.append(CodeResult(code=one.code, refusal=refusal))
    return list(known.values()), repeated


def _code(sheet: Sheet, outcome: Outcome) -> CodeResult:
    ids = sheet.ids
    return CodeResult(
        code=outcome.terms.code,
        amount=outcome.amount,
        is_credit=outcome.is_credit,
        lines={ids[at]: amount for at, amount in outcome.parts},
        units={ids[at]: count for at, count in outcome.units},
        refusal=outcome.refusal,
        suggested=outcome.suggested,
    )


def _lines(sheet: Sheet, outcomes: Sequence[Outcome]) -> tuple[LineResult, ...]:
    discounts, credits_ = [0] * len(sheet.totals), [0] * len(sheet.totals)
    for outcome in outcomes:
        taken = credits_ if outcome.is_credit else discounts
        for at, amount in outcome.parts:
            taken[at] += amount
    taxed = [total - discount for total, discount in zip(sheet.totals, discounts, strict=True)]
    tax = taxes(sheet, taxed)
    return tuple(
        LineResult(
            id=sheet.ids[at],
            shipping=at >= sheet.count,
            millionths=sheet.millionths[at],
            before=before,
            discount=discounts[at],
            credit=credits_[at],
            after=taxed[at] - credits_[at],
            tax=None if tax is None else tax[at],
        )
        for at, before in enumerate(sheet.totals)
    )


def _totals(sheet: Sheet, lines: Sequence[LineResult]) -> Totals:
    items, shipping = sum(sheet.totals[: sheet.count]), sum(sheet.totals[sheet.count :])
    off = [sum(line.discount for line in lines if line.shipping == of) for of in (False, True)]
    credit, on_top, before = sum(line.credit for line in lines), 0, 0
    untaxed = not lines or lines[0].tax is None
    tax = sum(line.tax or 0 for line in lines)
    if not untaxed and not sheet.order.prices_include_tax:
        on_top, before = tax, sum(taxes(sheet, sheet.totals) or ())
    return Totals(
        items=items,
        shipping=shipping,
        items_after=items - off[0],
        shipping_after=shipping - off[1],
        discount=sum(off),
        credit=credit,
        tax=None if untaxed else tax,
        due=items + shipping - sum(off) - credit + on_top,
        due_before=items + shipping + before,
    )

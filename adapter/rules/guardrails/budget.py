"""`budget`: how much money the discounts of a rule, or of all rules, may cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import get_args

from adapter.files.problems import Mark, Problem
from adapter.files.schemas import block as block_schema
from adapter.files.schemas import one_of, said
from adapter.model.counter_key import decode
from adapter.model.discounts import CounterReservation
from adapter.model.events import Event
from adapter.model.money import from_minor_units, minor_units
from adapter.model.rules import Budget, Guardrails, OnExceed, Period, Rule
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.money import currency, exact
from adapter.rules.blocks.schema import ABOVE_ZERO, AMOUNT, CURRENCY
from adapter.rules.guardrails.contract import Check, CountedBlock, Given, Guardrail, Rejection, withheld
from adapter.rules.guardrails.full_counters import giver
from adapter.rules.guardrails.membership import Membership
from adapter.rules.guardrails.periods import in_words, span
from adapter.rules.guardrails.valuation import bound, most_of

NAME = "budget"
#: What people write for keys of the block, where spelling alone leads elsewhere or nowhere.
_OTHER_NAMES = {"amount": "total", "max": "total", "per_day": "daily", "per_redemption": "per_discount"}
_BLOCK = block_schema(
    {
        "currency": CURRENCY,
        "per_discount": ABOVE_ZERO,
        "daily": AMOUNT,
        "total": AMOUNT,
        "on_exceed": one_of(get_args(OnExceed)),
    },
    "currency",
)


def cost(rule: Rule, guardrails: Guardrails) -> Decimal | None:
    """Return the most that one discount of the rule can cost a budget, None when nothing bounds it.

    Where several say it, the greatest counts: no budget makes a discount cheaper than its rule says it is.
    """
    stated = [each.budget.per_discount for each in (guardrails, rule.guardrails) if each.budget is not None]
    return max((each for each in (*stated, most_of(rule.actions)) if each is not None), default=None)


def _read(block: Block | None, given: Given | None) -> Budget | None:
    """Return the budget of a block; what the rule gives is None where the budget is over all rules."""
    if block is None:
        return None
    money = currency(block, required=True)
    daily, total = block.number("daily", above=None), block.number("total", above=None)
    if daily is None and total is None:
        block.refuse((), "the budget names no amount", "add `total: 5000` or `daily: 300`")
    each = _each(block, given, money)
    on_exceed: OnExceed | None = block.one_of("on_exceed", OnExceed)
    if money is not None:
        exact(block, money, {"daily": daily, "total": total})
    paid = {action.currency for actions in given or () for action in actions} - {None, money}
    if paid and money is not None:
        own = next(iter(paid))
        block.refuse(
            ("currency",), f"the action pays in {own}, the budget counts {money}", "use one currency for both"
        )
    block.finish(_OTHER_NAMES)
    if money is None or (daily is None and total is None):
        return None
    _doubt(block, each, daily, total)
    return Budget(
        currency=money, per_discount=each, daily=daily, total=total, on_exceed=on_exceed or "refuse"
    )


def _each(block: Block, given: Given | None, money: str | None) -> Decimal | None:
    """Return the most that one discount costs: what its actions say, or what the budget adds to them."""
    stated = block.number("per_discount")
    costs = [most_of(actions) for actions in given or ()]
    known = None if None in costs else max(filter(None, costs), default=None)
    if money is not None:
        exact(block, money, {"per_discount": stated})
    if given and stated is not None and known is not None and stated < known:
        key = bound(given[0][0])
        block.refuse(("per_discount",),
                     f"`per_discount` is {stated:f}, and the action's `{key}` lets one cost {known:f}",
                     f"leave it out, or write {known:f} or more")  # fmt: skip
        return known
    if stated is None and known is None and given:
        remedy = "add `max_amount: 40` to the action, which holds for every cart"
        remedy += "; or add `per_discount: 10` here, about what one costs"
        block.refuse((), "nothing says what one discount can cost at most", remedy)
    return stated or known


def _doubt(block: Block, each: Decimal | None, daily: Decimal | None, total: Decimal | None) -> None:
    for key, cap in (("daily", daily), ("total", total)):
        if cap is not None and each is not None and each > cap:
            block.warn((key,), f"`{key}` is {cap:f}, and one discount can cost {each:f}: none is ever issued",
                       f"write {each:f} or more, or let a discount cost less")  # fmt: skip
    if daily is not None and total is not None and daily > total:
        block.warn(("daily",), f"`daily` is {daily:f}, and all days together have {total:f}",
                   "write less than `total`, or leave `daily` out")  # fmt: skip


def _check(rule: Rule, guardrails: Guardrails, label: str) -> Check | None:
    """Refuse what a budget cannot count: costs without a bound, or in another currency."""
    budget, name = guardrails.budget, label + NAME
    if budget is None:
        return None
    counted, paid = budget.currency, next((each.currency for each in rule.actions if each.currency), None)
    unbounded = withheld(name, "nothing says what a discount of this rule can cost at most")
    if cost(rule, guardrails) is None:
        return lambda event, members, now: unbounded

    def check(event: Event, members: Membership, now: datetime) -> Rejection | None:
        currency = paid or event.attributes.get("currency")
        currency = currency.strip() if isinstance(currency, str) else ""
        if not currency or currency.upper() == counted:
            return None
        return withheld(name, f"the discount is in {currency}, and the budget counts {counted}")

    return check


def _reserve(counted: CountedBlock, day: date) -> Iterator[CounterReservation]:
    budget = counted.guardrails.budget
    if budget is None or counted.cost is None:
        return
    money, amount = budget.currency, minor_units(counted.cost, budget.currency)
    spans: tuple[tuple[Period, Decimal | None], ...] = (("day", budget.daily), ("total", budget.total))
    for period, cap in spans:
        if cap is not None:
            key = counted.key(NAME, money, *span(period, day))
            whole = minor_units(cap, money, ROUND_FLOOR)
            yield CounterReservation("", key, whole, amount, counted.label(NAME))


def counted_currency(claim: CounterReservation) -> str | None:
    """Return the currency of what a claim reserves of a budget, None where it counts uses."""
    _, parts = decode(claim.key)
    return parts[1] if len(parts) > 2 and parts[0] == NAME else None


def _full(claim: CounterReservation, used: int) -> str:
    _, (_, money, *_) = decode(claim.key)
    left, needed = from_minor_units(max(0, claim.cap - used), money), from_minor_units(claim.amount, money)
    has = f"the budget of {giver(claim)} has {left} {money} left {in_words(claim.key)}"
    return f"{has}, and the discount can cost {needed}"


def _lint_overall(rule: Rule, at: Mark, shop: Guardrails) -> Iterator[Problem]:
    each, budget = cost(rule, shop), shop.budget
    caps = () if budget is None else [cap for cap in (budget.daily, budget.total) if cap is not None]
    if each is not None and caps and each > min(caps):
        message = (
            f"a discount of `{rule.name}` can cost {each:f}, and the budget over all rules is {min(caps):f}"
        )
        yield Problem(at, message, "let a discount cost less, or raise the budget", "warning")


GUARDRAIL = Guardrail(
    names=(NAME,),
    keys={NAME: said(_BLOCK, "The most that all its discounts may cost.")},
    parse=lambda block, given: {NAME: _read(block.block(NAME), given)},
    check=_check,
    reserve=_reserve,
    full=_full,
    lint_overall=_lint_overall,
)

"""Redemptions: codes booked on orders with their amounts, holds before them, rollbacks after them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct

from adapter.console.context import ConsoleContext
from adapter.console.page import Page
from adapter.console.visitor import Visitor
from adapter.errors import NotFound, Unreadable
from adapter.model.codes import folded
from adapter.model.money import from_minor_units
from adapter.model.redemptions import CodeUse, Redemption, Rollback, State, amount_of

_PAGE: Final = 50


class RedemptionsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which redemptions: of an order, a code or a customer, one of these at a time; and before which."""

    order: str = ""
    code: str = ""
    customer: str = ""
    before: str | None = None


class Use(Struct, frozen=True):
    """The use of one code: amounts as text in major units, empty where they are not known."""

    code: str
    rule: str
    amount: str
    returned: str
    units: int
    shared: bool


class Booked(Struct, frozen=True):
    """A redemption or a hold, with its state now."""

    id: str
    at: datetime
    state: State
    order_id: str
    customer: str
    amount: str
    currency: str
    until: datetime | None
    origin: str
    uses: list[Use]


class RedemptionsView(Struct, frozen=True):
    """Redemptions and holds, newest first."""

    asked: RedemptionsQuery
    booked: list[Booked]
    next: str | None


class RedemptionQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which redemption or hold."""

    id: str = ""


class RolledBack(Struct, frozen=True):
    """One rollback; amounts as text in major units."""

    rollback: Rollback
    refund: str
    tax: str


class RedemptionView(Struct, frozen=True):
    """One redemption or hold, whole, with its rollbacks, the oldest first; None where none is named."""

    booked: Booked | None
    redemption: Redemption | None
    rollbacks: list[RolledBack]


async def _redemptions(
    context: ConsoleContext, query: RedemptionsQuery, _visitor: Visitor
) -> RedemptionsView:
    given = [name for name in ("order", "code", "customer") if getattr(query, name)]
    if len(given) > 1:
        raise Unreadable("name an order, a code or a customer: one of them at a time")
    store, patience = context.store, context.patience
    if query.code:
        reading = store.redemptions("code", folded(query.code), _PAGE, query.before)
    elif query.order:
        reading = store.redemptions("order", query.order, _PAGE, query.before)
    elif query.customer:
        reading = store.redemptions("customer", query.customer, _PAGE, query.before)
    else:
        reading = store.redemptions("all", "", _PAGE, query.before)
    found = await patience.read(reading)
    return RedemptionsView(query, [booked(each, context.now()) for each in found], found.next)


async def _redemption(context: ConsoleContext, query: RedemptionQuery, _visitor: Visitor) -> RedemptionView:
    patience = context.patience
    if not query.id:
        return RedemptionView(None, None, [])
    found = await patience.read(context.store.redemption(query.id))
    if found is None:
        raise NotFound(
            f"there is no redemption or hold `{query.id}`; holds that came to nothing go after a while"
        )
    rollbacks = await patience.read(context.store.rollbacks(query.id))
    return RedemptionView(
        booked(found, context.now()),
        found,
        [
            RolledBack(each, _money(each.refund, each.currency), _money(each.tax, each.currency))
            for each in rollbacks
        ],
    )


def booked(found: Redemption, now: datetime) -> Booked:
    """Return what a list shows of a redemption."""
    currency = found.currency
    return Booked(
        found.id,
        found.at,
        found.state_at(now),
        found.order_id,
        found.source_id,
        _money(amount_of(found.uses), currency),
        currency or "",
        found.until,
        found.origin,
        [_use(each, currency) for each in found.uses],
    )


def _use(use: CodeUse, currency: str | None) -> Use:
    returned = _money(use.returned, currency) if use.returned else ""
    return Use(use.code, use.rule, _money(use.amount, currency), returned, use.units, use.shared)


def _money(amount: int | None, currency: str | None) -> str:
    """Return an amount with its currency; in minor units where that is not known."""
    if amount is None:
        return ""
    return f"{from_minor_units(amount, currency):f} {currency}" if currency else f"{amount} minor units"


PAGES: Final = (
    Page(
        path="/console/redemptions",
        template="redemptions.html",
        title="Redemptions",
        nav="Redemptions",
        view=_redemptions,
        query=RedemptionsQuery,
        fragments=("found",),
    ),
    Page(
        path="/console/redemption",
        template="redemption.html",
        title="Redemption",
        view=_redemption,
        statuses=(404,),
        query=RedemptionQuery,
    ),
)

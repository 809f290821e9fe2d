"""Discounts: a list by rule, status and customer, one with its life, and revocations with a count first."""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from adapter.console.access.forgery import is_sealed, sealed_url
from adapter.console.context import ConsoleContext
from adapter.console.filters import url
from adapter.console.page import Action, Done, Page
from adapter.console.visitor import Visitor
from adapter.errors import Unreadable
from adapter.model.discounts import Status
from adapter.model.operations import DiscountMove
from adapter.services.revocations import UnusedDiscounts
from adapter.services.support.discount_life import DiscountLife, discount_life
from adapter.services.support.discount_list import DiscountFilter, ListedDiscounts, listed, row

_HOME: Final = "/console/discounts"
_STATUSES: Final[tuple[Status, ...]] = ("issued", "applied", "redeemed", "expired", "revoked")
#: Discounts that are looked at for a count.
_COUNTED: Final = 2_000
#: Discounts that one form revokes; the next one goes on.
_MOST: Final = 500


class DiscountsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which discounts: of a rule, a status and a customer, or of one code; and before which."""

    rule: str = ""
    status: Status | None = None
    customer: str = ""
    code: str = ""
    before: str | None = None


class DiscountsView(Struct, frozen=True):
    """Discounts, newest first."""

    asked: DiscountsQuery
    found: ListedDiscounts
    rules: list[str]
    statuses: tuple[Status, ...]


class DiscountQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which discount, in any spelling."""

    code: str


class DiscountView(Struct, frozen=True):
    """A discount and its life."""

    life: DiscountLife
    open: bool


class RevocationQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The rule whose discounts are to be revoked; and how far an act in slices has come.

    Without the `seal` of the act that led here nothing goes on: the page does so by itself, and anybody can
    make a visitor open a link.
    """

    rule: str = ""
    after: str = ""
    revoked: int = 0
    left: int = 0
    reason: str = ""
    seal: str = ""


class RevocationView(Struct, frozen=True):
    """How many discounts of a rule are unused, None while they are being revoked or no rule is named."""

    asked: RevocationQuery
    counted: UnusedDiscounts | None
    unused: int
    rules: list[str]


class RevokeForm(Struct, frozen=True, forbid_unknown_fields=True):
    """One code, and why it is revoked."""

    code: str
    reason: str = ""


class RevokeRuleForm(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule, the name typed once more, and why; and how far an act in slices has come."""

    rule: str
    typed: str = ""
    reason: str = ""
    after: str = ""
    revoked: int = 0
    left: int = 0


async def _discounts(context: ConsoleContext, query: DiscountsQuery, _visitor: Visitor) -> DiscountsView:
    patience = context.patience
    if query.code:
        held = await patience.read(context.store.discount(query.code))
        found = ListedDiscounts([] if held is None else [row(held, context.now())], None, None)
    else:
        wanted = DiscountFilter(query.rule, query.status, query.customer)
        found = await listed(context.store, patience, wanted, query.before, context.now())
    return DiscountsView(query, found, context.rule_names, _STATUSES)


async def _discount(context: ConsoleContext, query: DiscountQuery, _visitor: Visitor) -> DiscountView:
    life = await discount_life(context.store, context.patience, query.code, context.now())
    return DiscountView(life, life.row.discount.status in {"issued", "applied"})


async def _revocation(context: ConsoleContext, query: RevocationQuery, visitor: Visitor) -> RevocationView:
    if not is_sealed(visitor, replace(query, seal=""), query.seal):
        query = RevocationQuery(query.rule)
    counted = None
    if query.rule and not query.after:
        counted = await context.web.revocations.count(query.rule, _COUNTED)
    return RevocationView(query, counted, counted.unused if counted else 0, context.rule_names)


async def _revoke(context: ConsoleContext, form: RevokeForm, _visitor: Visitor) -> Done:
    if not form.reason.strip():
        raise Unreadable("say why the discount is revoked: `reason`")
    before = await context.web.discounts.discount(form.code)
    after = await context.web.discounts.move(DiscountMove("revoke", form.code, reason=form.reason))
    holder = after.metadata.get("user_id")
    return Done(
        message=f"{after.code} was revoked.",
        back=url("/console/discount", code=after.code),
        subject=after.code,
        customer=holder if isinstance(holder, str) else "",
        before={"status": before.status},
        after={"status": after.status, "reason": form.reason},
    )


async def _revoke_rule(context: ConsoleContext, form: RevokeRuleForm, visitor: Visitor) -> Done:
    if form.typed != form.rule:
        raise Unreadable("the name that was typed is not that of the rule: nothing was revoked")
    if not form.reason.strip():
        raise Unreadable("say why the discounts are revoked: `reason`")
    done = await context.web.revocations.revoke(form.rule, form.reason, form.after or None, _MOST)
    revoked, left = form.revoked + done.revoked, form.left + done.left
    state = RevocationQuery(form.rule, done.next or "", revoked, left, form.reason)
    back = (
        url(_HOME, rule=form.rule, status="revoked")
        if done.next is None
        else sealed_url(visitor, f"{_HOME}/revoke-rule", state)
    )
    begun = "" if done.next is None else "So far "
    used = f"; {left} were used meanwhile" if left else ""
    return Done(
        message=f"{begun}{revoked} discounts of {form.rule} were revoked{used}.",
        back=back,
        subject=f"rule {form.rule}",
        before={"revoked": form.revoked},
        after={"revoked": revoked, "left": left, "reason": form.reason},
    )


PAGES: Final = (
    Page(
        path=_HOME,
        template="discounts.html",
        title="Discounts",
        nav="Discounts",
        view=_discounts,
        query=DiscountsQuery,
        fragments=("found",),
    ),
    Page(
        path="/console/discount",
        template="discount.html",
        title="Discount",
        view=_discount,
        statuses=(404,),
        query=DiscountQuery,
    ),
    Page(
        path=f"{_HOME}/revoke-rule",
        template="discounts_revoke.html",
        title="Revoke the discounts of a rule",
        role="operate",
        view=_revocation,
        statuses=(404,),
        query=RevocationQuery,
    ),
)
ACTIONS: Final = (
    Action(path="/console/discount/revoke", title="Revoke a discount", form=RevokeForm, run=_revoke),
    Action(
        path=f"{_HOME}/revoke-rule",
        title="Revoke the discounts of a rule",
        form=RevokeRuleForm,
        run=_revoke_rule,
    ),
)

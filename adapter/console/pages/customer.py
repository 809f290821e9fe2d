"""Customers: found by any id, with all that happened to them; why a rule gave nothing; export, erasure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct
from starlette.responses import Response, StreamingResponse

from adapter.console.context import ConsoleContext
from adapter.console.decoding import moment_of
from adapter.console.page import Action, Done, Download, Page
from adapter.console.visitor import Visitor
from adapter.errors import Unreadable
from adapter.model.customers import FIELDS, Customer
from adapter.model.quarantine import Unmapped, unmapped
from adapter.services.support.finding import Finder, FoundCustomer
from adapter.services.support.timeline import KINDS, Kind, Timeline, timeline
from adapter.services.support.why_not import Reasons, WhyNot


class FindQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """What is looked for: an id of any kind, an address, or a code."""

    q: str = ""


class Search(Struct, frozen=True):
    """Who was found."""

    q: str
    found: list[FoundCustomer]


class CustomerQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which customer, which kind of entries, and before which."""

    id: str
    kind: Kind | None = None
    before: str | None = None


class Fact(Struct, frozen=True):
    """A fact about a customer, and the time of the message that gave it, if that is known."""

    name: str
    value: Any
    told_at: datetime | None


class Shown(Struct, frozen=True):
    """A customer, and a page of what happened to them."""

    id: str
    customer: Customer
    anonymous: bool
    facts: list[Fact]
    quarantined: list[Unmapped]
    kind: Kind | None
    kinds: tuple[Kind, ...]
    timeline: Timeline
    rules: list[str]


class WhyQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which customer, rule and moment, in UTC where it names no zone; now without one."""

    id: str
    rule: str = ""
    at: str = ""


class Why(Struct, frozen=True):
    """Why a rule gave a customer nothing; `why` is None where no rule is named."""

    id: str
    why: WhyNot | None
    rules: list[str]


class ErasureForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The id of the customer to erase, and the same id typed once more."""

    customer: str
    typed: str = ""


async def _search(context: ConsoleContext, query: FindQuery, _visitor: Visitor) -> Search:
    finder = Finder(context.store, context.web.discounts, context.patience)
    return Search(query.q, await finder.find(query.q))


async def _customer(context: ConsoleContext, query: CustomerQuery, _visitor: Visitor) -> Shown:
    customer = await context.web.discounts.customer(query.id)
    kinds = KINDS if query.kind is None else (query.kind,)
    patience = context.patience
    listed = await patience.read(
        timeline(context.store, customer.source_id, kinds, query.before, context.now())
    )
    kept = await context.web.discounts.quarantined_of(customer.source_id) if query.before is None else []
    return Shown(
        customer.source_id,
        customer,
        customer.anonymous,
        list(facts(customer)),
        [unmapped(each) for each in kept],
        query.kind,
        KINDS,
        listed,
        context.rule_names,
    )


def facts(customer: Customer) -> Iterator[Fact]:
    """Yield the facts of a customer with their times: fields, traits, segments and groups."""
    for name in FIELDS:
        if getattr(customer, name) is not None:
            yield _fact(customer, name, getattr(customer, name))
    for name, value in customer.traits.items():
        yield _fact(customer, f"traits.{name}", value)
    for name in customer.segments:
        yield _fact(customer, f"segments.{name}", True)
    for name, traits in customer.groups.items():
        yield _fact(customer, f"groups.{name}", traits)


def _fact(customer: Customer, name: str, value: Any) -> Fact:
    told = customer.told_at.get(name)
    return Fact(name, value, None if told is None else datetime.fromtimestamp(told / 1000, UTC))


async def _why(context: ConsoleContext, query: WhyQuery, _visitor: Visitor) -> Why:
    customer = await context.web.discounts.customer(query.id)
    if not query.rule:
        return Why(customer.source_id, None, context.rule_names)
    at = moment_of("at", query.at) if query.at else context.now()
    reasons = Reasons(context.store, context.books, context.web.dry_runs, context.patience)
    return Why(
        customer.source_id, await reasons.why_not(customer.source_id, query.rule, at), context.rule_names
    )


async def _export(context: ConsoleContext, query: CustomerQuery, _visitor: Visitor) -> Response:
    pieces = context.web.privacy.export(query.id)
    first = await anext(pieces)

    async def whole() -> Any:
        yield first
        async for piece in pieces:
            yield piece

    name = quote(query.id, safe="")
    headers = {
        "content-disposition": f"attachment; filename=\"customer.json\"; filename*=UTF-8''{name}.json",
        "cache-control": "no-store",
    }
    return StreamingResponse(whole(), headers=headers, media_type="application/json")


async def _erase(context: ConsoleContext, form: ErasureForm, _visitor: Visitor) -> Done:
    if form.typed != form.customer:
        raise Unreadable("the id that was typed is not that of the customer: nothing was erased")
    receipt = await context.web.privacy.erase(form.customer, by="console")
    return Done(
        message="The customer was erased.",
        back="/console/customers",
        after=receipt,  # without the id of the erased customer
    )


PAGES: Final = (
    Page(
        path="/console/customers",
        template="customers.html",
        title="Customers",
        nav="Customers",
        view=_search,
        query=FindQuery,
        fragments=("found",),
    ),
    Page(
        path="/console/customer",
        template="customer.html",
        title="Customer",
        view=_customer,
        statuses=(404,),
        query=CustomerQuery,
        fragments=("timeline",),
    ),
    Page(
        path="/console/customer/why",
        template="customer_why.html",
        title="Why not?",
        view=_why,
        statuses=(404,),
        query=WhyQuery,
    ),
)
ACTIONS: Final = (
    Action(
        path="/console/customer/erase", title="Erase a customer", form=ErasureForm, run=_erase, role="admin"
    ),
)
DOWNLOADS: Final = (
    Download(
        path="/console/customer/export",
        respond=_export,
        query=CustomerQuery,
        role="admin",
        title="Export a customer",
    ),
)

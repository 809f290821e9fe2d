"""The customer API: discounts, events, decisions, and what a person may ask, for checkout and support."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import StreamingResponse

from adapter.errors import Unreadable
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.discounts import Discount
from adapter.model.erasures import Receipt
from adapter.model.events import Event
from adapter.model.quarantine import Unmapped, unmapped
from adapter.services.privacy.export import Export
from adapter.web.context import WebContext
from adapter.web.discounts_api import PendingMoves
from adapter.web.request_values import BEFORE, before, customer_id, page_of, valid_id
from adapter.web.route import ApiRoute, Parameter, Route


class Discounts(Struct):
    """A page of a customer's discounts, newest first; `next` is the `before` of the next page."""

    discounts: list[Discount]
    next: str | None


class Events(Struct):
    """A page of a customer's events, latest first; `next` is the `before` of the next page."""

    events: list[Event]
    next: str | None


class Customers(Struct):
    """The customers whose own email address it is, at most 100."""

    customers: list[Customer]


class Decisions(Struct):
    """A page of a customer's decisions, newest first; `next` is the `before` of the next page.

    The first page also has the latest quarantined messages that name the customer.
    """

    decisions: list[Decision]
    next: str | None
    quarantined: list[Unmapped] = []


async def _discounts(context: WebContext, request: Request) -> Any:
    return page_of("discounts", await context.discounts.discounts(customer_id(request), before(request)))


async def _events(context: WebContext, request: Request) -> Any:
    return page_of("events", await context.discounts.events(customer_id(request), before(request)))


async def _pending_moves(context: WebContext, request: Request) -> Any:
    return {"pending_moves": await context.discounts.pending_moves(customer_id(request))}


async def _customer(context: WebContext, request: Request) -> Any:
    return await context.discounts.customer(customer_id(request))


async def _customers(context: WebContext, request: Request) -> Any:
    email = request.query_params.get("email", "")
    if not email:
        raise Unreadable("name the address: `/v1/customers?email=ann@example.org`")
    return {"customers": await context.discounts.customers_with(email)}


async def _export(context: WebContext, request: Request) -> Any:
    pieces = context.privacy.export(customer_id(request))
    return StreamingResponse(_chained(await anext(pieces), pieces), media_type="application/json")


async def _chained(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


async def _erase(context: WebContext, request: Request) -> Any:
    return await context.privacy.erase(customer_id(request))


async def _decisions(context: WebContext, request: Request) -> Any:
    source_id = request.query_params.get("source_id", "")
    if not source_id:
        raise Unreadable("name the customer: `/v1/decisions?source_id=...`")
    event_id = request.query_params.get("event_id") or None
    if event_id is not None:
        return {
            "decisions": await context.discounts.decisions_on(valid_id(source_id), event_id),
            "next": None,
        }
    page = page_of("decisions", await context.discounts.decisions(valid_id(source_id), before(request)))
    if before(request) is None:
        page["quarantined"] = list(map(unmapped, await context.discounts.quarantined_of(source_id)))
    return page


#: Ids of customers may hold unescaped slashes, so longer paths come first.
ROUTES: tuple[Route, ...] = (
    ApiRoute(
        path="/v1/customers/{source_id:path}/discounts",
        label="discounts",
        handler=_discounts,
        operation_id="listDiscounts",
        of_core=True,
        roles=("checkout", "read"),
        summary="List a customer's discounts",
        responses={200: Discounts},
        statuses=(400,),
        parameters=(BEFORE,),
    ),
    ApiRoute(
        path="/v1/customers/{source_id:path}/events",
        label="events",
        handler=_events,
        operation_id="listEvents",
        of_core=True,
        roles=("read",),
        summary="List a customer's events",
        responses={200: Events},
        statuses=(400,),
        parameters=(BEFORE,),
    ),
    ApiRoute(
        path="/v1/customers/{source_id:path}/pending-moves",
        label="pending_moves",
        handler=_pending_moves,
        operation_id="listPendingMoves",
        of_core=True,
        roles=("read",),
        summary="List moves that wait until two customers are merged",
        responses={200: PendingMoves},
    ),
    ApiRoute(
        path="/v1/customers/{source_id:path}/export",
        label="export",
        handler=_export,
        operation_id="exportCustomer",
        of_core=True,
        roles=("admin",),
        summary="Export all data of a person",
        responses={200: Export},
        statuses=(404,),
    ),
    ApiRoute(
        path="/v1/customers",
        label="customers",
        handler=_customers,
        operation_id="findCustomers",
        of_core=True,
        roles=("read",),
        summary="Find customers by their email address",
        responses={200: Customers},
        statuses=(400,),
        parameters=(
            Parameter(
                "email",
                "query",
                required=True,
                schema={"type": "string", "minLength": 1},
                description="The address, in any spelling",
            ),
        ),
    ),
    ApiRoute(
        path="/v1/customers/{source_id:path}",
        label="customer",
        handler=_customer,
        operation_id="getCustomer",
        of_core=True,
        roles=("read",),
        summary="Read a customer",
        responses={200: Customer},
        statuses=(404,),
    ),
    ApiRoute(
        method="DELETE",
        path="/v1/customers/{source_id:path}",
        label="erase",
        handler=_erase,
        operation_id="eraseCustomer",
        roles=("admin",),
        summary="Erase all data of a person",
        responses={200: Receipt},
        statuses=(404,),
    ),
    ApiRoute(
        path="/v1/decisions",
        label="decisions",
        handler=_decisions,
        operation_id="listDecisions",
        of_core=True,
        roles=("read",),
        summary="List the decisions on a customer's events, with their reasons",
        responses={200: Decisions},
        statuses=(400,),
        parameters=(
            Parameter("source_id", "query", required=True),
            Parameter("event_id", "query", required=False),
            BEFORE,
        ),
    ),
)

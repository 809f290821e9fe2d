"""Every route of the server: Starlette, the endpoints of ingest and OpenAPI follow from this table.

To add a route, write its handler in a module of this package, and add its entry to the `ROUTES` of that
module. The `ROUTES` of a new module are named here.
"""

from __future__ import annotations

from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from adapter.model.encoding import encode
from adapter.web import (
    checkout_api,
    customers_api,
    deliveries_api,
    discounts_api,
    dry_runs_api,
    dumps_api,
    evaluate_api,
    events_api,
    health,
    imports_api,
    opendsr,
    operator_api,
    rules_api,
    tracking,
    voucherify_api,
    webhooks,
)
from adapter.web.context import WebContext
from adapter.web.long_responses import BudgetedResponse
from adapter.web.openapi import document
from adapter.web.route import OBJECT, IngestRoute, MonitoringRoute, Route


@cache
def _document() -> bytes:
    return encode(document(ROUTES))


async def _openapi(context: WebContext, _request: Request) -> Response:
    return BudgetedResponse(_document(), context.response_budget)


#: Starlette takes the first route that matches.
ROUTES: tuple[Route, ...] = (
    *webhooks.ROUTES,
    *opendsr.ROUTES,
    *tracking.ROUTES,
    *events_api.ROUTES,
    *evaluate_api.ROUTES,
    *dry_runs_api.ROUTES,
    *discounts_api.ROUTES,
    *checkout_api.ROUTES,
    *rules_api.ROUTES,
    *customers_api.ROUTES,
    *operator_api.ROUTES,
    *imports_api.ROUTES,
    *dumps_api.ROUTES,
    *voucherify_api.ROUTES,
    *deliveries_api.ROUTES,
    *health.ROUTES,
    MonitoringRoute(
        path="/openapi.json",
        label="openapi",
        handler=_openapi,
        operation_id="openapi",
        summary="This document",
        auth="none",
        responses={200: OBJECT},
    ),
)
#: The labels of the endpoints that take messages.
INGEST_LABELS = frozenset(route.label for route in ROUTES if isinstance(route, IngestRoute))

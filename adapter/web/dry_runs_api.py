"""The API of dry runs: messages or operations through the whole corridor, and nothing is stored."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from adapter.services.dry_runs.report import DryRun
from adapter.services.dry_runs.service import DryRunRequest
from adapter.web.context import WebContext
from adapter.web.request_values import json_body
from adapter.web.route import ApiRoute, Route


async def _run(context: WebContext, request: Request) -> Any:
    context.require_core()
    return await context.dry_runs.run(await json_body(context, request, DryRunRequest))


ROUTES: tuple[Route, ...] = (
    ApiRoute(
        method="POST",
        path="/v1/dry-runs",
        label="dry_runs",
        handler=_run,
        operation_id="dryRun",
        of_core=True,
        roles=("evaluate", "operate"),
        summary="Say what a payload or operations would become and earn, without storing anything",
        body=DryRunRequest,
        responses={200: DryRun},
        statuses=(422,),
    ),
)

"""The routes of the console: `/` leads to it, and `/console` to its first page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from adapter.console import assets
from adapter.console.access import sign_in
from adapter.console.acting import action_route
from adapter.console.context import ConsoleContext
from adapter.console.openapi import openapi_route
from adapter.console.page import Action, Download, Page, UploadAction
from adapter.console.pages import ACTIONS, DOWNLOADS, PAGES
from adapter.console.serving import download_route, failed, page_routes
from adapter.web.errors import Failure

_ENTRANCES: Final = ("/", "/console", "/console/")


def console_routes(
    context: ConsoleContext,
    pages: Sequence[Page] = PAGES,
    actions: Sequence[Action | UploadAction] = ACTIONS,
    downloads: Sequence[Download] = DOWNLOADS,
) -> list[BaseRoute]:
    """Return all routes of the console, for Starlette's router."""
    navigation = [(page.path, page.nav) for page in pages if page.nav]
    return [
        *(Route(path, _home, methods=["GET"], name="console_home") for path in _ENTRANCES),
        *sign_in.routes(context),
        *(route for page in pages for route in page_routes(context, page, navigation)),
        *(action_route(context, action) for action in actions),
        *(download_route(context, download) for download in downloads),
        openapi_route(pages),
        assets.route(),
        _unknown(context),
    ]


async def _home(_request: Request) -> Response:
    return RedirectResponse(sign_in.HOME, 303)


def _unknown(context: ConsoleContext) -> Route:
    async def endpoint(request: Request) -> Response:
        json = request.url.path.endswith(".json")
        return failed(context, Failure(404, "not_found", "the console has no such page"), json=json)

    return Route("/console/{path:path}", endpoint, methods=["GET"], name="console_other")

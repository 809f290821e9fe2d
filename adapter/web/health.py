"""What those who run the server ask it: is it alive, is it ready, what did it count, what can it do."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapter.metrics import CONTENT_TYPE
from adapter.model.encoding import encode
from adapter.web.context import WebContext
from adapter.web.discounts_api import authorise
from adapter.web.long_responses import Answering
from adapter.web.openapi import document

#: A check that tells, but does not take the server out of service: the old files are still in force.
_TELLS_ONLY = "files"


def routes(doors: WebContext) -> list[Route]:
    """Return the routes for operations."""
    described = encode(document())

    async def live(_request: Request) -> Response:
        return _json(b'{"status":"ok"}')

    async def ready(_request: Request) -> Response:
        checks = await doors.health.ready()
        able = all(check.ok for check in checks if check.name != _TELLS_ONLY)
        return _json(encode({"ready": able, "checks": checks}), 200 if able else 503)

    async def metrics(request: Request) -> Response:
        authorise(doors, request)
        return Response(doors.metrics.render(), headers={"content-type": CONTENT_TYPE})

    async def openapi(_request: Request) -> Response:
        return Answering(described, doors.answers)

    return [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/metrics", metrics),
        Route("/openapi.json", openapi),
    ]


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")

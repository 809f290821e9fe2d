"""For monitoring: whether the process is alive, whether it is ready, and its metrics."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from adapter.metrics import CONTENT_TYPE
from adapter.model.encoding import encode
from adapter.services.health import INFORMATIONAL, Check
from adapter.web.context import WebContext
from adapter.web.route import OBJECT, TEXT, MonitoringRoute, Route


class Readiness(Struct):
    """Whether the server can take requests now, check by check."""

    ready: bool
    checks: list[Check]


async def _live(_context: WebContext, _request: Request) -> Response:
    return _json(b'{"status":"ok"}')


async def _ready(context: WebContext, _request: Request) -> Response:
    checks = await context.health.ready()
    ready = all(check.ok for check in checks if check.name not in INFORMATIONAL)
    return _json(encode({"ready": ready, "checks": checks}), 200 if ready else 503)


async def _metrics(context: WebContext, _request: Request) -> Response:
    return Response(context.metrics.render(), headers={"content-type": CONTENT_TYPE})


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")


ROUTES: tuple[Route, ...] = (
    MonitoringRoute(
        path="/health/live",
        label="live",
        handler=_live,
        operation_id="live",
        summary="Whether the process is alive",
        auth="none",
        responses={200: OBJECT},
    ),
    MonitoringRoute(
        path="/health/ready",
        label="ready",
        handler=_ready,
        operation_id="ready",
        summary="Whether the server can take requests now",
        auth="none",
        responses={200: Readiness, 503: Readiness},
    ),
    MonitoringRoute(
        path="/metrics",
        label="metrics",
        handler=_metrics,
        operation_id="metrics",
        roles=("read",),
        summary="Metrics in the format of Prometheus",
        auth="token",
        responses={200: TEXT},
    ),
)

"""The ASGI application: a dict for the hot paths, Starlette for the other routes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapter.errors import AdapterError
from adapter.web import events_api, voucherify_api
from adapter.web.context import WebContext
from adapter.web.endpoints import Endpoint
from adapter.web.errors import UNEXPECTED, Failure, failure
from adapter.web.lifespan import lifespan
from adapter.web.request_body import Disconnected
from adapter.web.responses import HttpResponse, error_response
from adapter.web.route import ApiRoute, IngestRoute, MakeEndpoint, MonitoringRoute
from adapter.web.routes import ROUTES
from adapter.web.starlette_routes import starlette_route

__all__ = ["ASGIApp", "Application", "hot_paths"]


class Application:
    """The application. `hot` has the ingest endpoints by raw path, for servers that call them without ASGI.

    `starlette` serves the other routes, and those of `pages`. `drain` ends responses that have no end by
    themselves; a server that stops calls it, once or more often, before it waits for open requests.
    """

    def __init__(
        self,
        context: WebContext,
        pages: Sequence[BaseRoute] = (),
        drain: Callable[[], None] = lambda: None,
    ) -> None:
        self._context = context
        self.drain = drain
        self._endpoints: dict[str, Endpoint] = {}
        self.hot: dict[bytes, Endpoint] = {}
        self.rebuild()
        self.starlette = _starlette(context, pages)
        self._rest = _Measured(self.starlette, context)

    def rebuild(self) -> None:
        """Build the ingest endpoints from the settings in force; requests in progress keep the ones before.

        The other routes read the settings at each request.
        """
        self._endpoints.update(hot_paths(self._context))
        self.hot.update({path.encode(): endpoint for path, endpoint in self._endpoints.items()})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the lifespan protocol."""
        if scope["type"] == "lifespan":
            await lifespan(self._context, receive, send)
        elif scope["type"] == "http" and (endpoint := self._endpoints.get(scope["path"])) is not None:
            await endpoint(scope, receive, send)
        else:
            await self._rest(_undecoded(scope), receive, send)


def hot_paths(context: WebContext) -> dict[str, Endpoint]:
    """Return the endpoints of the ingest routes by path, with and without a trailing slash."""
    shared: dict[tuple[MakeEndpoint, str], Endpoint] = {}
    paths: dict[str, Endpoint] = {}
    for route in ROUTES:
        if isinstance(route, IngestRoute):
            key = (route.make, route.label)
            if key not in shared:
                shared[key] = route.make(context, route.label)
            paths[route.path] = paths[f"{route.path}/"] = shared[key]
    return paths


def _undecoded(scope: Scope) -> Scope:
    """Return a scope whose path is not decoded, so that slashes and newlines in ids do not change the route.

    Starlette's patterns end with `$`, which also matches before a newline.
    """
    return {**scope, "path": scope["raw_path"].decode("latin-1")} if scope["type"] == "http" else scope


def _starlette(context: WebContext, pages: Sequence[BaseRoute]) -> Starlette:
    app = Starlette(
        routes=[
            *(
                starlette_route(context, route)
                for route in ROUTES
                if isinstance(route, ApiRoute | MonitoringRoute)
            ),
            *pages,
        ],
        exception_handlers={
            AdapterError: _adapter_error,
            HTTPException: _http_exception,
            Exception: _unexpected,
        },
    )
    app.router.redirect_slashes = False
    return app


class _Measured:
    """Counts and times requests by route, and logs unexpected errors."""

    def __init__(self, app: ASGIApp, context: WebContext) -> None:
        self._app = app
        self._metrics = context.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Disconnected:
            return
        except Exception as error:  # noqa: BLE001 - Starlette has sent the response, and raises for the log
            failure(error)
        route = scope.get("route")
        name = getattr(route, "name", None) or "other"
        self._metrics.request_seconds.labels(name).observe(perf_counter() - started)
        self._metrics.requests.labels(name, str(status)).inc()


async def _adapter_error(request: Request, error: Exception) -> Response:
    compatible = request.scope["path"].startswith(voucherify_api.PREFIX)
    render = voucherify_api.error_response if compatible else error_response
    return _response(render(failure(error)))


async def _http_exception(request: Request, error: Exception) -> Response:
    """Return the response where no route matches."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        message = f"`{request.method}` is not allowed here; use {allowed}"
        body = error_response(Failure(405, "method_not_allowed", message)).body
        return _response(HttpResponse(405, body, ((b"allow", allowed.encode()),)))
    message = "no such path; /openapi.json lists all paths"
    render = events_api.error_response if request.scope["path"].startswith("/v2/") else error_response
    return _response(render(Failure(404, "not_found", message)))


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return _response(error_response(Failure(500, "unexpected", UNEXPECTED)))


def _response(response: HttpResponse) -> Response:
    headers = {name.decode(): value.decode() for name, value in response.headers}
    return Response(response.body, response.status, headers, media_type="application/json")

"""The ASGI application: a dict for the hot paths, Starlette for the rest."""

from __future__ import annotations

from time import perf_counter

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapter.errors import AdapterError
from adapter.web import discounts_api, events_api, health, opendsr, tracking, webhooks
from adapter.web.context import WebContext
from adapter.web.endpoints import Endpoint
from adapter.web.errors import UNEXPECTED, Failure, failure
from adapter.web.lifespan import lifespan
from adapter.web.request_body import Disconnected
from adapter.web.responses import Answer, told

__all__ = ["ASGIApp", "Application", "hot_paths"]


class Application:
    """The application; `hot` endpoints by raw path, for a server that can call them without ASGI."""

    def __init__(self, doors: WebContext) -> None:
        self._doors = doors
        self._endpoints = hot_paths(doors)
        self._rest = _Measured(_starlette(doors), doors)
        self.hot = {path.encode(): endpoint for path, endpoint in self._endpoints.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or follow the server's life."""
        if scope["type"] == "lifespan":
            await lifespan(self._doors, receive, send)
        elif scope["type"] == "http" and (endpoint := self._endpoints.get(scope["path"])) is not None:
            await endpoint(scope, receive, send)
        else:
            await self._rest(_as_sent(scope), receive, send)


def hot_paths(doors: WebContext) -> dict[str, Endpoint]:
    """Return every endpoint that is served without Starlette; a trailing slash does not matter."""
    paths = {
        **webhooks.endpoints(doors),
        **tracking.endpoints(doors),
        **events_api.endpoints(doors),
        **opendsr.endpoints(doors),
    }
    return paths | {f"{path}/": endpoint for path, endpoint in paths.items()}


def _as_sent(scope: Scope) -> Scope:
    """Return a scope whose path is as it was sent: in a decoded one an id's slashes part it.

    Nor would a newline be told from the end, by the patterns of Starlette.
    """
    return {**scope, "path": scope["raw_path"].decode("latin-1")} if scope["type"] == "http" else scope


def _starlette(doors: WebContext) -> Starlette:
    app = Starlette(
        routes=[*discounts_api.routes(doors), *health.routes(doors)],
        exception_handlers={
            AdapterError: _adapter_error,
            HTTPException: _http_exception,
            Exception: _unexpected,
        },
    )
    app.router.redirect_slashes = False
    return app


class _Measured:
    """Counts and times requests by route, and logs what nobody foresaw."""

    def __init__(self, app: ASGIApp, doors: WebContext) -> None:
        self._app = app
        self._metrics = doors.metrics

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
        except Exception as error:  # noqa: BLE001 - Starlette has answered already, and raises it for a log
            failure(error)
        route = scope.get("route")
        name = getattr(route, "name", None) or "other"
        self._metrics.request_seconds.labels(name).observe(perf_counter() - started)
        self._metrics.requests.labels(name, str(status)).inc()


async def _adapter_error(_request: Request, error: Exception) -> Response:
    return _response(told(failure(error)))


async def _http_exception(request: Request, error: Exception) -> Response:
    """Tell what the router could not place."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        message = f"`{request.method}` is not taken here; send {allowed}"
        answer = told(Failure(405, "method_not_allowed", message))
        return _response(Answer(405, answer.body, ((b"allow", allowed.encode()),)))
    message = "there is nothing at this path; /openapi.json lists what there is"
    tell = events_api.told if request.scope["path"].startswith("/v2/") else told
    return _response(tell(Failure(404, "not_found", message)))


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return _response(told(Failure(500, "unexpected", UNEXPECTED)))


def _response(answer: Answer) -> Response:
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(answer.body, answer.status, headers, media_type="application/json")

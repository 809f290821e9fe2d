"""The routes that Starlette serves: authentication, strict queries and bounded responses around handlers."""

from __future__ import annotations

from starlette import routing
from starlette.requests import Request
from starlette.responses import Response

from adapter.model.encoding import encode
from adapter.sources.headers import require_credential
from adapter.web.auth import admit_local, bearer_token
from adapter.web.context import WebContext
from adapter.web.disconnects import cancel_on_disconnect
from adapter.web.long_responses import BudgetedResponse
from adapter.web.query_string import require_exact
from adapter.web.route import ApiRoute, MonitoringRoute


def starlette_route(context: WebContext, route: ApiRoute | MonitoringRoute) -> routing.Route:
    """Return the route for Starlette's router, which matches paths as they were sent, `%2F` included."""

    async def endpoint(request: Request) -> Response:
        if route.auth == "token":
            require_token(context, request)
        if isinstance(route, ApiRoute):
            require_exact(request.scope["query_string"])
        result = route.handler(context, request)
        if isinstance(route, ApiRoute) and route.method == "GET":
            result = cancel_on_disconnect(request.receive, result)
        response = await result
        if isinstance(response, Response):
            return response
        return BudgetedResponse(encode(response), context.response_budget)

    return routing.Route(route.path, endpoint, methods=[route.method], name=route.label)


def require_token(context: WebContext, request: Request) -> None:
    """Raise Unauthorised unless the caller sends one of `api.tokens`."""
    tokens = context.settings.api.tokens
    headers = dict(request.scope["headers"])
    if tokens:
        require_credential(
            bearer_token(headers),
            tokens,
            missing="no token: send `Authorization: Bearer TOKEN`",
            wrong="the token is not one of `api.tokens`",
        )
    else:
        admit_local(headers, "api.tokens", auth_disabled=context.auth_disabled)

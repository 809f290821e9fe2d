"""The routes that Starlette serves: authentication, strict queries and bounded responses around handlers."""

from __future__ import annotations

from collections.abc import Collection

from starlette import routing
from starlette.requests import Request
from starlette.responses import Response

from adapter.model.encoding import encode
from adapter.settings.values import Role
from adapter.web.auth import admit_local, bearer_token
from adapter.web.context import WebContext
from adapter.web.disconnects import cancel_on_disconnect
from adapter.web.long_responses import BudgetedResponse
from adapter.web.query_string import require_exact
from adapter.web.roles import require_role
from adapter.web.route import ApiRoute, MonitoringRoute


def starlette_route(context: WebContext, route: ApiRoute | MonitoringRoute) -> routing.Route:
    """Return the route for Starlette's router, which matches paths as they were sent, `%2F` included."""

    async def endpoint(request: Request) -> Response:
        if route.auth in ("token", "app_token"):
            require_token(context, request, route.roles, app_token=route.auth == "app_token")
        if isinstance(route, ApiRoute):
            require_exact(request.scope["query_string"])
        if route.of_core:
            context.require_core()
        result = route.handler(context, request)
        if isinstance(route, ApiRoute) and route.method == "GET":
            result = cancel_on_disconnect(request.receive, result)
        response = await result
        if isinstance(response, Response):
            return response
        return BudgetedResponse(encode(response), context.response_budget)

    return routing.Route(route.path, endpoint, methods=[route.method], name=route.label)


def require_token(
    context: WebContext, request: Request, roles: Collection[Role], *, app_token: bool = False
) -> None:
    """Raise Unauthorised or Forbidden unless the caller sends a token of one of the roles.

    With `app_token` it may be in the header of Voucherify's SDKs.
    """
    api = context.settings.api
    headers = dict(request.scope["headers"])
    if api.all_tokens:
        token = headers.get(b"x-app-token") if app_token else None
        require_role(bearer_token(headers) if token is None else token.decode("latin-1"), api, roles)
    else:
        admit_local(headers, "api.tokens", auth_disabled=context.auth_disabled)

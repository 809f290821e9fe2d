"""The core's API: operations in, discounts and decisions out."""

from __future__ import annotations

from typing import Final

from adapter.model.encoding import encode
from adapter.model.evaluated import Evaluation
from adapter.services.core.evaluate import MOST_OPERATIONS
from adapter.services.ingest.operation_documents import ACTIONS
from adapter.settings.values import Role
from adapter.sources.headers import Headers
from adapter.web.auth import admit_local, bearer_token
from adapter.web.context import WebContext
from adapter.web.endpoints import Endpoint
from adapter.web.responses import HttpResponse
from adapter.web.roles import require_role
from adapter.web.route import IngestRoute, Json, Route

_ROLES: Final[tuple[Role, ...]] = ("evaluate",)


def _endpoint(context: WebContext, label: str) -> Endpoint:
    api, auth_disabled = context.settings.api, context.auth_disabled

    def admit(headers: Headers) -> None:
        if api.all_tokens:
            require_role(bearer_token(headers), api, _ROLES)
        else:
            admit_local(headers, "api.tokens", auth_disabled=auth_disabled)

    async def handle(body: bytes, _headers: Headers) -> HttpResponse:
        context.require_core()  # an instance with a remote core never decides, so there are no loops
        return HttpResponse(200, encode(Evaluation(await context.evaluate.evaluate(body))))

    return Endpoint(label, context, handle, admit=admit)


_OPERATION: Json = {
    "type": "object",
    "required": ["id", "action"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 512},
        "action": {"enum": sorted(ACTIONS)},
        "received_at": {"type": "string", "format": "date-time"},
        "timestamp": {"type": "string", "format": "date-time"},
        "message_id": {"type": "string"},
    },
    "description": "An operation: its members follow from `action`; see docs/http.md",
}
_BODY: Json = {
    "type": "object",
    "required": ["operations"],
    "properties": {"operations": {"type": "array", "maxItems": MOST_OPERATIONS, "items": _OPERATION}},
}
ROUTES: tuple[Route, ...] = (
    IngestRoute(
        path="/v1/evaluate",
        label="evaluate",
        make=_endpoint,
        operation_id="evaluate",
        summary="Decide operations, each once, and return their discounts and decisions",
        auth="token",
        roles=_ROLES,
        body=_BODY,
        responses={200: Evaluation},
        statuses=(422,),
        of_core=True,
    ),
)

"""Values that handlers read from a request: ids of the path, pages, idempotency keys, JSON bodies."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Struct
from starlette.requests import Request

from adapter.errors import NotFound, Unreadable
from adapter.model.ids import invalid_id_reason
from adapter.model.pages import Page
from adapter.web.context import WebContext
from adapter.web.request_body import read_body
from adapter.web.route import Parameter

#: As long as Stripe's (https://docs.stripe.com/api/idempotent_requests).
MAX_KEY = 255
_MAX_CODE = 1_000

#: The parameter of `before`.
BEFORE = Parameter("before", "query", required=False)
#: The parameter of `idempotency_key`.
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "header",
    schema={"type": "string", "maxLength": MAX_KEY},
    description="A call repeated with the same key returns the response of the first one",
)

Body = TypeVar("Body", bound=Struct)


def code(request: Request) -> str:
    """Return a code from the path as it was sent; raises NotFound for one longer than any."""
    text = _decoded(request, "code")
    if len(text) > _MAX_CODE:
        raise NotFound("there is nothing under that name")
    return text


def customer_id(request: Request) -> str:
    """Return a customer's id from the path; raises Unreadable where it is not valid."""
    return valid_id(_decoded(request, "source_id"))


def valid_id(source_id: str) -> str:
    """Return a customer's id; raises Unreadable where it is not valid."""
    wrong = invalid_id_reason(source_id)
    if wrong is not None:
        raise Unreadable(wrong)
    return source_id


def before(request: Request) -> str | None:
    """Return what continues a list: the `next` of the page before."""
    return request.query_params.get("before")


def page_of(name: str, page: Page[Any]) -> dict[str, Any]:
    """Return a page as it is sent, its items under `name`."""
    return {name: page, "next": page.next}


def idempotency_key(request: Request) -> str | None:
    """Return the Idempotency-Key header; raises Unreadable where it is not valid."""
    key = request.headers.get("idempotency-key", "").strip()
    if len(key) > MAX_KEY or not key.isprintable():
        raise Unreadable(f"Idempotency-Key is longer than {MAX_KEY} characters, or not printable")
    return key or None


async def json_body(context: WebContext, request: Request, kind: type[Body]) -> Body:
    """Return the body as a value of `kind`; an empty body has every default. Raises Unreadable, TooLarge."""
    server = context.settings.server
    body = await read_body(
        dict(request.scope["headers"]),
        request.receive,
        server.max_body_bytes,
        server.body_timeout_seconds,
        context.body_budget,
    )
    try:
        value: Body = _decoder(kind).decode(body if body.strip() else b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        wrong = str(error) if isinstance(error, msgspec.ValidationError) else "it is not JSON"
        fields = ", ".join(f"`{name}`" for name in kind.__struct_fields__)
        raise Unreadable(f"the body is not valid: {wrong}; its fields are {fields}") from error
    return value


@cache
def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    """Return a decoder that reads numbers exactly where the type leaves them open."""
    return msgspec.json.Decoder(kind, float_hook=Decimal)


def _decoded(request: Request, parameter: str) -> str:
    try:
        return unquote_to_bytes(request.path_params[parameter]).decode()
    except UnicodeDecodeError as error:
        # With its bytes replaced, it could be the id of another customer.
        raise Unreadable("the path is not percent-encoded UTF-8 text") from error

"""The description of the pages' JSON twins in OpenAPI 3.1, which follows from the table of pages."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any, Final, get_type_hints

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapter.console.access.sessions import COOKIE
from adapter.console.page import Page
from adapter.model.encoding import encode
from adapter.web import openapi, route

PATH: Final = "/console/openapi.json"
_TITLE: Final = "Console of the Behaviour Discounts adapter"
_ABOUT: Final = (
    "What each page of the console shows, as JSON: for people and scripts of their own. Programs use the "
    "API of `/openapi.json`, which changes less. With `console.mask`, visitors of the role `read` get `***` "
    "in the place of masked values, whatever their type is here."
)
_SCHEMES: Final[route.Json] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "What `POST /console/sign-in` sets for a `token`; not needed while no secret is set",
    }
}


def document(pages: Sequence[Page]) -> route.Json:
    """Return the OpenAPI document of the twins of pages."""
    return openapi.document([_twin(page) for page in pages], _TITLE, _ABOUT, _SCHEMES)


def openapi_route(pages: Sequence[Page]) -> Route:
    """Return the route of the document, which is open as that of the API is."""
    written: list[bytes] = []

    async def endpoint(_request: Request) -> Response:
        if not written:
            written.append(encode(document(pages)))
        return Response(written[0], media_type="application/json")

    return Route(PATH, endpoint, methods=["GET"], name="console_openapi")


def _twin(page: Page) -> route.Route:
    """Return the route of a page's twin: its answer is what the view says that it returns."""
    shows = get_type_hints(page.view)["return"]
    role = f"Needs the role `{page.role}`."
    return route.Route(
        path=f"{page.path}.json",
        label=f"console_{page.name}",
        operation_id=f"console_{page.name}",
        summary=page.title,
        description=" ".join(filter(None, (_said(page.query), role))),
        auth="session",
        responses={200: shows},
        statuses=(400, *page.statuses),
        parameters=tuple(_parameters(page.query)),
    )


def _parameters(query: type[Struct]) -> Iterable[route.Parameter]:
    """Yield the parameters of a query; all are text in a URL, and lists are repeated."""
    [_], schemas = msgspec.json.schema_components([query])
    described = schemas[query.__name__]
    for name, schema in described["properties"].items():
        needed = name in described["required"]
        yield route.Parameter(name, "query", required=needed or msgspec.UNSET, schema=_in_url(schema))


def _in_url(schema: route.Json) -> route.Json:
    """Return the schema of a parameter, which is left out where it has no value."""
    found: dict[str, Any] = {key: value for key, value in schema.items() if value not in (None, "")}
    kinds = [each for each in found.pop("anyOf", ()) if each != {"type": "null"}]
    return {**found, **kinds[0]} if kinds else found


def _said(query: type[Struct]) -> str:
    """Return what a query says of itself, without the breaks of its lines."""
    return " ".join((inspect.getdoc(query) or "").split())

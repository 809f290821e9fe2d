"""The description of this API in OpenAPI 3.1, which follows from the table of routes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from adapter import __version__
from adapter.web.route import TEXT, Auth, Json, Route, Schema

_REFERENCE = "#/components/schemas/{name}"
_SUCCESS = "Success"
_DESCRIPTIONS = {
    400: "The request cannot be read",
    401: "Credentials are missing",
    403: "Credentials are wrong",
    404: "Nothing was found",
    409: "The request conflicts with the state of the resource",
    413: "The body is too large",
    421: "A remote core answers this call, not this server",
    422: "The request cannot be processed",
    429: "Too many requests",
    503: "Unavailable: retry after `Retry-After` seconds",
}
#: The alternatives by which OpenAPI describes each credential. All are optional on a server without secrets.
_SECURITY: dict[Auth, list[Json]] = {
    "none": [{}],
    "session": [{"session": []}, {}],
    "signature": [{}],
    "write_key": [{"writeKey": []}, {}],
    "key_and_secret": [{"keyAndSecret": []}, {}],
    "authorization": [{"authorization": []}, {}],
    "app_token": [{"appToken": []}, {}],
}
_OF_A_ROLE = (
    "A token of one of the roles that the operation names: `api.checkout_tokens`, `api.read_tokens`, "
    "`api.evaluate_tokens` or `api.operate_tokens`, which may read too; or one of `api.tokens`, which may "
    "call everything"
)
_SCHEMES: Json = {
    "token": {"type": "http", "scheme": "bearer", "description": _OF_A_ROLE},
    "writeKey": {"type": "http", "scheme": "basic", "description": "The write key as user, no password"},
    "keyAndSecret": {"type": "http", "scheme": "basic", "description": "mParticle's key and secret"},
    "authorization": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "One of `mparticle.authorizations`, whole",
    },
    "appToken": {"type": "apiKey", "in": "header", "name": "X-App-Token", "description": _OF_A_ROLE},
}


_TITLE = "Behaviour Discounts adapter"
_DESCRIPTION = "Receives what Segment and mParticle send, and issues the discounts it earns."


def document(
    routes: Sequence[Route],
    title: str = _TITLE,
    description: str = _DESCRIPTION,
    schemes: Json = _SCHEMES,
) -> Json:
    """Return the OpenAPI document of routes. `schemes` has the credentials that they ask for."""
    components = _Components(routes)
    paths: Json = {}
    for route in routes:
        paths.setdefault(route.documented_path, {})[route.method.lower()] = _operation(route, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": __version__,
            "description": description,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {"schemas": components.schemas, "securitySchemes": schemes},
    }


class _Components:
    """The schemas of all types that routes take or return, and of the types in those."""

    def __init__(self, routes: Iterable[Route]) -> None:
        used = {
            schema: None
            for route in routes
            for schema in (*route.responses.values(), route.body, route.error)
            if isinstance(schema, type) and issubclass(schema, Struct)
        }
        references, schemas = msgspec.json.schema_components(used, ref_template=_REFERENCE)
        self._references = dict(zip(used, map(_with_short_names, references), strict=True))
        self.schemas: Json = {
            _short_name(name): _with_short_names(_with_numbers(schema)) for name, schema in schemas.items()
        }

    def content(self, schema: Schema) -> Json:
        """Return the content of a body that has a schema."""
        if isinstance(schema, dict):
            return {"text/plain" if schema == TEXT else "application/json": {"schema": schema}}
        return {"application/json": {"schema": self._references[schema]}}


def _operation(route: Route, components: _Components) -> Json:
    operation: Json = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "security": _security(route),
        "responses": _responses(route, components),
    }
    if route.description:
        operation["description"] = route.description
    if route.body is not None:
        operation["requestBody"] = {
            "required": route.body_required,
            "content": components.content(route.body),
        }
    if parameters := route.all_parameters:
        operation["parameters"] = msgspec.to_builtins(parameters)
    return operation


def _security(route: Route) -> list[Json]:
    """Return the alternatives of credentials; OpenAPI 3.1 has a place for the role of a token."""
    if route.auth == "token":
        return [*({"token": [role]} for role in route.roles), {}]
    return _SECURITY[route.auth]


def _responses(route: Route, components: _Components) -> Json:
    responses: Json = {}
    for status, schema in route.responses.items():
        content = {} if schema is None else {"content": components.content(schema)}
        responses[str(status)] = {"description": _DESCRIPTIONS.get(status, _SUCCESS), **content}
    for status in route.error_statuses:
        if status not in route.responses:
            responses[str(status)] = {
                "description": _DESCRIPTIONS[status],
                "content": components.content(route.error),
            }
    return responses


def _short_name(name: str) -> str:
    """Return the name of a schema for a name that types share, after the module: `ListingAmount`."""
    *_, module, own = ("", *name.split("."))
    return "".join(part.capitalize() for part in module.split("_")) + own


def _with_short_names(schema: Any) -> Any:
    """Return a schema whose references have short names."""
    if isinstance(schema, list):
        return [_with_short_names(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        place, _, name = reference.rpartition("/")
        return {**schema, "$ref": f"{place}/{_short_name(name)}"}
    return {key: _with_short_names(value) for key, value in schema.items()}


def _with_numbers(schema: Any) -> Any:
    """Return a schema with decimals as numbers, as they are sent; msgspec describes them as text."""
    if isinstance(schema, list):
        return [_with_numbers(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        return {"type": "number"}
    return {key: _with_numbers(value) for key, value in schema.items()}

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


def document(routes: Sequence[Route]) -> Json:
    """Return the OpenAPI document of routes."""
    paths: Json = {}
    for route in routes:
        paths.setdefault(route.documented_path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Behaviour Discounts adapter",
            "version": __version__,
            "description": "Receives what Segment and mParticle send, and issues the discounts it earns.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {"schemas": _components(routes), "securitySchemes": _SCHEMES},
    }


def _operation(route: Route) -> Json:
    operation: Json = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "security": _security(route),
        "responses": _responses(route),
    }
    if route.body is not None:
        operation["requestBody"] = {"required": route.body_required, "content": _content(route.body)}
    if parameters := route.all_parameters:
        operation["parameters"] = msgspec.to_builtins(parameters)
    return operation


def _security(route: Route) -> list[Json]:
    """Return the alternatives of credentials; OpenAPI 3.1 has a place for the role of a token."""
    if route.auth == "token":
        return [*({"token": [role]} for role in route.roles), {}]
    return _SECURITY[route.auth]


def _responses(route: Route) -> Json:
    responses: Json = {}
    for status, schema in route.responses.items():
        content = {} if schema is None else {"content": _content(schema)}
        responses[str(status)] = {"description": _DESCRIPTIONS.get(status, _SUCCESS), **content}
    for status in route.error_statuses:
        if status not in route.responses:
            responses[str(status)] = {
                "description": _DESCRIPTIONS[status],
                "content": _content(route.error),
            }
    return responses


def _content(schema: Schema) -> Json:
    if isinstance(schema, dict):
        return {"text/plain" if schema == TEXT else "application/json": {"schema": schema}}
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=schema.__name__)}}}


def _components(routes: Iterable[Route]) -> Json:
    """Return the schemas of all types that the routes take or return, and of the types in those."""
    used = {
        schema: None
        for route in routes
        for schema in (*route.responses.values(), route.body, route.error)
        if isinstance(schema, type) and issubclass(schema, Struct)
    }
    _, schemas = msgspec.json.schema_components(used, ref_template=_REFERENCE)
    numeric: Json = _with_numbers(schemas)
    return numeric


def _with_numbers(schema: Any) -> Any:
    """Return a schema with decimals as numbers, as they are sent; msgspec describes them as text."""
    if isinstance(schema, list):
        return [_with_numbers(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        return {"type": "number"}
    return {key: _with_numbers(value) for key, value in schema.items()}

"""The record of one route: what serves it, and what OpenAPI says about it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field
from starlette.requests import Request

from adapter.settings.values import Role
from adapter.web.context import WebContext
from adapter.web.endpoints import Endpoint

Json = dict[str, Any]
#: A schema: that of a type, or one written down.
Schema = type[Struct] | Json
Method = Literal["GET", "POST", "DELETE"]
#: The credential that a route asks for. A `signature` is one over the body, which OpenAPI cannot describe.
Auth = Literal[
    "none", "token", "write_key", "key_and_secret", "authorization", "app_token", "signature", "session"
]
#: Returns a value to encode as JSON, or a whole response.
Handler = Callable[[WebContext, Request], Awaitable[Any]]
#: Makes the endpoint of a route from its metric label.
MakeEndpoint = Callable[[WebContext, str], Endpoint]

OBJECT: Json = {"type": "object"}
#: A response of this schema is plain text.
TEXT: Json = {"type": "string"}
_IN_PATH = re.compile("{(.*?)(:path)?}")


class Parameter(Struct, frozen=True, omit_defaults=True, rename={"place": "in"}):
    """A parameter, as OpenAPI describes it."""

    name: str
    place: Literal["path", "query", "header"]
    required: bool | UnsetType = UNSET
    schema: Json = field(default_factory=lambda: dict(TEXT))
    description: str | UnsetType = UNSET


class ErrorDetail(Struct):
    """`code` is for programs, `message` for people; docs/errors.md explains every code."""

    code: str
    message: str


class Error(Struct):
    """The body of an error response."""

    error: ErrorDetail


class Route(Struct, frozen=True, kw_only=True):
    """What all routes have. `label` names the route in metrics, `operation_id` in OpenAPI.

    `responses` has a schema for each status of success, None for one without a body. `statuses` are those of
    errors that do not follow from the rest: see `error_statuses`. `error` is the schema of their bodies.
    Where `auth` is "token", the caller's token must have one of `roles`: see `adapter.web.roles`. Only the
    instance that decides answers a route `of_core`; where the core is remote, the route says so.
    `description` says more than `summary`, where that is needed.
    """

    path: str
    label: str
    operation_id: str
    summary: str
    auth: Auth
    responses: Mapping[int, Schema | None]
    method: Method = "GET"
    statuses: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    body_required: bool = True
    error: type[Struct] = Error
    roles: tuple[Role, ...] = ()
    of_core: bool = False
    description: str = ""

    @property
    def documented_path(self) -> str:
        """The path as OpenAPI writes it."""
        return self.path.replace(":path}", "}")

    @property
    def all_parameters(self) -> tuple[Parameter, ...]:
        """The parameters of the path, then the others."""
        names = (found[1] for found in _IN_PATH.finditer(self.path))
        return (*(Parameter(name, "path", required=True) for name in names), *self.parameters)

    @property
    def error_statuses(self) -> list[int]:
        """All statuses of errors: `statuses`, and those of credentials, a body and an unavailable store."""
        of_auth = {401, 403} if self.auth != "none" else set[int]()
        of_body = {400, 413} if self.body is not None else set[int]()
        of_core = {421} if self.of_core else set[int]()
        return sorted({*self.statuses, *of_auth, *of_body, *of_core, 503})


class ApiRoute(Route, frozen=True, kw_only=True):
    """A route that Starlette serves.

    The caller sends a token of one of `roles` where `auth` is "token" or "app_token". The query must decode
    exactly, and a GET is cancelled once its caller has disconnected. The value that `handler` returns is sent
    as JSON within the budget of long responses.
    """

    handler: Handler
    roles: tuple[Role, ...]
    auth: Auth = "token"


class MonitoringRoute(Route, frozen=True, kw_only=True):
    """A route that Starlette serves to monitoring tools, which may add a query of any form."""

    handler: Handler

    @property
    def error_statuses(self) -> list[int]:
        """The statuses of errors: those of credentials."""
        return [401, 403] if self.auth != "none" else []


class IngestRoute(Route, frozen=True, kw_only=True):
    """A route for the calls that CDPs send by the thousand: a POST, served without Starlette.

    The endpoint checks the credential itself, and takes the path with a trailing slash too. Routes with the
    same `make` and label share one endpoint.
    """

    make: MakeEndpoint
    method: Method = "POST"

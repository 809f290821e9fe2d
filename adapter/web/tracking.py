"""Segment's HTTP tracking API, so that its SDKs can send to this server.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterable
from functools import partial

from adapter.errors import Unreadable
from adapter.sources.headers import Headers, require_credential
from adapter.sources.segment import webhook
from adapter.web.auth import admit_local, basic_credentials
from adapter.web.context import WebContext
from adapter.web.cors import BrowserEndpoint
from adapter.web.endpoints import Admit, Endpoint, Handle
from adapter.web.local_pages import Origins
from adapter.web.responses import HttpResponse
from adapter.web.route import OBJECT, IngestRoute, Json, MakeEndpoint, Route

KINDS = ("identify", "track", "page", "screen", "group", "alias")
#: The response of Segment's own servers, also for calls that they then discard.
_SUCCESS = HttpResponse(200, b'{"success":true}')


def _open(context: WebContext, label: str, handle: Handle, admit: Admit) -> Endpoint:
    """Return an endpoint; pages of `segment.browser_origins` may call it."""
    origins = _origins(context)
    if not origins:
        return Endpoint(label, context, handle, admit=admit)
    return BrowserEndpoint(label, context, handle, admit=admit, origins=origins)


def _origins(context: WebContext) -> Origins:
    return frozenset(origin.encode() for origin in context.settings.segment.browser_origins)


def _metrics(context: WebContext, label: str) -> Endpoint:
    """Return the endpoint for metrics of analytics.js, which it ignores; they have no write key."""
    write_keys, auth_disabled, trusted = (
        context.settings.segment.write_keys,
        context.auth_disabled,
        _origins(context),
    )

    def admit(headers: Headers) -> None:
        if not write_keys:
            admit_local(headers, "segment.write_keys", auth_disabled=auth_disabled, trusted=trusted)

    async def handle(_body: bytes, _headers: Headers) -> HttpResponse:
        return _SUCCESS

    return _open(context, label, handle, admit)


def _endpoint(context: WebContext, label: str, kind: str | None) -> Endpoint:
    write_keys, auth_disabled, trusted = (
        context.settings.segment.write_keys,
        context.auth_disabled,
        _origins(context),
    )
    threshold, bounds = context.slice_threshold, context.bounds

    def check(write_key: str | None) -> None:
        require_credential(
            write_key,
            write_keys,
            missing="no write key: send it as the user of Basic authorization, or as `writeKey` in the body",
            wrong="the write key is not one of `segment.write_keys`",
        )

    def admit(headers: Headers) -> None:
        if not write_keys:
            admit_local(headers, "segment.write_keys", auth_disabled=auth_disabled, trusted=trusted)
        elif shown := _write_key(headers):
            check(shown)

    async def handle(body: bytes, headers: Headers) -> HttpResponse:
        if write_keys and not _write_key(headers):
            check(webhook.write_key(body))
        now = context.clock()
        try:
            if len(body) < threshold:
                await context.ingest.receive(webhook.decode_batch(body, now, kind=kind), len(body))
            else:
                parts = await to_thread(webhook.batch_parts, body, now, bounds, kind=kind)
                await context.ingest.receive_parts(parts)
        except Unreadable as error:
            context.ingest.note_refused("segment", _without(write_keys, body), error, now)
            raise
        return _SUCCESS

    return _open(context, label, handle, admit)


def _without(write_keys: Iterable[str], body: bytes) -> bytes:
    """Return a body without the write keys that it names: what is recorded of it has no credentials."""
    for key in write_keys:
        body = body.replace(key.encode(), b"***")
    return body


def _write_key(headers: Headers) -> str | None:
    """Return the user of Basic authorization; SDKs omit the password, and some the colon."""
    shown = basic_credentials(headers)
    return None if shown is None else shown.partition(":")[0].strip()


_BATCH = partial(_endpoint, kind=None)
_CALLS: dict[str, MakeEndpoint] = {kind: partial(_endpoint, kind=kind) for kind in KINDS}
#: By the last part of the path. `import` is the batch of older SDKs. analytics.js uses the first letter of
#: each kind, `b` (as the Swift and Kotlin libraries do), and `m` for metrics about itself.
_PATHS: dict[str, MakeEndpoint] = {
    **_CALLS,
    **{kind[0]: make for kind, make in _CALLS.items()},
    "batch": _BATCH,
    "import": _BATCH,
    "b": _BATCH,
    "m": _metrics,
}
_SUCCESS_SCHEMA: Json = {
    "type": "object",
    "properties": {"success": {"const": True}},
    "required": ["success"],
}
ROUTES: tuple[Route, ...] = tuple(
    IngestRoute(
        path=f"/v1/{path}",
        label="tracking",
        make=make,
        operation_id=f"tracking_{path}",
        summary=f"Segment's tracking API: {path}",
        auth="write_key",
        body=OBJECT,
        responses={200: _SUCCESS_SCHEMA},
    )
    for path, make in _PATHS.items()
)

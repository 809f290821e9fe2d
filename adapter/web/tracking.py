"""Segment's HTTP tracking API, so that its SDKs can point here.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

from __future__ import annotations

from asyncio import to_thread

from adapter.sources.segment import webhook
from adapter.web.auth import basic, enter, require
from adapter.web.context import WebContext
from adapter.web.cors import BrowserEndpoint
from adapter.web.endpoints import Admit, Endpoint, Handle
from adapter.web.local_pages import Origins
from adapter.web.request_body import Headers
from adapter.web.responses import Answer

KINDS = ("identify", "track", "page", "screen", "group", "alias")
#: Every path below /v1.
PATHS = (*KINDS, *(kind[0] for kind in KINDS), "batch", "import", "b", "m")
#: What Segment's own servers answer, also for calls that they then discard.
_SUCCESS = Answer(200, b'{"success":true}')


def endpoints(doors: WebContext) -> dict[str, Endpoint]:
    """Return the tracking endpoints by path.

    `import` is the batch of older SDKs. The short paths, a kind's first letter each, are those of
    analytics.js, `b` that of the Swift and Kotlin libraries too; `m` takes what analytics.js counts of
    itself.
    """
    paths = {kind: _endpoint(doors, kind) for kind in KINDS}
    short = {kind[0]: endpoint for kind, endpoint in paths.items()}
    batch = _endpoint(doors, None)
    paths |= short | {"batch": batch, "import": batch, "b": batch, "m": _metrics(doors)}
    return {f"/v1/{path}": endpoint for path, endpoint in paths.items()}


def _open(doors: WebContext, handle: Handle, admit: Admit) -> Endpoint:
    """Return an endpoint, which pages of `segment.browser_origins` may call where there are any."""
    origins = _origins(doors)
    if not origins:
        return Endpoint("tracking", doors, handle, admit=admit)
    return BrowserEndpoint("tracking", doors, handle, admit=admit, origins=origins)


def _origins(doors: WebContext) -> Origins:
    return frozenset(origin.encode() for origin in doors.settings.segment.browser_origins)


def _metrics(doors: WebContext) -> Endpoint:
    """Return the endpoint that ignores what it is sent; what analytics.js sends there bears no write key."""
    write_keys, auth_disabled, trusted = (
        doors.settings.segment.write_keys,
        doors.auth_disabled,
        _origins(doors),
    )

    def admit(headers: Headers) -> None:
        if not write_keys:
            enter(headers, "segment.write_keys", auth_disabled=auth_disabled, trusted=trusted)

    async def handle(_body: bytes, _headers: Headers) -> Answer:
        return _SUCCESS

    return _open(doors, handle, admit)


def _endpoint(doors: WebContext, kind: str | None) -> Endpoint:
    write_keys, auth_disabled, trusted = (
        doors.settings.segment.write_keys,
        doors.auth_disabled,
        _origins(doors),
    )
    long, bounds = doors.long, doors.bounds

    def check(write_key: str | None) -> None:
        require(
            write_key,
            write_keys,
            missing="no write key: send it as the user of Basic authorization, or as `writeKey` in the body",
            wrong="the write key is not one of `segment.write_keys`",
        )

    def admit(headers: Headers) -> None:
        if not write_keys:
            enter(headers, "segment.write_keys", auth_disabled=auth_disabled, trusted=trusted)
        elif shown := _write_key(headers):
            check(shown)

    async def handle(body: bytes, headers: Headers) -> Answer:
        if write_keys and not _write_key(headers):
            check(webhook.write_key(body))
        now = doors.clock()
        if len(body) < long:
            await doors.ingest.receive(webhook.decode_batch(body, now, kind=kind), len(body))
        else:
            parts = await to_thread(webhook.batch_parts, body, now, bounds, kind=kind)
            await doors.ingest.receive_parts(parts)
        return _SUCCESS

    return _open(doors, handle, admit)


def _write_key(headers: Headers) -> str | None:
    """Return the user of Basic authorization; SDKs leave the password, and some the colon, away."""
    shown = basic(headers)
    return None if shown is None else shown.partition(":")[0].strip()

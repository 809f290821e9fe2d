"""Segment's HTTP tracking API, so that its SDKs can point here.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

from __future__ import annotations

from asyncio import to_thread

from adapter.sources import segment
from adapter.web.answers import Answer
from adapter.web.bodies import Headers
from adapter.web.credentials import basic, enter, require
from adapter.web.doors import Doors
from adapter.web.endpoints import Endpoint

KINDS = ("identify", "track", "page", "screen", "group", "alias")
#: What Segment's own servers answer, also for calls that they then discard.
_SUCCESS = Answer(200, b'{"success":true}')


def endpoints(doors: Doors) -> dict[str, Endpoint]:
    """Return the tracking endpoints by path; `import` is the batch of older SDKs."""
    paths = {f"/v1/{kind}": _endpoint(doors, kind) for kind in KINDS}
    batch = _endpoint(doors, None)
    return {**paths, "/v1/batch": batch, "/v1/import": batch}


def _endpoint(doors: Doors, kind: str | None) -> Endpoint:
    write_keys, unguarded = doors.settings.segment.write_keys, doors.unguarded
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
            enter(headers, "segment.write_keys", unguarded=unguarded)
        elif shown := _write_key(headers):
            check(shown)

    async def handle(body: bytes, headers: Headers) -> Answer:
        if write_keys and not _write_key(headers):
            check(segment.write_key(body))
        now = doors.clock()
        if len(body) < long:
            await doors.ingest.receive(segment.decode_batch(body, now, kind=kind), len(body))
        else:
            parts = await to_thread(segment.batch_parts, body, now, bounds, kind=kind)
            await doors.ingest.receive_parts(parts)
        return _SUCCESS

    return Endpoint("tracking", doors, handle, admit=admit)


def _write_key(headers: Headers) -> str | None:
    """Return the user of Basic authorization; SDKs leave the password, and some the colon, away."""
    shown = basic(headers)
    return None if shown is None else shown.partition(":")[0]

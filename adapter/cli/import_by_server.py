"""Imports through the server that has the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote, urlencode

import msgspec

from adapter.cli.server_client import ServerClient
from adapter.errors import Unavailable
from adapter.model.encoding import encode
from adapter.model.imports import ENDED, ImportJob, ImportKind, ImportOptions
from adapter.services.bulk.local import Source
from adapter.settings.values import Settings

#: Seconds between two looks at an import.
_INTERVAL = 0.5
#: How long the server may be away, as when it is restarted, before the command gives up.
_PATIENCE = 120


def reachable(settings: Settings) -> bool:
    """Tell whether the server answers."""
    return ServerClient(settings).is_there()


async def imported(
    settings: Settings,
    kind: ImportKind,
    wanted: ImportOptions,
    source: Source,
    report: Callable[[ImportJob], Awaitable[None]],
) -> ImportJob:
    """Upload a file, and wait until its import has ended; raises Refused and Unavailable."""
    client = ServerClient(settings)
    asked = {"kind": kind, "name": source.name, "options": encode(wanted).decode()}
    path = f"/v1/imports?{urlencode(asked)}"
    size = None if source.is_input else source.size
    found = await asyncio.to_thread(client.call, "POST", path, source.given().chunks(), size)
    missed = 0.0
    while True:
        job = msgspec.convert(found, ImportJob)
        await report(job)
        if job.state in ENDED:
            return job
        await asyncio.sleep(_INTERVAL)
        try:
            found = await asyncio.to_thread(client.call, "GET", f"/v1/imports/{quote(job.id, safe='')}")
            missed = 0
        except Unavailable:
            missed += _INTERVAL
            if missed > _PATIENCE:
                raise


async def write_refused(settings: Settings, job: ImportJob, beside: Path) -> None:
    """Write the refused rows of an import into a file."""
    client = ServerClient(settings)
    path = f"/v1/imports/{quote(job.id, safe='')}/refused-file"
    await asyncio.to_thread(_write, client, path, beside)


def _write(client: ServerClient, path: str, beside: Path) -> None:
    beside.touch(mode=0o600)
    with beside.open("wb") as file:
        for piece in client.pieces(path):
            file.write(piece)

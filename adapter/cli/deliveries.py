"""`adapter deliveries`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer

from adapter.cli.id_argument import all_in_utf8, in_utf8
from adapter.cli.open_store import existing, expect_readable
from adapter.cli.settings import AsJson, Config, Store, options, settled, stopped
from adapter.errors import AdapterError
from adapter.files.problems import did_you_mean
from adapter.model.deliveries import Delivery, Pause, Selection
from adapter.model.encoding import encode
from adapter.services.delivery.retries import Retried, retry_all
from adapter.settings.destinations.registry import Destinations
from adapter.store.engines import open_store
from adapter.store.postgres.engine import PostgresStore
from adapter.store.sqlite.engine import SqliteStore

EXAMPLES = """\b
Examples:
  adapter deliveries
  adapter deliveries --dead --destination webhook --json
  adapter deliveries --retry msg_2f6c9d0e4b7a41d8a5c3e1f09b8d7a62
  adapter deliveries --retry-all --destination webhook"""
_INSTEAD = "POST /v1/deliveries/retries"

T = TypeVar("T")
Dead = Annotated[bool, typer.Option("--dead", help="Only those that were given up.")]
Destination = Annotated[
    str | None,
    typer.Option("--destination", metavar="NAME", help="Only those for this destination.", callback=in_utf8),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many of a kind, oldest first.")]
Retry = Annotated[
    list[str] | None,
    typer.Option(
        "--retry",
        metavar="ID",
        help="Retry a dead one; may be given several times.",
        callback=all_in_utf8,
    ),
]
RetryAll = Annotated[bool, typer.Option("--retry-all", help="Have all dead ones wait again.")]


def deliveries(
    *,
    dead: Dead = False,
    destination: Destination = None,
    limit: Limit = 100,
    retry: Retry = None,
    retry_all: RetryAll = False,
    store: Store = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List the pushes that wait and those that were given up, or have dead ones wait again.

    A list may be asked for while a server runs. It names the destinations that asked for a pause; --retry-all
    ends these pauses too. With the SQLite store, stop the server before a retry, or ask it:
    POST /v1/deliveries/retries
    """
    if retry and retry_all:
        raise typer.BadParameter("leave out either --retry or --retry-all", param_hint="--retry-all")
    url = settled(config, options(store)).store.url
    if retry or retry_all:
        _tell_retried(_finished(_retried(url, retry, destination)), retry, as_json=as_json)
        return
    found, paused = _finished(_found(url, ["dead"] if dead else ["due", "dead"], destination, limit))
    if as_json:
        ends = {pause.destination: pause.until for pause in paused}
        typer.echo(encode([_plain(one, ends.get(one.destination)) for one in found]))
        return
    for pause in paused:
        typer.echo(f"{pause.destination} is paused until {_moment(pause.until)}: {pause.reason}")
    for one in found:
        typer.echo(_line(one))
    if not found:
        typer.echo(f"adapter: no delivery {'is dead' if dead else 'waits or is dead'}", err=True)


def _finished(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except AdapterError as error:
        raise stopped(error, _INSTEAD) from None


async def _found(
    url: str, statuses: list[str], destination: str | None, limit: int
) -> tuple[list[Delivery], list[Pause]]:
    await expect_readable(url)
    store = open_store(url)
    await _expect_known(store, destination)
    found = [one for status in statuses for one in await store.deliveries(status, limit, destination)]
    return found, _of(await store.pauses(datetime.now(UTC)), destination)


async def _retried(url: str, ids: Sequence[str] | None, destination: str | None) -> Retried:
    """Have dead deliveries wait again; where some are named, pauses stay and are returned all the same."""
    now = datetime.now(UTC)
    async with existing(url) as store:
        await _expect_known(store, destination)
        if not ids:
            return await retry_all(store, now, destination)
        revived = await store.revive(now, Selection(ids=tuple(ids), destination=destination))
        return Retried(revived, _of(await store.pauses(now), destination))


def _of(pauses: list[Pause], destination: str | None) -> list[Pause]:
    return [pause for pause in pauses if destination in (None, pause.destination)]


async def _expect_known(store: SqliteStore | PostgresStore, destination: str | None) -> None:
    """Refuse a destination that neither the settings nor the store know: its answer would be nothing."""
    names = Destinations.__struct_fields__
    if destination is None or destination in names:
        return
    for status in ("due", "dead", "done"):
        if await store.deliveries(status, 1, destination):
            return
    message = f"no destination is named `{destination}`, and no delivery in the store is for it"
    remedy = did_you_mean(destination, names)
    raise typer.BadParameter("; ".join(filter(None, (message, remedy))), param_hint="--destination")


def _tell_retried(retried: Retried, ids: Sequence[str] | None, *, as_json: bool) -> None:
    """Tell how many wait again, and of pauses; exit code 1 when one that was named is not dead."""
    count = retried.retried
    if as_json:
        typer.echo(encode({"retried": count, "paused" if ids else "resumed": retried.resumed}))
    else:
        typer.echo(f"{count} {'delivery waits' if count == 1 else 'deliveries wait'} again")
        state = "is paused until" if ids else "is sent to again; it was paused until"
        for pause in retried.resumed:
            typer.echo(f"{pause.destination} {state} {_moment(pause.until)}: {pause.reason}")
    if ids and count < len(set(ids)):
        typer.echo(f"adapter: {len(set(ids)) - count} of those named are not dead deliveries", err=True)
        raise typer.Exit(1)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _plain(delivery: Delivery, paused_until: datetime | None) -> dict[str, object]:
    """Return what an operator needs, and not the body: it holds a code."""
    return {
        "id": delivery.id,
        "status": delivery.status,
        "destination": delivery.destination,
        "type": delivery.type,
        "source_id": delivery.source_id,
        "attempts": delivery.tries,
        "created_at": delivery.created_at,
        "next_at": delivery.due_at if delivery.status == "due" else None,
        "paused_until": paused_until,
        "last_error": delivery.last_error,
    }


def _line(delivery: Delivery) -> str:
    attempts = f"{delivery.tries} attempt{'s' * (delivery.tries != 1)}"
    state = f"next at {_moment(delivery.due_at)}" if delivery.status == "due" else "dead"
    head = f"{delivery.id} {delivery.type} of {delivery.source_id} to {delivery.destination}"
    return f"{head}: {state}, {attempts}" + (f", {delivery.last_error}" if delivery.last_error else "")

"""`adapter quarantine`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
import typer
from msgspec.structs import asdict

from adapter.cli.open_store import existing
from adapter.cli.server_client import ServerClient
from adapter.cli.settings import AsJson, Config, Store, options, settled, stopped
from adapter.cli.source_option import source_option
from adapter.errors import AdapterError, StoreInUse
from adapter.model.encoding import encode
from adapter.model.quarantine import Excerpt
from adapter.model.times import parse_timestamp
from adapter.services.quarantine_removal import QuarantineRemoved, RemovalFilter, remove
from adapter.settings.values import Settings

EXAMPLES = """\b
Examples:
  adapter quarantine list
  adapter quarantine delete --because "no source_id" --reason "test traffic of the old app" --dry-run
  adapter quarantine delete --source mparticle --before 2026-11-01T00:00:00Z --reason "before the go-live"
  adapter quarantine delete --all --reason "load test\""""

commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None,
    help="Messages that could not be mapped or decided: list them, or delete those that are of no use.",
)  # fmt: skip
_MOST = 100

Reason = Annotated[str, typer.Option("--reason", help="Why they are deleted; the log keeps it.")]
Ids = Annotated[list[int] | None, typer.Option("--id", metavar="ID", help="Only this entry; repeatable.")]
Source = Annotated[str | None, source_option("Only messages of this source.")]
Because = Annotated[
    str | None, typer.Option("--because", metavar="TEXT", help="Only those whose reason contains this text.")
]
Before = Annotated[
    str | None, typer.Option("--before", metavar="TIME", help="Only those received before, with a zone.")
]
All = Annotated[bool, typer.Option("--all", help="All of them; needs no other filter.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count what would be deleted.")]


@commands.command("list", epilog=EXAMPLES)
def list_entries(*, store: Store = None, config: Config = None, as_json: AsJson = False) -> None:
    """List the latest quarantined messages, at most 100, with their reasons."""
    settings = settled(config, options(store))
    try:
        found = asyncio.run(_listed(settings))
    except AdapterError as error:
        raise stopped(error, "GET /v1/quarantine") from None
    if as_json:
        typer.echo(encode({"quarantined": found}))
        return
    for one in found:
        typer.echo(f"{one.id} {one.received_at:%Y-%m-%d %H:%M:%S} {one.source} {one.key}: {one.reason}")
    latest = ", the latest" if len(found) == _MOST else ""
    typer.echo(f"{len(found)} message{'s' * (len(found) != 1)}{latest}")


@commands.command(epilog=EXAMPLES)
def delete(
    *,
    reason: Reason,
    ids: Ids = None,
    source: Source = None,
    because: Because = None,
    before: Before = None,
    everything: All = False,
    dry_run: DryRun = False,
    store: Store = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Delete quarantined messages that will never be replayed, by filter, and with a reason.

    Beside a running server that has the SQLite store, the server does the work.
    """
    settings = settled(config, options(store))
    which = RemovalFilter(frozenset(ids or ()), source, because, _moment(before), everything)
    try:
        done = asyncio.run(_removed(settings, which, reason, dry_run=dry_run))
    except AdapterError as error:
        raise stopped(error, "POST /v1/quarantine/removals") from None
    if as_json:
        typer.echo(encode(done))
        return
    for why, count in sorted(done.reasons.items(), key=lambda each: -each[1]):
        typer.echo(f"{count:>7} {why}")
    typer.echo(f"{done.removed} {'would be deleted' if done.dry_run else 'deleted'}")


def _moment(text: str | None) -> datetime | None:
    found = parse_timestamp(text)
    if text is not None and found is None:
        raise typer.BadParameter(f"`{text}` is no time; write it as 2026-11-01T00:00:00Z")
    return found


async def _listed(settings: Settings) -> Sequence[Excerpt]:
    try:
        async with existing(settings.store.url) as store:
            return await store.latest_quarantined(limit=_MOST)
    except StoreInUse:
        found = await asyncio.to_thread(_client(settings).call, "GET", "/v1/quarantine")
        return [msgspec.json.decode(encode(one), type=Excerpt) for one in found["quarantined"]]


async def _removed(
    settings: Settings, which: RemovalFilter, reason: str, *, dry_run: bool
) -> QuarantineRemoved:
    try:
        async with existing(settings.store.url) as store:
            return await remove(store, which, reason, dry_run=dry_run)
    except StoreInUse:
        body = encode({**asdict(which), "ids": sorted(which.ids), "reason": reason, "dry_run": dry_run})
        found = await asyncio.to_thread(_client(settings).call, "POST", "/v1/quarantine/removals", body)
        return msgspec.convert(found, QuarantineRemoved)


def _client(settings: Settings) -> ServerClient:
    client = ServerClient(settings)
    if not client.is_there():
        raise StoreInUse("another process has the store, and no server answers where the settings say")
    return client

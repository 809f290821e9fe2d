"""`adapter replay`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import msgspec
import typer
from msgspec import Raw
from msgspec.structs import asdict, replace

from adapter import app
from adapter.cli.open_store import expect_readable
from adapter.cli.server_client import ServerClient
from adapter.cli.settings import AsJson, Config, Mappings, Rules, Store, options, settled, stopped
from adapter.cli.source_option import source_option
from adapter.errors import AdapterError, StoreInUse
from adapter.model.encoding import encode
from adapter.services.replay import ReplayOptions, Shown, shown
from adapter.services.replay import replay as replaying
from adapter.settings.values import Settings

EXAMPLES = """\b
Examples:
  adapter replay --dry-run
  adapter replay
  adapter replay --source segment --id 12 --id 15
  adapter replay --drop-ignored"""

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be mapped now; store nothing.")]

DropIgnored = Annotated[
    bool, typer.Option("--drop-ignored", help="Delete messages that no mapping takes; else they stay.")
]
Ids = Annotated[
    list[int] | None, typer.Option("--id", metavar="ID", help="Only the entry of this id; may be repeated.")
]
Source = Annotated[str | None, source_option("Only messages of this source.")]


def replay(
    *,
    dry_run: DryRun = False,
    drop_ignored: DropIgnored = False,
    ids: Ids = None,
    source: Source = None,
    store: Store = None,
    mappings: Mappings = None,
    rules: Rules = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Send quarantined messages through mappings and rules again; exit code 1 while some stay.

    Beside a running server that has the SQLite store, the server does the work.
    """
    settings = settled(config, options(store, mappings, rules))
    wish = ReplayOptions(frozenset(ids or ()), source, dry_run, drop_ignored)
    try:
        replayed = asyncio.run(_replayed(settings, wish, as_json=as_json))
    except AdapterError as error:
        raise stopped(error, "POST /v1/quarantine/replays") from None
    if not as_json:
        for one in replayed:
            typer.echo(f"{one.id} {one.source} {one.key}: {one.outcome}{_why(one)}")
        typer.echo(_summary(replayed, dry_run=dry_run))
    if _remarked(replayed, wish) or any(one.stays for one in replayed):
        raise typer.Exit(1)


async def _replayed(settings: Settings, wish: ReplayOptions, *, as_json: bool) -> list[Shown]:
    """Return what was replayed, without the documents: as JSON it is written one by one."""
    try:
        return await _shown(_by_store(settings, wish), as_json=as_json)
    except StoreInUse:
        client = ServerClient(settings)
        if not client.is_there():
            raise
        return await _shown(_by_server(client, wish), as_json=as_json)


async def _shown(replayed: AsyncIterator[Shown], *, as_json: bool) -> list[Shown]:
    found: list[Shown] = []
    async for one in replayed:
        if as_json:
            comma = "," if found else "["
            typer.echo(comma + encode(_plain(one)).decode(), nl=False)
        found.append(replace(one, document=Raw(b"null")))
    if as_json:
        typer.echo("]" if found else "[]")
    return found


async def _by_store(settings: Settings, wish: ReplayOptions) -> AsyncIterator[Shown]:
    await expect_readable(settings.store.url)
    composed = app.compose(settings)
    async with composed.working():
        async for one in replaying(composed.store, composed.ingest, wish, composed.operations):
            yield shown(one)


async def _by_server(client: ServerClient, wish: ReplayOptions) -> AsyncIterator[Shown]:
    body = encode({**asdict(wish), "ids": sorted(wish.ids)})
    found = await asyncio.to_thread(client.call, "POST", "/v1/quarantine/replays", body)
    for one in found["replayed"]:
        yield msgspec.json.decode(encode(one), type=Shown)


def _summary(replayed: Sequence[Shown], *, dry_run: bool) -> str:
    left = [one for one in replayed if not one.stays]
    dropped = sum(1 for one in left if one.outcome == "ignored")
    told = f"{len(left) - dropped} of {len(replayed)} messages {'would pass' if dry_run else 'passed'}"
    return told + (f", {dropped} {'would be ' if dry_run else ''}dropped" if dropped else "")


def _remarked(replayed: Sequence[Shown], wish: ReplayOptions) -> bool:
    """Tell on standard error what was not found or is not taken; return whether an entry was not found."""
    absent = wish.ids - {one.id for one in replayed}
    for missing in sorted(absent):
        typer.echo(f"adapter: there is no entry {missing} in quarantine", err=True)
    ignored = {one.source for one in replayed if one.stays and one.outcome == "ignored"}
    if ignored and wish.drop_ignored:
        told = f"there are no mappings of {' and '.join(sorted(ignored))} here, so nothing of it was dropped"
        typer.echo(f"adapter: {told}; name the right folder with --mappings", err=True)
    elif ignored:
        told = "messages that no mapping takes stay; add a mapping that takes them"
        typer.echo(f"adapter: {told}, or delete them with --drop-ignored", err=True)
    return bool(absent)


def _plain(replayed: Shown) -> dict[str, object]:
    return {name: getattr(replayed, name) for name in replayed.__struct_fields__ if name != "stays"}


def _why(replayed: Shown) -> str:
    return f" ({replayed.reason})" if replayed.reason else ""

"""`adapter replay`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from adapter import app
from adapter.cli.settings import AsJson, Config, Mappings, Rules, Store, options, settled, stopped
from adapter.errors import AdapterError
from adapter.model.encoding import encode
from adapter.services.replay import Replayed
from adapter.services.replay import replay as replaying
from adapter.settings.values import Settings

EXAMPLES = """\b
Examples:
  adapter replay --dry-run
  adapter replay"""

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be mapped now; store nothing.")]


def replay(
    *,
    dry_run: DryRun = False,
    store: Store = None,
    mappings: Mappings = None,
    rules: Rules = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Send quarantined messages through mappings and rules again; exit code 1 while some stay.

    With the SQLite store, stop the server first: one process may write.
    """
    settings = settled(config, options(store, mappings, rules))
    try:
        replayed = asyncio.run(_replayed(settings, dry_run=dry_run))
    except AdapterError as error:
        raise stopped(error) from None
    stay = sum(1 for one in replayed if one.result.outcome == "quarantined")
    if as_json:
        typer.echo(encode([{"id": one.entry.id, **_plain(one)} for one in replayed]))
    else:
        for one in replayed:
            typer.echo(f"{one.entry.id} {one.entry.source} {one.entry.key}: {one.result.outcome}{_why(one)}")
        typer.echo(
            f"{len(replayed) - stay} of {len(replayed)} messages {'would pass' if dry_run else 'passed'}"
        )
    if stay:
        raise typer.Exit(1)


async def _replayed(settings: Settings, *, dry_run: bool) -> list[Replayed]:
    composed = app.compose(settings)
    async with composed.running():
        return [one async for one in replaying(composed.store, composed.ingest, dry_run=dry_run)]


def _plain(replayed: Replayed) -> dict[str, object]:
    return {
        "source": replayed.entry.source,
        "key": replayed.entry.key,
        "was": replayed.entry.reason,
        "outcome": replayed.result.outcome,
        "reason": replayed.result.reason,
        "discounts": replayed.result.discounts,
        "document": replayed.entry.document,
    }


def _why(replayed: Replayed) -> str:
    return f" ({replayed.result.reason})" if replayed.result.reason else ""

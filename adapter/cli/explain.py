"""`adapter explain`."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import quote

import typer

from adapter.app import check_files
from adapter.cli import ids
from adapter.cli.existing import existing
from adapter.cli.settings import AsJson, Config, Rules, Store, options, settled, stopped
from adapter.errors import AdapterError
from adapter.model.decisions import Decision
from adapter.model.encoding import encode
from adapter.rules.explain import explain
from adapter.store.contract import Store as Reading

EXAMPLES = """\b
Examples:
  adapter explain user_123
  adapter explain user_123 --event evt_789"""

SourceId = Annotated[str, typer.Argument(help="The customer's source_id.", callback=ids.of_a_customer)]
Event = Annotated[
    str | None,
    typer.Option("--event", metavar="ID", help="Only what was decided on this event.", callback=ids.in_utf8),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many decisions, newest first.")]


def decisions(
    *,
    source_id: SourceId,
    event: Event = None,
    limit: Limit = 10,
    store: Store = None,
    rules: Rules = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say why each rule issued a discount to a customer, or did not; exit code 1 when nothing is known.

    With the SQLite store, stop the server first, or ask it: GET /v1/decisions?source_id=...
    """
    settings = settled(config, options(store, rules=rules))
    try:
        found = asyncio.run(_found(settings.store.url, source_id, event, limit))
    except AdapterError as error:
        raise stopped(error, f"GET /v1/decisions?source_id={quote(source_id, safe='')}") from None
    _, book, _ = check_files(settings.files)
    if book is not None:
        found = [book.complete(decision) for decision in found]
    if as_json:
        typer.echo(encode(found))
    elif found:
        typer.echo("\n\n".join("\n  ".join(explain(decision)) for decision in found))
    else:
        typer.echo(f"adapter: nothing was decided for `{source_id}`", err=True)
    if not found:
        raise typer.Exit(1)


async def _found(url: str, source_id: str, event: str | None, limit: int) -> list[Decision]:
    async with existing(url) as store:
        found = await _latest(store, source_id, 1000 if event else limit)
    return [decision for decision in found if event in (None, decision.event_id)][:limit]


async def _latest(store: Reading, source_id: str, most: int) -> list[Decision]:
    page = await store.decisions(source_id, most)
    found = list(page)
    while page.next is not None and len(found) < most:
        page = await store.decisions(source_id, most - len(found), page.next)
        found += page
    return found

"""`adapter tail`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from msgspec import Raw

from adapter.cli.open_store import expect_readable
from adapter.cli.remap import since as moment
from adapter.cli.settings import AsJson, Config, Store, options, settled, stopped
from adapter.cli.source_option import source_option
from adapter.errors import AdapterError
from adapter.model.encoding import encode
from adapter.model.journal import JournalEntry, JournalOutcome
from adapter.model.spelling import spelling
from adapter.services.arrivals.filters import MessageFilter, head_of
from adapter.services.arrivals.following import arrivals
from adapter.settings.values import Settings
from adapter.store.engines import open_store

EXAMPLES = """\b
Examples:
  adapter tail
  adapter tail --outcome quarantined --outcome refused
  adapter tail --event "Order Completed" --customer user_123 --json
  adapter tail --since 1h --no-follow"""

_PAUSE = 1.0

Source = Annotated[str | None, source_option("Only messages of this source.")]
Outcomes = Annotated[
    list[str] | None,
    typer.Option("--outcome", metavar="OUTCOME", help="Only messages with this outcome; may be repeated."),
]
Event = Annotated[str | None, typer.Option("--event", metavar="NAME", help="Only events of this name.")]
CustomerId = Annotated[
    str | None, typer.Option("--customer", metavar="ID", help="Only messages with this id.")
]
Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Begin in the past: 30m, 12h, 1d, or a time.")
]
Follow = Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for further messages, or end.")]
Count = Annotated[int | None, typer.Option("--count", min=1, help="End after so many messages.")]


def tail(
    *,
    source: Source = None,
    outcomes: Outcomes = None,
    event: Event = None,
    customer: CustomerId = None,
    since: Since = None,
    follow: Follow = True,
    count: Count = None,
    store: Store = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show messages as they arrive, with their outcomes and reasons, until Ctrl+C.

    It reads the journal in the store, also beside a running server, so `journal.days` must not be 0.
    """
    known = JournalOutcome.__args__  # type: ignore[attr-defined]
    if unknown := set(outcomes or ()) - set(known):
        raise typer.BadParameter(f"`{unknown.pop()}` is no outcome: {', '.join(known)}")
    settings = settled(config, options(store))
    start = None if since is None else moment(since, datetime.now(UTC))
    wanted = MessageFilter(
        sources=frozenset(() if source is None else (source,)),
        outcomes=frozenset(outcomes or ()),
        events=frozenset(() if event is None else (spelling(event),)),
        customer=customer or "",
        since=start,
    )
    shown = _json if as_json else _line
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(
                _tail(settings, wanted, follow=follow, most=count, show=lambda one: typer.echo(shown(one)))
            )
    except AdapterError as error:
        raise stopped(error) from None


async def _tail(
    settings: Settings,
    wanted: MessageFilter,
    *,
    follow: bool,
    most: int | None,
    show: Callable[[JournalEntry], None],
) -> None:
    await expect_readable(settings.store.url)
    if follow:
        typer.echo("waiting for messages, until Ctrl+C", err=True)
    store, left = open_store(settings.store.url), most
    try:
        async for entry in arrivals(store, wanted, _PAUSE if follow else None):
            show(entry)
            left = None if left is None else left - 1
            if left == 0:
                return
    finally:
        await store.close()


def _line(entry: JournalEntry) -> str:
    kind, event = head_of(entry)
    who = next(iter(entry.names), "")
    said = f"{entry.received_at:%H:%M:%S} {entry.source:<9} {entry.outcome:<11} {kind} {event or '-'} {who}"
    text = f"{said.rstrip()}  {entry.message_id}" + (f"  ({entry.reason})" if entry.reason else "")
    return "".join(character if character.isprintable() else "?" for character in text)


def _json(entry: JournalEntry) -> str:
    kind, event = head_of(entry)
    shown: dict[str, Any] = {
        "received_at": entry.received_at, "source": entry.source, "outcome": entry.outcome,
        "reason": entry.reason or None, "type": kind, "event": event, "message_id": entry.message_id,
        "ids": sorted(entry.names), "document": Raw(entry.document),
    }  # fmt: skip
    return encode(shown).decode()

"""`adapter explain`."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import quote

import typer
from msgspec import Struct

from adapter.cli import explain_by_server, id_argument
from adapter.cli.open_store import existing
from adapter.cli.server_client import ServerClient
from adapter.cli.settings import AsJson, Config, Rules, Store, options, settled, stopped
from adapter.errors import AdapterError, StoreInUse
from adapter.model.decisions import Decision
from adapter.model.encoding import encode
from adapter.model.ignored import Ignored
from adapter.model.quarantine import Unmapped, unmapped
from adapter.rules.engine.conditions import NearMiss
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.engine.sentences import explain
from adapter.services.loaded_files import check_files
from adapter.settings.values import Settings
from adapter.store.contract import Store as Reading

EXAMPLES = """\b
Examples:
  adapter explain user_123
  adapter explain user_123 --event evt_789"""

#: Of so many rules what was missing is shown, for each decision.
_MISSED = 10
#: So many names of ignored messages are shown.
_IGNORED = 20
SourceId = Annotated[
    str, typer.Argument(help="The customer's source_id.", callback=id_argument.of_a_customer)
]
Event = Annotated[
    str | None,
    typer.Option(
        "--event", metavar="ID", help="Only what was decided on this event.", callback=id_argument.in_utf8
    ),
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

    Beside a running server that has the SQLite store, the server is asked.
    """
    settings = settled(config, options(store, rules=rules))
    try:
        known = asyncio.run(_known(settings, source_id, event, limit))
    except AdapterError as error:
        raise stopped(error, f"GET /v1/decisions?source_id={quote(source_id, safe='')}") from None
    book = check_files(settings.files).rules
    if book is not None:
        known.decisions = [book.complete(decision) for decision in known.decisions]
        known.near_misses = [miss for each in known.decisions for miss in _near_misses(book, each)]
    if as_json:
        typer.echo(encode(known))
    else:
        _tell(known, source_id)
    if not known.decisions and not known.quarantined:
        raise typer.Exit(1)


class Missed(Struct):
    """What one rule lacked for one decision: its comparisons with numbers that do not hold."""

    event_id: str
    event: str
    rule: str
    missing: list[NearMiss]


class Known(Struct):
    """Why a customer got something or nothing; `ignored` is what no mapping takes, of all customers.

    `near_misses` are of the decisions that the rule files in force have made.
    """

    decisions: list[Decision]
    quarantined: list[Unmapped]
    ignored: list[Ignored]
    near_misses: list[Missed] = []


def _near_misses(book: RuleSet, decision: Decision) -> list[Missed]:
    missed = book.near_misses(decision)
    return [Missed(decision.event_id, decision.event, rule, missing) for rule, missing in missed.items()]


def _tell(known: Known, source_id: str) -> None:
    parts = ["\n  ".join([*explain(each), *_missing(each, known)]) for each in known.decisions]
    parts += [
        f"message {each.key} of {each.source}, received at {each.received_at:%Y-%m-%d %H:%M:%S} UTC\n"
        f"  waits in quarantine ({each.id}): {each.reason}"
        for each in known.quarantined
    ]
    if parts:
        typer.echo("\n\n".join(parts))
    else:
        typer.echo(f"adapter: nothing was decided for `{source_id}`", err=True)
    if known.ignored:
        typer.echo("\n  ".join(["\nno mapping takes, of all customers:", *map(_ignored, known.ignored)]))


def _missing(decision: Decision, known: Known) -> list[str]:
    """Return a line for each of a decision's first rules that says what was missing."""
    missed = [
        each
        for each in known.near_misses
        if (each.event_id, each.event) == (decision.event_id, decision.event)
    ]
    return [
        f"missing for {each.rule}: {'; '.join(miss.sentence for miss in each.missing)}"
        for each in missed[:_MISSED]
    ]


def _ignored(each: Ignored) -> str:
    event = f" `{each.event}`" if each.event else ""
    times = f"{each.count} times" if each.count > 1 else "once"
    return (
        f"{each.source} {each.type or 'others'}{event}: {times}, last at {each.last_at:%Y-%m-%d %H:%M:%S} UTC"
    )


async def _known(settings: Settings, source_id: str, event: str | None, limit: int) -> Known:
    try:
        return await _stored(settings.store.url, source_id, event, limit)
    except StoreInUse:
        client = ServerClient(settings)
        if not client.is_there():
            raise
        return _told_by(client, source_id, event, limit)


def _told_by(client: ServerClient, source_id: str, event: str | None, limit: int) -> Known:
    found = explain_by_server.decisions(client, source_id, event, limit)
    if event is not None:
        return Known(found, [], [])
    return Known(
        found,
        explain_by_server.quarantined(client, source_id, limit),
        explain_by_server.ignored(client, _IGNORED),
    )


async def _stored(url: str, source_id: str, event: str | None, limit: int) -> Known:
    async with existing(url) as store:
        found = await _latest(store, source_id, 1000 if event else limit)
        found = [decision for decision in found if event in (None, decision.event_id)][:limit]
        if event is not None:
            return Known(found, [], [])
        quarantined = await store.quarantined_of(source_id, limit)
        return Known(found, [unmapped(each) for each in quarantined], await store.ignored(_IGNORED))


async def _latest(store: Reading, source_id: str, most: int) -> list[Decision]:
    page = await store.decisions(source_id, most)
    found = list(page)
    while page.next is not None and len(found) < most:
        page = await store.decisions(source_id, most - len(found), page.next)
        found += page
    return found

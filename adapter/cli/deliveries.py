"""`adapter deliveries`: what waits to be pushed and what was given up, and what an operator does about it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer

from adapter.cli.id_argument import all_in_utf8, in_utf8
from adapter.cli.open_store import existing, expect_readable
from adapter.cli.settings import AsJson, Config, Store, options, settled, stopped
from adapter.destinations.registry import built
from adapter.errors import AdapterError
from adapter.files.problems import did_you_mean
from adapter.model.deliveries import DEAD, UNSENT, Delivery, DeliveryStatus, PastAttempt, Selection
from adapter.model.encoding import encode
from adapter.services.delivery import retries
from adapter.services.delivery.retries import Pushed, Retried
from adapter.services.delivery.shown import Rest, ShownDelivery, ends, rests, shown
from adapter.services.read_timeout import ReadTimeout
from adapter.services.support.latest_deliveries import WantedDeliveries, latest
from adapter.settings.destinations.registry import Destinations
from adapter.settings.values import Settings
from adapter.store.engines import open_store
from adapter.store.postgres.engine import PostgresStore
from adapter.store.sqlite.engine import SqliteStore

EXAMPLES = """\b
Examples:
  adapter deliveries
  adapter deliveries --dead --destination webhook --json
  adapter deliveries --all --destination webhook --since 2026-11-21
  adapter deliveries --code HV15-XFHW652R --attempts
  adapter deliveries --attempts --error 500 --since 2026-11-21T12:00
  adapter deliveries --retry-all --destination webhook
  adapter deliveries retry msg_2f6c9d0e4b7a41d8a5c3e1f09b8d7a62
  adapter deliveries retry --now --type discount.issued --error "answered 503"
  adapter deliveries resume webhook
  adapter deliveries test webhook"""
_INSTEAD = "POST /v1/deliveries/retries"

#: Maximum time of one read; a command can wait longer than a request.
_PATIENCE = ReadTimeout(600)
T = TypeVar("T")
commands = typer.Typer(
    invoke_without_command=True, rich_markup_mode=None,
    help="List the pushes that wait and those that were given up, and have them sent again.",
)  # fmt: skip
_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]

Dead = Annotated[bool, typer.Option("--dead", help="Only those that were given up.")]
Delivered = Annotated[
    bool, typer.Option("--delivered", help="Only those that were made, of one destination, newest first.")
]
All = Annotated[
    bool, typer.Option("--all", help="Those that were made too, of one destination, newest first.")
]
Customer = Annotated[
    str | None,
    typer.Option("--customer", metavar="ID", help="All of this customer, newest first.", callback=in_utf8),
]
Code = Annotated[
    str | None, typer.Option("--code", help="All about this discount, newest first.", callback=in_utf8)
]
Destination = Annotated[
    str | None,
    typer.Option("--destination", metavar="NAME", help="Only those for this destination.", callback=in_utf8),
]
Type = Annotated[
    str | None, typer.Option("--type", help="Only events of this type: discount.issued.", callback=in_utf8)
]
Error = Annotated[
    str | None, typer.Option("--error", help="Only those whose last error has this text.", callback=in_utf8)
]
Since = Annotated[
    datetime | None,
    typer.Option("--since", formats=_TIMES, help="Only those made at this time (UTC) or later."),
]
Until = Annotated[
    datetime | None, typer.Option("--until", formats=_TIMES, help="Only those made before this time (UTC).")
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many of a kind, oldest first.")]
Attempts = Annotated[bool, typer.Option("--attempts", help="Show the attempts of each, with the answers.")]
Retry = Annotated[
    list[str] | None,
    typer.Option(
        "--retry",
        metavar="ID",
        help="Retry a dead one; may be given several times.",
        callback=all_in_utf8,
    ),
]
RetryAll = Annotated[bool, typer.Option("--retry-all", help="Have all of them wait no longer; ends pauses.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Only these.", callback=all_in_utf8)]
Now = Annotated[bool, typer.Option("--now", help="Also those that wait for their next attempt.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The destination.", callback=in_utf8)]


@commands.callback()
def deliveries(
    context: typer.Context,
    *,
    dead: Dead = False,
    delivered: Delivered = False,
    every: All = False,
    customer: Customer = None,
    code: Code = None,
    destination: Destination = None,
    type_: Type = None,
    error: Error = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    attempts: Attempts = False,
    retry: Retry = None,
    retry_all: RetryAll = False,
    store: Store = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List the pushes that wait and those that were given up, or have them sent again.

    With --delivered, --all, --customer or --code it lists also those that were made.

    A list may be asked for while a server runs. It names the destinations that receive nothing now, with the
    end of that; --retry-all ends it too. With the SQLite store, stop the server before a retry, or ask it:
    POST /v1/deliveries/retries
    """
    if context.invoked_subcommand is not None:
        return
    if retry and retry_all:
        raise typer.BadParameter("leave out either --retry or --retry-all", param_hint="--retry-all")
    url = settled(config, options(store)).store.url
    selection = _selection(None, destination, type_, error, (since, until))
    if retry or retry_all:
        _tell_retried(_finished(_retried(url, retry, destination)), retry, as_json=as_json)
        return
    statuses: list[DeliveryStatus] = ["dead"] if dead else ["due", "dead"]
    if delivered or every or customer or code:
        status = _one_status(dead=dead, delivered=delivered)
        wanted = WantedDeliveries(
            status=status, customer=customer or "", code=code or "", selection=selection
        )
        found, resting = _finished(_latest(url, wanted, limit))
    else:
        found, resting = _finished(_found(url, statuses, selection, limit))
    if as_json:
        typer.echo(encode(found))
        return
    _show(found, resting, attempts=attempts)
    if not found:
        any_status = bool(delivered or every or customer or code)
        typer.echo(f"adapter: {_nothing(dead=dead, any_status=any_status)}", err=True)


def _show(found: Sequence[ShownDelivery], resting: Sequence[Rest], *, attempts: bool) -> None:
    """Print the destinations that receive nothing now, and a line for each delivery."""
    for rest in resting:
        typer.echo(_rest_line(rest))
    for one in found:
        typer.echo(_line(one))
        for attempt in one.history if attempts else ():
            typer.echo(f"  {_attempt_line(attempt)}")


@commands.command("retry")
def retry_selected(
    *,
    ids: Ids = None,
    destination: Destination = None,
    type_: Type = None,
    error: Error = None,
    since: Since = None,
    until: Until = None,
    now: Now = False,
    store: Store = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Have selected dead deliveries sent again, with ten new attempts; with --now, waiting ones too.

    Pauses and breakers go on: `adapter deliveries resume NAME` ends them.
    """
    url = settled(config, options(store)).store.url
    selection = _selection(ids, destination, type_, error, (since, until))
    done = _finished(_revived(url, selection, UNSENT if now else DEAD))
    _tell_retried(done, ids if not now else None, as_json=as_json, paused=True)


@commands.command()
def resume(name: Name, *, store: Store = None, config: Config = None, as_json: AsJson = False) -> None:
    """End the pause of a destination, close its breaker, and send at once what waits for it."""
    url = settled(config, options(store)).store.url
    _tell_retried(_finished(_resumed(url, name)), None, as_json=as_json)


@commands.command("test")
def push_a_test(name: Name, *, config: Config = None, as_json: AsJson = False) -> None:
    """Send a test push to a destination, and show what it answers; the exit code is 1 if it fails."""
    pushed = _finished(_tested(settled(config, options()), name))
    if as_json:
        typer.echo(encode(pushed))
    else:
        status = "no answer" if pushed.status is None else f"it answered {pushed.status}"
        typer.echo(
            f"{name}: {'accepted' if pushed.ok else 'failed'}, {status if pushed.ok else pushed.error}"
        )
        if pushed.answer:
            typer.echo(pushed.answer)
    if not pushed.ok:
        raise typer.Exit(1)


def _finished(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except AdapterError as error:
        raise stopped(error, _INSTEAD) from None


def _selection(
    ids: Sequence[str] | None,
    destination: str | None,
    type_: str | None,
    error: str | None,
    span: tuple[datetime | None, datetime | None],
) -> Selection:
    since, until = (None if at is None else at.replace(tzinfo=UTC) for at in span)
    return Selection(
        ids=tuple(ids) if ids else None,
        destination=destination,
        type=type_,
        error=error,
        since=since,
        until=until,
    )


async def _found(
    url: str, statuses: Iterable[DeliveryStatus], selection: Selection, limit: int
) -> tuple[list[ShownDelivery], list[Rest]]:
    await expect_readable(url)
    store = open_store(url)
    await _expect_known(store, selection.destination)
    resting = _of(await rests(store, datetime.now(UTC)), selection.destination)
    until = ends(resting)
    found = [
        shown(one, until.get(one.destination))
        for status in statuses
        for one in await store.deliveries(status, limit, selection=selection)
    ]
    return found, resting


async def _latest(url: str, wanted: WantedDeliveries, limit: int) -> tuple[list[ShownDelivery], list[Rest]]:
    """Return the latest deliveries of a destination, a customer or a discount, whatever became of them."""
    await expect_readable(url)
    store = open_store(url)
    destination = wanted.selection.destination
    await _expect_known(store, destination)
    resting = _of(await rests(store, datetime.now(UTC)), destination)
    until, found, after = ends(resting), list[Delivery](), None
    while True:
        page = await latest(store, _PATIENCE, wanted, after=after, most=limit - len(found))
        found += page.deliveries
        after = page.next
        if after is None or len(found) >= limit:
            return [shown(one, until.get(one.destination)) for one in found[:limit]], resting


def _one_status(*, dead: bool, delivered: bool) -> DeliveryStatus | None:
    if dead and delivered:
        raise typer.BadParameter("leave out either --dead or --delivered", param_hint="--delivered")
    return "dead" if dead else "done" if delivered else None


def _nothing(*, dead: bool, any_status: bool) -> str:
    if any_status:
        return "there is no such delivery"
    return f"no delivery {'is dead' if dead else 'waits or is dead'}"


async def _retried(url: str, ids: Sequence[str] | None, destination: str | None) -> Retried:
    """Have deliveries wait no longer; where some are named, pauses stay and are returned all the same."""
    now = datetime.now(UTC)
    if ids:
        return await _revived(url, Selection(ids=tuple(ids), destination=destination), DEAD)
    async with existing(url) as store:
        await _expect_known(store, destination)
        return await retries.retry_all(store, now, destination)


async def _revived(url: str, selection: Selection, statuses: Sequence[DeliveryStatus]) -> Retried:
    now = datetime.now(UTC)
    async with existing(url) as store:
        await _expect_known(store, selection.destination)
        revived = await store.revive(now, selection, statuses)
        return Retried(revived, _of(await rests(store, now), selection.destination))


async def _resumed(url: str, name: str) -> Retried:
    async with existing(url) as store:
        await _expect_known(store, name)
        return await retries.resume(store, datetime.now(UTC), name)


async def _tested(settings: Settings, name: str) -> Pushed:
    known = settings.destinations.by_name
    if name not in known:
        message = f"no destination of the settings is named `{name}`"
        remedy = did_you_mean(name, known)
        raise typer.BadParameter("; ".join(filter(None, (message, remedy))), param_hint="NAME")
    found = built(name, known[name])
    async with found.client:
        return await retries.tested(found.destination, datetime.now(UTC))


def _of(resting: list[Rest], destination: str | None) -> list[Rest]:
    return [rest for rest in resting if destination in (None, rest.destination)]


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


def _tell_retried(
    retried: Retried, ids: Sequence[str] | None, *, as_json: bool, paused: bool = False
) -> None:
    """Tell how many wait again, and of pauses; exit code 1 when one that was named is not dead."""
    count = retried.retried
    paused = paused or bool(ids)
    if as_json:
        typer.echo(encode({"retried": count, "paused" if paused else "resumed": retried.resumed}))
    else:
        typer.echo(f"{count} {'delivery waits' if count == 1 else 'deliveries wait'} again")
        for rest in retried.resumed:
            typer.echo(_rest_line(rest) if paused else f"{rest.destination} is sent to again; {_was(rest)}")
    if ids and count < len(set(ids)):
        typer.echo(f"adapter: {len(set(ids)) - count} of those named are not dead deliveries", err=True)
        raise typer.Exit(1)


def _was(rest: Rest) -> str:
    return f"it was {_STATES[rest.kind]} until {_moment(rest.until)}: {rest.reason}"


def _rest_line(rest: Rest) -> str:
    if rest.kind == "half_open":
        return f"{rest.destination} is tried with one delivery since {_moment(rest.until)}: {rest.reason}"
    return f"{rest.destination} is {_STATES[rest.kind]} until {_moment(rest.until)}: {rest.reason}"


_STATES = {"pause": "paused", "open": "at rest, because it fails,", "half_open": "at rest"}


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _line(one: ShownDelivery) -> str:
    attempts = f"{one.attempts} attempt{'s' * (one.attempts != 1)}"
    state = f"next at {_moment(one.next_at)}" if one.next_at is not None else one.status
    head = f"{one.id} {one.type} of {one.source_id} to {one.destination}"
    return f"{head}: {state}, {attempts}" + (f", {one.last_error}" if one.last_error else "")


def _attempt_line(attempt: PastAttempt) -> str:
    said = attempt.error or f"answered {attempt.status}"
    answer = f": {' '.join(attempt.answer.split())}" if attempt.answer else ""
    return f"{_moment(attempt.at)} attempt {attempt.attempt}, {said}{answer}"

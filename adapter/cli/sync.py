"""`adapter sync`: how often destinations are sent customers and events."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from adapter.cli.open_store import existing
from adapter.cli.settings import AsJson, Config, Store, options, settled, stopped
from adapter.errors import AdapterError
from adapter.model.encoding import encode
from adapter.services.sync_plan import ForwardKind, Plan, Planned, plan, recorded
from adapter.settings.destinations.forwarding import ForwardingSettings
from adapter.settings.destinations.registry import Destinations
from adapter.settings.values import Settings

EXAMPLES = """\b
Examples:
  adapter sync plan
  adapter sync plan --since 7d
  adapter sync plan --json"""

commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Forwarding of customers and events: plan its calls."
)
Since = Annotated[
    str, typer.Option("--since", metavar="TIME", help="The traffic to read: of the last 7d, or 36h.")
]
_TIME = re.compile(r"([1-9][0-9]{0,4})(h|d)")
_BOTH: tuple[ForwardKind, ...] = ("customers", "events")
#: Calls of a discount by the type of the destination: when it is issued, and when it ends.
_CALLS = {"voucherify": (2, 2)}
#: What is planned where no destination forwards: the smaller plan of Voucherify.
_EXAMPLE = Planned(
    name="voucherify", type="voucherify", forward=_BOTH, interval="0", per_minute=100, per_month=100_000,
    calls_issued=2, calls_ended=2,
)  # fmt: skip


@commands.command("plan", epilog=EXAMPLES)
def show(
    *, since: Since = "30d", store: Store = None, config: Config = None, as_json: AsJson = False
) -> None:
    """Say how many calls a month each destination would take at several intervals, beside its quota.

    Each recorded event counts as a change of its customer, so that the true number of calls is no higher.
    With the SQLite store, stop the server first: one process may use the file.
    """
    settings, time = settled(config, options(store)), _time(since)
    try:
        plans = asyncio.run(_plans(settings, time, datetime.now(UTC)))
    except AdapterError as error:
        raise stopped(error) from None
    if as_json:
        typer.echo(encode(plans))
        return
    for each in plans:
        typer.echo("\n".join(_lines(each)))


def planned(destinations: Destinations) -> list[Planned]:
    """Return the destinations that may forward; one of Voucherify's where there is none."""
    found = [
        _planned(name, each)
        for name, each in destinations.by_name.items()
        if isinstance(each, ForwardingSettings) and (each.forward or each.type != "webhook")
    ]
    return found or [_EXAMPLE]


def _planned(name: str, settings: ForwardingSettings) -> Planned:
    kind = settings.type
    issued, ended = _CALLS.get(kind, (1, 1))
    return Planned(
        name=name, type=kind, forward=settings.forward or _BOTH, interval=settings.interval,
        per_minute=settings.per_minute, per_month=settings.per_month, calls_issued=issued, calls_ended=ended,
    )  # fmt: skip


async def _plans(settings: Settings, time: timedelta, now: datetime) -> list[Plan]:
    async with existing(settings.store.url) as store:
        traffic = await recorded(store, now - time, now)
    return [plan(traffic, each, now) for each in planned(settings.destinations)]


def _lines(plan: Plan) -> Iterator[str]:
    quota = f"{plan.per_month:,} calls a month" if plan.per_month else "no quota"
    days = f"{plan.days:g} day{'s' * (plan.days != 1)}"
    yield f"{plan.destination} ({plan.type}): {quota}, from {days} of traffic"
    heads = ("customers", "events", "discounts", "calls/month", "busiest minute")
    yield f"  {'interval':<10}{''.join(f'{head:>16}' for head in heads)}"
    for row in plan.rows:
        mark = "" if row.fits else "  over the quota"
        if row.interval == plan.recommended and plan.per_month:
            mark = "  recommended"
        numbers = (row.customers, row.events, row.discounts, row.calls, row.busiest_minute)
        yield f"  {row.interval:<10}{''.join(f'{number:>16,}' for number in numbers)}{mark}"
    yield f"  {plan.advice}"


def _time(text: str) -> timedelta:
    found = _TIME.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"`{text}` is no time: write 36h or 30d", param_hint="--since")
    return timedelta(**{"hours" if found[2] == "h" else "days": int(found[1])})

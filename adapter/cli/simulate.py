"""`adapter simulate`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from msgspec import Struct
from msgspec.structs import replace

from adapter.cli.open_store import expect_readable
from adapter.cli.settings import AsJson, Config, Mappings, Store, options, settled, stopped
from adapter.cli.simulation_table import table
from adapter.cli.source_option import source_option
from adapter.errors import AdapterError, InvalidDraft
from adapter.model.encoding import encode
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.expressions.durations import parse_window
from adapter.services.bulk import local
from adapter.services.figures import RuleFiguresReader
from adapter.services.loaded_files import Drafts, LoadedFiles, read_files
from adapter.services.read_timeout import ReadTimeout
from adapter.services.simulation import sweep, traffic
from adapter.services.simulation.page import page
from adapter.services.simulation.rates import Rates
from adapter.services.simulation.report import Report, report
from adapter.services.simulation.run import Book, Progress, simulate
from adapter.services.simulation.spool import Spool
from adapter.services.simulation.traffic import Traffic
from adapter.settings.values import Settings
from adapter.store.contract import Store as Reading
from adapter.store.engines import open_store

EXAMPLES = """\b
Examples:
  adapter simulate --since 30d
  adapter simulate drafts/ --since 30d --html report.html
  adapter simulate vip.yaml --events monday.jsonl.gz --events tuesday.jsonl.gz
  adapter simulate drafts/ --what-if guardrails.max_daily_redemptions=100,200,400"""

#: Seconds of one read of the store.
_PATIENCE = 60.0
_TOLD = 10

Draft = Annotated[
    Path | None,
    typer.Argument(
        help="A folder of rules, or one file of draft rules over those in force; without it, those in force.",
        exists=True,
    ),
]
Since = Annotated[
    str, typer.Option("--since", metavar="TIME", help="How far back, as 30d, or from when, as 2026-03-01.")
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Up to when; by default now.")]
Events = Annotated[
    list[Path] | None,
    typer.Option(
        "--events", metavar="FILE", exists=True, dir_okay=False,
        help="Exported events or raw payloads instead of the store's events; may be repeated.",
    ),
]  # fmt: skip
Sent = Annotated[str | None, source_option("Who sent the payloads; by default found by their shape.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the report as a page.")]
WhatIf = Annotated[
    list[str] | None,
    typer.Option(
        "--what-if", metavar="[RULE:]PATH=VALUES",
        help="Try values, as guardrails.max_daily_redemptions=100,200; may be given twice.",
    ),
]  # fmt: skip


class _Asked(Struct, frozen=True):
    """What the command was asked for."""

    settings: Settings
    draft: Path | None
    events: Sequence[Path]
    source: str
    start: datetime
    end: datetime
    sweeps: Sequence[sweep.WhatIf]


def rules(
    *,
    draft: Draft = None,
    since: Since = "30d",
    until: Until = None,
    events: Events = None,
    source: Sent = None,
    html: Html = None,
    what_if: WhatIf = None,
    store: Store = None,
    mappings: Mappings = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say what rules would have done over recorded traffic, beside the rules in force; nothing is stored.

    The store may be in use by a server. With --events the traffic comes from files, from an empty store.
    """
    settings, now = settled(config, options(store, mappings=mappings)), datetime.now(UTC)
    try:
        asked = _Asked(
            settings, draft, events or (), source or "", _moment(since, now, "--since"),
            now if until is None else _moment(until, now, "--until"), list(map(sweep.read, what_if or ())),
        )  # fmt: skip
        sweep.combinations(asked.sweeps)
        found, tried = _run(asked, now)
    except AdapterError as error:
        raise stopped(error) from None
    if html is not None:
        html.write_text(page(found, tried), encoding="utf-8")
    if as_json:
        typer.echo(encode({"report": found, "sweep": tried}))
    else:
        typer.echo("\n".join(table(found, tried)))
        if html is not None:
            typer.echo(f"\nthe page is {html}")


def _moment(text: str, now: datetime, option: str) -> datetime:
    window = parse_window(text)
    if window is not None:
        return now - window
    try:
        return traffic.utc(datetime.fromisoformat(text))
    except ValueError:
        message = f"`{text}` is no time: write 30d, 12h or 2026-03-01"
        raise typer.BadParameter(message, param_hint=option) from None


def _run(asked: _Asked, now: datetime) -> tuple[Report, sweep.Sweep | None]:
    in_force, drafted = read_files(asked.settings), _drafted(asked)
    with ExitStack() as stack:
        seen = Traffic(stack.enter_context(Spool()), stack.enter_context(Spool()))
        rates = asyncio.run(_gather(seen, asked, in_force, now))
        books = [("the rules in force", in_force.rules)]
        books += [(str(asked.draft), drafted)] if drafted is not None else []
        until = None if asked.events else asked.end
        names = in_force.mappings.names
        simulated = simulate(
            seen, [Book.of(name, book, seen, names=names) for name, book in books], until, _progress(seen)
        )
        zones = {rule.name: rule.guardrails.time_zone for _, book in books for rule in book.rules}
        other = {name: zone for name, zone in zones.items() if zone != "UTC"}
        tried = _swept(asked, seen, in_force, until) if asked.sweeps else None
        return report(simulated, seen, rates, other), tried


async def _gather(seen: Traffic, asked: _Asked, files: LoadedFiles, now: datetime) -> Rates:
    """Read the traffic, and the rates at which discounts were redeemed."""
    told: list[str] = []
    for path in asked.events:
        traffic.of_file(seen, local.Source(path).given(), files, asked.source, now=now, tell=told.append)
    for said in told[:_TOLD]:
        typer.echo(f"adapter: left out: {said}", err=True)
    if len(told) > _TOLD:
        typer.echo(f"adapter: and {len(told) - _TOLD:,} more rows", err=True)
    if asked.events:
        return Rates(())
    url = asked.settings.store.url
    await expect_readable(url)
    store: Reading = open_store(url)
    # A file is read beside its server, without its lock; a database has to be connected to.
    connects = not url.startswith("sqlite:")
    if connects:
        await store.open()
    try:
        await traffic.of_store(seen, store, asked.start, asked.end, files.mappings.names)
        reader = RuleFiguresReader(store, files, lambda: now, ReadTimeout(_PATIENCE))
        return Rates(await reader.all())
    finally:
        if connects:
            await store.close()


def _drafted(asked: _Asked) -> RuleSet | None:
    """Return the rules of a folder, or those in force with a draft over them; raises InvalidFiles."""
    if asked.draft is None:
        return None
    if asked.draft.is_dir():
        return _of_folder(asked.settings, asked.draft)
    return read_files(asked.settings, drafts=Drafts(rules=(asked.draft,))).rules


def _of_folder(settings: Settings, folder: Path) -> RuleSet:
    return read_files(replace(settings, files=replace(settings.files, rules=str(folder)))).rules


def _swept(asked: _Asked, seen: Traffic, in_force: LoadedFiles, until: datetime | None) -> sweep.Sweep:
    points = []
    for values in sweep.combinations(asked.sweeps):
        with TemporaryDirectory(prefix="adapter-what-if-") as place:
            tried = _with_values(asked, Path(place), values)
        book = Book.of("what if", tried, seen, names=in_force.mappings.names)
        simulate(seen, [book], until, _progress(seen))
        points.append(sweep.point(values, book.tally))
    return sweep.Sweep(asked.sweeps, points)


def _with_values(asked: _Asked, place: Path, values: Sequence[Any]) -> RuleSet:
    """Return the rules that are simulated, with other values; raises InvalidDraft where none has them."""
    chosen = asked.draft or Path(asked.settings.files.rules)
    if not sweep.with_values(chosen, place, asked.sweeps, values):
        missing = ", ".join(f"`{each.name}`" for each in asked.sweeps)
        raise InvalidDraft(f"no rule has {missing}; name a rule to set it there: RULE:PATH=VALUES")
    if chosen.is_dir():
        return _of_folder(asked.settings, place)
    return read_files(asked.settings, drafts=Drafts(rules=(place / chosen.name,))).rules


def _progress(seen: Traffic) -> Progress:
    """Return what shows on a terminal how far a simulation is."""
    if not sys.stderr.isatty():
        return lambda _count: None

    def tell(count: int) -> None:
        typer.echo(f"\r{count:,} of {len(seen.works):,} messages", nl=count == len(seen.works), err=True)

    return tell

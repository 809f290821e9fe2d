"""One simulation from beginning to end: the traffic is read, the books decide it, and the report is made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapter.errors import InvalidDraft
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.expressions.durations import parse_window
from adapter.services.bulk import local
from adapter.services.figures import RuleFiguresReader
from adapter.services.loaded_files import Drafts, LoadedFiles, read_files
from adapter.services.read_timeout import ReadTimeout
from adapter.services.simulation import sweep, traffic
from adapter.services.simulation.rates import Rates
from adapter.services.simulation.report import Report, report
from adapter.services.simulation.run import Book, simulate
from adapter.services.simulation.spool import Spool
from adapter.services.simulation.traffic import Traffic
from adapter.settings.values import Settings
from adapter.store.contract import Store
from adapter.store.engines import open_store

#: Seconds of one read of the store.
_PATIENCE = 60.0


class SimulationInput(Struct, frozen=True, kw_only=True):
    """What is simulated: the rules in force, beside a `draft` (a folder of rules, or one file over them).

    `events` are files instead of the store's events, of `source`. `sweeps` are values to try.
    """

    settings: Settings
    draft: Path | None = None
    events: Sequence[Path] = ()
    source: str = ""
    start: datetime
    end: datetime
    sweeps: Sequence[sweep.WhatIf] = ()


async def _nothing() -> None:
    pass


class Listener(Struct, frozen=True):
    """Who hears of a simulation: `left_out` gets why rows were left out, `decided` how many of how many
    messages have been decided. `reading` is called before the store is read, and may raise.
    """

    left_out: Callable[[Sequence[str]], None] = lambda _rows: None
    decided: Callable[[int, int], None] = lambda _count, _of: None
    reading: Callable[[], Awaitable[None]] = _nothing


def run(asked: SimulationInput, now: datetime, heard: Listener) -> tuple[Report, sweep.Sweep | None]:
    """Simulate; raises InvalidFiles, InvalidDraft, InvalidImport and Unavailable."""
    in_force, drafted = read_files(asked.settings), _drafted(asked)
    with ExitStack() as stack:
        seen = Traffic(stack.enter_context(Spool()), stack.enter_context(Spool()))
        rates = asyncio.run(_gather(seen, asked, in_force, now, heard))
        books = [("the rules in force", in_force.rules)]
        books += [(str(asked.draft), drafted)] if drafted is not None else []
        until = None if asked.events else asked.end
        names = in_force.mappings.names
        simulated = simulate(
            seen, [Book.of(name, book, seen, names=names) for name, book in books], until,
            _counting(seen, heard),
        )  # fmt: skip
        zones = {rule.name: rule.guardrails.time_zone for _, book in books for rule in book.rules}
        other = {name: zone for name, zone in zones.items() if zone != "UTC"}
        tried = _swept(asked, seen, in_force, until, heard) if asked.sweeps else None
        return report(simulated, seen, rates, other), tried


def moment(text: str, now: datetime) -> datetime:
    """Return the moment that `30d` (back from now) or `2026-03-01` means; raises InvalidDraft."""
    try:
        window = parse_window(text)
        return now - window if window is not None else traffic.utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise InvalidDraft(f"`{text[:60]}` is no time: write 30d, 12h or 2026-03-01") from None


async def _gather(
    seen: Traffic, asked: SimulationInput, files: LoadedFiles, now: datetime, heard: Listener
) -> Rates:
    """Read the traffic, and the rates at which discounts were redeemed."""
    told: list[str] = []
    for path in asked.events:
        traffic.of_file(seen, local.Source(path).given(), files, asked.source, now=now, tell=told.append)
    heard.left_out(told)
    if asked.events:
        return Rates(())
    await heard.reading()
    url = asked.settings.store.url
    store: Store = open_store(url)
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


def _drafted(asked: SimulationInput) -> RuleSet | None:
    """Return the rules of a folder, or those in force with a draft over them; raises InvalidFiles."""
    if asked.draft is None:
        return None
    if asked.draft.is_dir():
        return _of_folder(asked.settings, asked.draft)
    return read_files(asked.settings, drafts=Drafts(rules=(asked.draft,))).rules


def _of_folder(settings: Settings, folder: Path) -> RuleSet:
    return read_files(replace(settings, files=replace(settings.files, rules=str(folder)))).rules


def _swept(
    asked: SimulationInput, seen: Traffic, in_force: LoadedFiles, until: datetime | None, heard: Listener
) -> sweep.Sweep:
    points = []
    for values in sweep.combinations(asked.sweeps):
        with TemporaryDirectory(prefix="adapter-what-if-") as place:
            tried = _with_values(asked, Path(place), values)
        book = Book.of("what if", tried, seen, names=in_force.mappings.names)
        simulate(seen, [book], until, _counting(seen, heard))
        points.append(sweep.point(values, book.tally))
    return sweep.Sweep(asked.sweeps, points)


def _with_values(asked: SimulationInput, place: Path, values: Sequence[Any]) -> RuleSet:
    """Return the rules that are simulated, with other values; raises InvalidDraft where none has them."""
    chosen = asked.draft or Path(asked.settings.files.rules)
    if not sweep.with_values(chosen, place, asked.sweeps, values):
        missing = ", ".join(f"`{each.name}`" for each in asked.sweeps)
        raise InvalidDraft(f"no rule has {missing}; name a rule to set it there: RULE:PATH=VALUES")
    if chosen.is_dir():
        return _of_folder(asked.settings, place)
    return read_files(asked.settings, drafts=Drafts(rules=(place / chosen.name,))).rules


def _counting(seen: Traffic, heard: Listener) -> Callable[[int], None]:
    return lambda count: heard.decided(count, len(seen.works))

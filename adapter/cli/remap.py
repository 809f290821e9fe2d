"""`adapter map --since`: recorded messages by the files of before and by those of now."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import typer
from msgspec.structs import replace

from adapter.cli.load_files import mappings_of
from adapter.cli.open_store import expect_readable
from adapter.cli.revisions import written
from adapter.errors import Refused
from adapter.mapping.mapping_set import MappingSet
from adapter.model.encoding import encode
from adapter.model.journal import JournalEntry
from adapter.services.authoring.remapping import MappingComparison, Remapped
from adapter.settings.values import Settings
from adapter.store.contract import Store
from adapter.store.engines import open_store

_PAGE = 50
_TIME = re.compile(r"(\d{1,5})(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST = 100


def since(text: str, now: datetime) -> datetime:
    """Return the moment of `1d`, `12h`, `30m`, or of a date or time (UTC)."""
    if (found := _TIME.fullmatch(text)) is not None:
        return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"`{text}` is no time: write 1d, 12h, 30m or 2026-11-21") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def remapped(settings: Settings, draft: Path | None, against: str | None, start: datetime) -> Remapped:
    """Return what differs of the messages received since `start`.

    The files of the settings are compared with `against`, a folder or a Git revision; with a `draft`, that
    folder is compared with them, or with `against`. Raises Refused.
    """
    current = Path(settings.files.mappings)
    if draft is None and against is None:
        raise Refused("say what to compare with: --against REVISION, --against DIR, or --mappings DIR")
    with tempfile.TemporaryDirectory() as scratch:
        base = current if against is None else _base(against, current, Path(scratch))
        before, after = _book(settings, base), _book(settings, draft or current)
    return asyncio.run(_compared(settings, MappingComparison(before, after), start))


def _base(against: str, current: Path, scratch: Path) -> Path:
    return Path(against) if Path(against).is_dir() else written(against, current, scratch)


def _book(settings: Settings, folder: Path) -> MappingSet:
    return mappings_of(replace(settings, files=replace(settings.files, mappings=str(folder))))


async def _compared(settings: Settings, comparison: MappingComparison, start: datetime) -> Remapped:
    await expect_readable(settings.store.url)
    store = open_store(settings.store.url)
    try:
        async for entry in entries(store, start):
            comparison.note(entry)
    finally:
        await store.close()
    return comparison.remapped()


async def entries(store: Store, start: datetime) -> AsyncIterator[JournalEntry]:
    """Yield the entries of the journal from a moment on, the oldest first."""
    after = 0
    while rows := await store.journal(after, _PAGE, start):
        after = rows[-1].number
        for row in rows:
            for entry in row.entries():
                if entry.received_at >= start:
                    yield entry


def lines(found: Remapped, start: datetime) -> Iterator[str]:
    """Yield the report for people."""
    yield f"{found.messages:,} messages since {start:%Y-%m-%d %H:%M} UTC, {found.changed:,} differ"
    for outcome in found.outcomes:
        reason = f": {outcome.reason}" if outcome.reason else ""
        yield f"{outcome.messages:>8,}  {outcome.before} -> {outcome.after}{reason}"
        yield f"{'':10}for example {', '.join(outcome.samples)}"
    for field in found.fields:
        yield f"{field.messages:>8,}  {field.field}"
        for sample in field.samples:
            yield f"{'':10}{_short(sample.before)} -> {_short(sample.after)}   ({sample.message_id})"


def _short(value: Any) -> str:
    text = value if value == "(absent)" else encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."

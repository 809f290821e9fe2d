"""`adapter map`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from adapter.cli.load_files import mappings_of
from adapter.cli.payloads import bodies, decode, source_of
from adapter.cli.settings import AsJson, Config, Mappings, Store, options, settled, stopped, tell
from adapter.cli.source_option import source_option
from adapter.errors import AdapterError, Refused
from adapter.mapping.explain.explain import Explanation, explain
from adapter.mapping.mapping_set import MappingSet
from adapter.model.encoding import encode
from adapter.settings.values import Settings

EXAMPLES = """\b
Examples:
  adapter map fixtures/segment/classic-track.json
  adapter map --json payload.json
  pbpaste | adapter map -
  adapter map --since 1d --against main
  adapter map --since 12h --mappings drafts"""

File = Annotated[
    Path | None, typer.Argument(help="A body as it arrives, or one a line (JSONL); - reads the input.")
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Map recorded messages of the last 1d, 12h or 30m, or since a time.",
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="DIR|REVISION",
        help="With --since: compare with these files, or those of a revision.",
    ),
]
Source = Annotated[str | None, source_option("The source that sends it; by default found by its shape.")]


class Mapped(Struct, frozen=True):
    """One body: its messages explained, why parts of it are none, and how many were our own coming back."""

    source: str
    messages: list[Explanation] = []
    quarantined: list[str] = []
    dropped: int = 0

    @property
    def fails(self) -> bool:
        """Say whether anything of it would be quarantined."""
        return bool(self.quarantined) or any(
            mapping.error for message in self.messages for mapping in message.mappings
        )


def show(
    *,
    file: File = None,
    source: Source = None,
    since: Since = None,
    against: Against = None,
    store: Store = None,
    mappings: Mappings = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show what a payload becomes: which mappings take it, which do not and why, each field with its path.

    Exit code 1 when any of it would be quarantined, or a line of JSONL is not JSON. With --since, show what
    becomes of recorded messages by other files, and what differs.
    """
    if (file is None) == (since is None):
        raise typer.BadParameter("give a FILE, or --since to map recorded messages")
    if since is not None:
        _compare(since, against, mappings, settled(config, options(store)), as_json=as_json)
        return
    book = mappings_of(settled(config, options(mappings=mappings)))
    now = datetime.now(UTC)
    found, problems = bodies(file or Path("-"))
    mapped = [_mapped(book, body, source or source_of(body), now) for body in found]
    if as_json:
        typer.echo(encode(mapped))
    else:
        typer.echo("\n\n".join(text for one in mapped for text in _texts(one)))
    tell(problems)
    if problems or any(one.fails for one in mapped):
        raise typer.Exit(1)


def _compare(
    since: str, against: str | None, draft: Path | None, settings: Settings, *, as_json: bool
) -> None:
    from adapter.cli import remap  # noqa: PLC0415 - it imports the engines of stores

    start = remap.since(since, datetime.now(UTC))
    try:
        found = remap.remapped(settings, draft, against, start)
    except AdapterError as error:
        raise stopped(error) from None
    typer.echo(encode(found) if as_json else "\n".join(remap.lines(found, start)))


def _mapped(book: MappingSet, body: bytes, source: str, now: datetime) -> Mapped:
    try:
        decoded = decode(source, body, now)
    except Refused as error:
        return Mapped(source, quarantined=[error.message])
    explained = [explain(book, message) for message in decoded.messages]
    return Mapped(source, explained, [entry.reason for entry in decoded.quarantined], decoded.dropped)


def _texts(mapped: Mapped) -> Sequence[str]:
    texts = [explanation.text() + _ignored(explanation) for explanation in mapped.messages]
    texts += [f"{mapped.source}: quarantined: {reason}" for reason in mapped.quarantined]
    if mapped.dropped:
        texts.append(f"{mapped.source}: {mapped.dropped} of our own events coming back, dropped")
    return texts or [f"{mapped.source}: nothing in it"]


def _ignored(explanation: Explanation) -> str:
    taken = any(mapping.matched for mapping in explanation.mappings)
    return "" if taken else "\n  no mapping takes it, so it is ignored"

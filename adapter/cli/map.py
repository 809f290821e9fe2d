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
from adapter.cli.settings import AsJson, Config, Mappings, options, settled, tell
from adapter.cli.source_option import source_option
from adapter.errors import Refused
from adapter.mapping.explain.explain import Explanation, explain
from adapter.mapping.mapping_set import MappingSet
from adapter.model.encoding import encode

EXAMPLES = """\b
Examples:
  adapter map fixtures/segment/classic-track.json
  adapter map --json payload.json
  pbpaste | adapter map -"""

File = Annotated[Path, typer.Argument(help="A body as it arrives, or one a line (JSONL); - reads the input.")]
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
    file: File,
    source: Source = None,
    mappings: Mappings = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show what a payload becomes: which mappings take it, which do not and why, each field with its path.

    Exit code 1 when any of it would be quarantined, or a line of JSONL is not JSON.
    """
    book = mappings_of(settled(config, options(mappings=mappings)))
    now = datetime.now(UTC)
    found, problems = bodies(file)
    mapped = [_mapped(book, body, source or source_of(body), now) for body in found]
    if as_json:
        typer.echo(encode(mapped))
    else:
        typer.echo("\n\n".join(text for one in mapped for text in _texts(one)))
    tell(problems)
    if problems or any(one.fails for one in mapped):
        raise typer.Exit(1)


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

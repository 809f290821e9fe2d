"""`adapter case`: test cases made of recorded messages."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from adapter.cli.load_files import mappings_of
from adapter.cli.open_store import expect_readable
from adapter.cli.settings import Config, Mappings, Store, options, settled, stopped
from adapter.errors import AdapterError, Refused
from adapter.model.journal import JournalEntry
from adapter.services.authoring.recorded_case import RecordedCase, file_name, recorded_case
from adapter.settings.values import Settings
from adapter.sources.registry import SOURCES
from adapter.store.engines import open_store

EXAMPLES = """\b
Examples:
  adapter case from ajs-next-1795250000001-6b1d6f0e
  adapter case from ajs-next-1795250000001-6b1d6f0e --name "A cart without a value" --output mappings/carts"""

commands = typer.Typer(help="Make test cases of recorded messages.", no_args_is_help=True)

MessageId = Annotated[str, typer.Argument(help="The messageId of Segment, or the id of an mParticle event.")]
Name = Annotated[str | None, typer.Option("--name", help="What the case shows; the message's id by default.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="PATH", help="Write PATH.json and PATH.test.yaml; else in the mapping folder."
    ),
]
_PAGE = 50


@commands.callback(epilog=EXAMPLES)
def case() -> None:
    """Make test cases of recorded messages."""


@commands.command("from", epilog=EXAMPLES)
def from_message(
    *,
    message_id: MessageId,
    name: Name = None,
    output: Output = None,
    store: Store = None,
    mappings: Mappings = None,
    config: Config = None,
) -> None:
    """Write a recorded message as a fixture, and what the mappings make of it as its test case.

    Ids, addresses, names and the like are replaced by stand-ins; read the fixture before you commit it.
    """
    settings = settled(config, options(store, mappings))
    book = mappings_of(settings)
    try:
        entry = asyncio.run(_found(settings, message_id))
        target = output or Path(settings.files.mappings) / file_name(message_id)
        made = recorded_case(
            book, entry.source, _body(entry), {*entry.quarantined().names(), *entry.names},
            title=name or "A recorded message", file=f"{target.name}.json",
        )  # fmt: skip
        fixture, cases = _write(target, made)
    except AdapterError as error:
        raise stopped(error) from None
    typer.echo(f"wrote {fixture} and {cases}")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(made.replaced.items())) or "nothing"
    typer.echo(f"replaced: {kinds}; read {fixture} before you commit it", err=True)


async def _found(settings: Settings, message_id: str) -> JournalEntry:
    """Return the latest record of a message that was decoded. Raises Refused."""
    await expect_readable(settings.store.url)
    store, before = open_store(settings.store.url), None
    try:
        while rows := await store.latest_journal(before, _PAGE):
            before = rows[-1].number
            for row in rows:
                for entry in reversed(row.entries()):
                    if message_id in (entry.message_id, entry.key) and entry.outcome != "refused":
                        return entry
    finally:
        await store.close()
    raise Refused(f"no message `{message_id}` is in the journal, which goes back `journal.days`")


def _body(entry: JournalEntry) -> Any:
    """Return the body with which a source would send the message. Raises Refused."""
    message = entry.message()
    body = SOURCES[entry.source].recorded(message.document) if message and entry.source in SOURCES else None
    if body is None:
        raise Refused(f"message `{entry.message_id}` cannot be sent again: it was no call or event of a CDP")
    return body


def _write(target: Path, made: RecordedCase) -> tuple[Path, Path]:
    """Write the fixture and its case; existing files are not overwritten. Raises Refused."""
    fixture, cases = target.with_name(f"{target.name}.json"), target.with_name(f"{target.name}.test.yaml")
    for path in (fixture, cases):
        if path.exists():
            raise Refused(f"{path} exists: choose another name with --output, or delete it")
    target.parent.mkdir(parents=True, exist_ok=True)
    fixture.write_text(made.fixture, encoding="utf-8")
    cases.write_text(made.cases, encoding="utf-8")
    return fixture, cases

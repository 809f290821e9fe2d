"""`adapter case`: test cases made of recorded messages."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from adapter.cli.load_files import mappings_of
from adapter.cli.open_store import expect_readable
from adapter.cli.payloads import decode
from adapter.cli.settings import Config, Mappings, Store, options, settled, stopped
from adapter.errors import AdapterError, MappingError, Refused
from adapter.files.dumping import dump
from adapter.mapping.actions.as_json import plain
from adapter.mapping.mapping_set import MappingSet
from adapter.model.journal import JournalEntry
from adapter.services.authoring.anonymise import Anonymiser
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
_RECEIVED = datetime(2030, 1, 1, tzinfo=UTC)


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
        payload, replaced = _payload(entry)
        target = output or Path(settings.files.mappings) / _file_name(message_id)
        fixture, cases = _write(target, entry.source, payload, _case(book, entry.source, payload, name))
    except AdapterError as error:
        raise stopped(error) from None
    typer.echo(f"wrote {fixture} and {cases}")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(replaced.items())) or "nothing"
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


def _payload(entry: JournalEntry) -> tuple[Any, dict[str, int]]:
    """Return the body with which a source would send the message, without personal data."""
    message = entry.message()
    body = SOURCES[entry.source].recorded(message.document) if message and entry.source in SOURCES else None
    if body is None:
        raise Refused(f"message `{entry.message_id}` cannot be sent again: it was no call or event of a CDP")
    anonymiser = Anonymiser({*entry.quarantined().names(), *entry.names})
    return anonymiser.value(body), anonymiser.replaced


def _case(book: MappingSet, source: str, payload: Any, name: str | None) -> dict[str, Any]:
    operations: list[Any] = []
    reasons: list[str] = []
    decoded = decode(source, msgspec.json.encode(payload), _RECEIVED)
    for message in decoded.messages:
        try:
            operations += [plain(operation) for operation in book.operations(message)]
        except MappingError as error:
            reasons.append(error.message)
    reasons += [entry.reason for entry in decoded.quarantined]
    outcome = {"quarantined": reasons} if reasons else {}
    return {"name": name or "A recorded message", "expect": operations, **outcome}


def _write(target: Path, source: str, payload: Any, case: dict[str, Any]) -> tuple[Path, Path]:
    """Write the fixture and its case; existing files are not overwritten. Raises Refused."""
    fixture, cases = target.with_name(f"{target.name}.json"), target.with_name(f"{target.name}.test.yaml")
    for path in (fixture, cases):
        if path.exists():
            raise Refused(f"{path} exists: choose another name with --output, or delete it")
    target.parent.mkdir(parents=True, exist_ok=True)
    fixture.write_bytes(msgspec.json.format(msgspec.json.encode(payload), indent=2) + b"\n")
    case = {"name": case.pop("name"), "file": fixture.name, **case}
    text = f"source: {source}\ncases:\n  - {dump(case, 4).lstrip()}\n"
    cases.write_text(text, encoding="utf-8")
    return fixture, cases


def _file_name(message_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", message_id).strip("-")[:80] or "message"

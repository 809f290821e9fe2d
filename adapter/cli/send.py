"""`adapter send`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from uuid import uuid4

import typer

from adapter.cli.payloads import bodies, source_of
from adapter.cli.send_report import SendReport, decoded
from adapter.cli.sender import Sender
from adapter.cli.server_client import address_of
from adapter.cli.settings import AsJson, Config, settled, tell
from adapter.cli.source_option import source_option
from adapter.errors import Unreadable
from adapter.files.problems import did_you_mean
from adapter.services.authoring import examples
from adapter.settings.values import Settings
from adapter.sources import payloads
from adapter.sources.mparticle import sending as mparticle
from adapter.sources.segment import sending as segment
from adapter.sources.sending import Shape

EXAMPLES = """\b
Examples:
  adapter send --example checkout
  adapter send recorded.jsonl --as segment-batch --to https://discounts.shop.example
  adapter send --example checkout --source mparticle --as mparticle-events
  adapter send --example checkout --user user_{n} --count 10000 --rate 500 --connections 8"""

SHAPES = {each.name: each for each in (*segment.SHAPES, *mparticle.SHAPES)}

File = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="Bodies, JSON or JSONL; - reads standard input.")
]
Example = Annotated[
    str | None,
    typer.Option(
        "--example", metavar="NAME", help="An example of the package: audience, checkout, identify, order."
    ),
]
To = Annotated[
    str | None, typer.Option("--to", metavar="URL", help="The server; that of the settings by default.")
]
As = Annotated[
    str | None, typer.Option("--as", metavar="SHAPE", help="How it is sent: " + ", ".join(SHAPES) + ".")
]
User = Annotated[
    str | None,
    typer.Option(
        "--user", metavar="ID", help="The customer of an example; {n} stands for the number of the message."
    ),
]
Count = Annotated[
    int | None, typer.Option("--count", min=1, help="How many messages; the file's or one by default.")
]
Rate = Annotated[
    float | None, typer.Option("--rate", min=0.01, help="Requests in a second; else one after the other.")
]
Batch = Annotated[
    int, typer.Option("--batch-size", min=1, help="Messages in a request, where the shape has batches.")
]
Connections = Annotated[
    int, typer.Option("--connections", min=1, max=256, help="Connections that send at once.")
]


def send(
    *,
    file: File = None,
    example: Example = None,
    to: To = None,
    shape_name: As = None,
    source: Annotated[str | None, source_option("The sender of an example; segment by default.")] = None,
    user: User = None,
    count: Count = None,
    rate: Rate = None,
    batch_size: Batch = 100,
    connections: Connections = 1,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Send messages as Segment or mParticle would, with their headers and the signatures of the settings.

    Exit code 1 when a request is not answered with success.
    """
    if (file is None) == (example is None):
        raise typer.BadParameter("name either a FILE or an --example")
    settings = settled(config, {})
    url = _url(to or address_of(settings))
    items: Iterator[bytes]
    if file is not None:
        found = _of_file(file)
        items, total = cycle(found), count or len(found)
    else:
        items, total = _of_example(source or "segment", str(example), user), count or 1
    first = next(items)
    shape = _shape(shape_name, first)
    chosen = [first, *islice(items, min(total - 1, batch_size - 1))]
    _expect_taken(shape, chosen)
    _warn(url, settings)
    batches = _batches(chosen, items, total, batch_size)
    requests = (one for batch in batches for one in shape.requests(batch, settings, batch_size))
    told = SendReport(as_json=as_json, total=total)
    totals = Sender(url, connections, rate).send(requests, told.answer)
    told.end(totals, url)
    if totals.failed:
        raise typer.Exit(1)


def _batches(chosen: list[bytes], items: Iterator[bytes], total: int, size: int) -> Iterator[list[bytes]]:
    """Yield so many items by batches, of which the first is chosen already."""
    left, batch = total, chosen
    while batch:
        yield batch
        left -= len(batch)
        batch = list(islice(items, min(left, size)))


def _of_file(file: Path) -> list[bytes]:
    """Return the messages of a file, those of an array one by one."""
    found, problems = bodies(file)
    tell(problems)
    items: list[bytes] = []
    try:
        for body in found:
            items += payloads.slices(body) if payloads.is_array(body) else [body.strip()]
    except Unreadable as error:
        typer.echo(f"adapter: {file}: {error.message}", err=True)
        raise typer.Exit(1) from None
    if problems or not any(items):
        typer.echo(f"adapter: {file} has no message to send", err=True)
        raise typer.Exit(1)
    return items


def _of_example(source: str, name: str, user: str | None) -> Iterator[bytes]:
    known = examples.names(source)
    if name not in known:
        raise typer.BadParameter(f"there is no example `{name}` of {source}: {did_you_mean(name, known)}")

    def made() -> Iterator[bytes]:
        number = 0
        while True:
            number += 1
            named = None if user is None else user.replace("{n}", str(number))
            yield examples.example(source, name, datetime.now(UTC), lambda: str(uuid4()), named)

    return made()


def _shape(name: str | None, first: bytes) -> Shape:
    if name is not None:
        if name not in SHAPES:
            raise typer.BadParameter(f"`{name}` is no shape: {did_you_mean(name, SHAPES)}")
        return SHAPES[name]
    source, value = source_of(first), decoded(first)
    fitting = [each for each in SHAPES.values() if each.source == source and each.takes(value)]
    if not fitting:
        typer.echo(
            "adapter: the body is no message of Segment or mParticle; name its shape with --as", err=True
        )
        raise typer.Exit(1)
    return fitting[0]


def _expect_taken(shape: Shape, items: Sequence[bytes]) -> None:
    for item in items:
        if not shape.takes(decoded(item)):
            typer.echo(f"adapter: a message is not what {shape.name} sends ({shape.meaning}); "
                       "choose another --as", err=True)  # fmt: skip
            raise typer.Exit(1)


def _url(given: str) -> str:
    try:
        parts = urlsplit(given)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise typer.BadParameter(f"`{given}` is no address of a server: write https://discounts.shop.example")
    return given


def _warn(url: str, settings: Settings) -> None:
    parts = urlsplit(url)
    secret = (
        settings.segment.authorizations or settings.mparticle.authorizations or settings.mparticle.api_keys
    )
    if secret and parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        typer.echo(
            f"adapter: warning: the Authorization header goes unencrypted to {parts.hostname}", err=True
        )

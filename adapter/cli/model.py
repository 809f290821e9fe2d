"""`adapter model`: the data model proposed, and shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from adapter.cli.load_files import books_of, mappings_of
from adapter.cli.map import Source
from adapter.cli.payloads import bodies, decode, source_of
from adapter.cli.plan_files import model_in
from adapter.cli.settings import AsJson, Config, Mappings, Rules, options, settled, tell
from adapter.datamodel.exporting import mparticle_data_plan, segment_tracking_plan
from adapter.datamodel.importing import NotAPlan, read_plan
from adapter.datamodel.infer import ModelInference, model_value, model_yaml
from adapter.errors import MappingError, Refused
from adapter.mapping.mapping_set import MappingSet
from adapter.model.encoding import encode
from adapter.services.authoring.lineage import Row
from adapter.services.authoring.lineage import rows as lineage

EXAMPLES = """\b
Examples:
  adapter model infer recorded.jsonl > proposed.yaml
  adapter model infer customers.csv --rows customers > proposed.yaml
  diff mappings/model.yaml proposed.yaml
  adapter model import tracking-plan.json > proposed.yaml
  adapter model import order.schema.json --event "Order Completed"
  adapter model export segment > tracking-plan.json
  adapter model show
  adapter model show --json"""

commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None,
    help="The data model: propose one from recorded payloads or a plan, or show the one in force.",
)  # fmt: skip
RowKind = Annotated[
    Literal["customers", "events"] | None,
    typer.Option(
        "--rows", metavar="customers|events", help="The files have rows, as `adapter import` takes them."
    ),
]
Payloads = Annotated[list[Path], typer.Argument(help="Bodies as they arrived, JSON or JSONL, of any source.")]


@commands.command(epilog=EXAMPLES)
def infer(
    *,
    files: Payloads,
    source: Source = None,
    rows: RowKind = None,
    mappings: Mappings = None,
    config: Config = None,
) -> None:
    """Propose a model.yaml from recorded payloads, as the mappings make events and customers of them.

    With --rows the files are read as `adapter import` reads them: CSV, JSON lines or Parquet.

    Write it beside the model in use and compare: `>` into mappings/model.yaml would overwrite that.

    Exit code 1, and no model, when nothing of them could be mapped; exit code 1 too when a line of JSONL is
    not JSON.
    """
    book = mappings_of(settled(config, options(mappings=mappings)))
    seen, left_out, problems = ModelInference(), 0, []
    for file in files:
        if rows is not None:
            left_out += _take_rows(seen, book, file, rows)
            continue
        found, flaws = bodies(file)
        problems += flaws
        left_out += sum(_take(seen, book, body, source or source_of(body)) for body in found)
    tell(problems)
    if left_out:
        typer.echo(f"adapter: {left_out} messages could not be mapped; `adapter map` says why", err=True)
    model = seen.model()
    if not model.traits and not model.events:
        typer.echo(
            "adapter: the payloads give no trait and no event, so there is no model to propose", err=True
        )
        raise typer.Exit(1)
    typer.echo(model_yaml(model), nl=False)
    if problems:
        raise typer.Exit(1)


def _take_rows(
    seen: ModelInference, book: MappingSet, file: Path, kind: Literal["customers", "events"]
) -> int:
    """Take what the rows of a file become, and return how many are refused."""
    # The store comes with these, and other uses of the command should not wait for it.
    from adapter.services.bulk import local  # noqa: PLC0415
    from adapter.services.bulk.inference import infer_rows  # noqa: PLC0415

    try:
        return infer_rows(seen.take, book, local.Source(file), kind, datetime.now(UTC))
    except Refused as error:
        typer.echo(f"adapter: {file}: {error.message}", err=True)
        raise typer.Exit(1) from None


def _take(seen: ModelInference, book: MappingSet, body: bytes, source: str) -> int:
    """Take what a body becomes, and return how many of its messages cannot be mapped."""
    try:
        decoded = decode(source, body, datetime.now(UTC))
    except Refused:
        return 1
    failed = len(decoded.quarantined)
    for message in decoded.messages:
        try:
            seen.take(book.mapped(message))
        except MappingError:
            failed += 1
    return failed


@commands.command("import", epilog=EXAMPLES)
def import_plan(
    *,
    file: Annotated[Path, typer.Argument(help="A tracking plan, a data plan or a JSON Schema, in JSON.")],
    event: Annotated[
        str | None, typer.Option("--event", metavar="NAME", help="The event that a JSON Schema describes.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose a model.yaml from a plan: of Segment (Public API), of mParticle, or a JSON Schema of one event.

    It keeps types, required, enum, minimum, maximum, pattern and format. What the model cannot express is
    written to standard error, with its place in the plan as a JSON Pointer.

    Write it beside the model in use and compare: `>` into mappings/model.yaml would overwrite that.

    Exit code 1, and no model, when the file is no such plan.
    """
    try:
        found = read_plan(msgspec.json.decode(file.read_bytes()), event)
    except (OSError, msgspec.DecodeError, RecursionError, NotAPlan) as error:
        told = error.strerror if isinstance(error, OSError) else error
        typer.echo(f"adapter: {file}: {told}", err=True)
        raise typer.Exit(1) from None
    for note in found.notes:
        typer.echo(f"{file}#{note.place}: {note.message}", err=True)
    if as_json:
        typer.echo(encode({"kind": found.kind, "model": model_value(found.model), "notes": found.notes}))
    else:
        typer.echo(model_yaml(found.model), nl=False)


@commands.command(epilog=EXAMPLES)
def export(
    *,
    plan: Annotated[Literal["segment", "mparticle"], typer.Argument(help="Whose plan to write.")],
    mappings: Mappings = None,
    config: Config = None,
) -> None:
    """Write the model as a plan, in JSON: the rules of a Segment tracking plan, or an mParticle data plan.

    What the plan cannot express is written to standard error. Events have the names of Segment's
    specification: order_completed is `Order Completed`. At mParticle they are custom events.
    """
    settings = settled(config, options(mappings=mappings))
    model = model_in(Path(settings.files.mappings))
    found = segment_tracking_plan(model) if plan == "segment" else mparticle_data_plan(model)
    for note in found.notes:
        typer.echo(f"adapter: {note}", err=True)
    typer.echo(encode(found.plan))


@commands.command(epilog=EXAMPLES)
def show(
    *, mappings: Mappings = None, rules: Rules = None, config: Config = None, as_json: AsJson = False
) -> None:
    """Print what the shop shares, with the mappings that feed each and the rules that read each."""
    settings = settled(config, options(mappings=mappings, rules=rules))
    files = settings.files
    book, rulebook = books_of(settings)
    if book.model is None:
        typer.echo(f"adapter: there is no model.yaml in {files.mappings}; `adapter model infer` proposes one",
                   err=True)  # fmt: skip
        raise typer.Exit(1)
    found = lineage(book.model, book, rulebook)
    if as_json:
        typer.echo(encode(found))
        return
    typer.echo("name  type  what it is  <- mappings that feed it  -> rules that read it\n")
    for group in _groups(found):
        typer.echo("\n".join(_lines(group)))
        typer.echo("")


def _groups(found: Sequence[Row]) -> Iterator[list[Row]]:
    for title in dict.fromkeys(row.of for row in found):
        yield [row for row in found if row.of == title]


def _lines(group: Sequence[Row]) -> Iterator[str]:
    """Yield one block of the table: its title, then a line each that does not repeat the title."""
    common = group[0].fed_by if all(row.fed_by == group[0].fed_by for row in group) else None
    own = group[0] if not group[0].name else None
    title = f"{group[0].of}: {own.description}" if own and own.description else group[0].of
    yield title + (_sharers(own.fed_by, own.read_by) if own else _sharers(common or [], []))
    width = max((len(row.name) for row in group), default=0)
    for row in group:
        if row is not own:
            kind = f"{row.type}, required" if row.required else row.type
            same = row.fed_by == (own.fed_by if own else common)
            told = _sharers([] if same else row.fed_by or ["nothing"], row.read_by)
            about = f"  {row.description}" if row.description else ""
            yield f"  {row.name:{width}}  {kind:16}{about}{told}".rstrip()


def _sharers(fed_by: Sequence[str], read_by: Sequence[str]) -> str:
    fed = f"  <- {', '.join(fed_by)}" if fed_by else ""
    return fed + (f"  -> {', '.join(read_by)}" if read_by else "")

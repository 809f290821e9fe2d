"""`adapter mapping`: mapping files made of what others have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from adapter.cli.settings import AsJson
from adapter.files.dumping import dump
from adapter.mapping.files.importing import NoPresets, import_presets
from adapter.model.encoding import encode

EXAMPLES = """\b
Examples:
  adapter mapping import metadata.json > mappings/voucherify.yaml
  adapter mapping import metadata.json --json"""

commands = typer.Typer(help="Make mapping files of what others have.", no_args_is_help=True)


@commands.callback(epilog=EXAMPLES)
def mapping() -> None:
    """Make mapping files of what others have."""


@commands.command("import", epilog=EXAMPLES)
def import_metadata(
    *,
    file: Annotated[Path, typer.Argument(help="The metadata.json of a Segment destination.")],
    as_json: AsJson = False,
) -> None:
    """Print a mapping file made of the presets in a Segment destination's metadata.json.

    Presets of track, page and screen record events, those of identify and group update customers. Fields
    without a counterpart become attributes or traits. What is left out is written to standard error.

    Exit code 1 when the file has no presets, or none of them can be taken over.
    """
    try:
        found = import_presets(msgspec.json.decode(file.read_bytes()))
    except (OSError, msgspec.DecodeError, RecursionError, NoPresets) as error:
        told = error.strerror if isinstance(error, OSError) else error
        typer.echo(f"adapter: {file}: {told}", err=True)
        raise typer.Exit(1) from None
    for note in found.notes:
        typer.echo(f"adapter: {note}", err=True)
    if not found.file["mappings"]:
        raise typer.Exit(1)
    typer.echo(encode({"file": found.file, "notes": found.notes}) if as_json else dump(found.file))

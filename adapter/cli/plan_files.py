"""The data model that commands write as a plan of Segment or mParticle, and the file of such a plan."""

from __future__ import annotations

from pathlib import Path

import typer

from adapter.cli.settings import tell
from adapter.datamodel.declarations import DataModel
from adapter.datamodel.exporting import mparticle_data_plan
from adapter.datamodel.load import load
from adapter.model.encoding import encode


def model_in(mappings: Path) -> DataModel:
    """Return the model of a folder of mappings; ends the command where there is none, or it has errors."""
    model, problems = load(mappings)
    tell(problems)
    if model is None:
        if not problems:
            typer.echo(f"adapter: there is no model.yaml in {mappings}", err=True)
        raise typer.Exit(1)
    return model


def model_where_there_is_one(mappings: Path) -> DataModel | None:
    """Return the model of a folder of mappings, None without one; ends the command where it has errors."""
    return model_in(mappings) if (mappings / "model.yaml").exists() else None


def write_data_plan(file: Path, mappings: Path) -> None:
    """Write the model as mParticle's data plan, and tell what the plan does not express.

    Ends the command where the file has other content or cannot be written.
    """
    found = mparticle_data_plan(model_in(mappings))
    content = encode(found.plan) + b"\n"
    try:
        if file.exists() and file.read_bytes() != content:
            typer.echo(f"adapter: {file} is there with other content: remove it first", err=True)
            raise typer.Exit(1)
        file.write_bytes(content)
    except OSError as error:
        typer.echo(f"adapter: cannot write {file}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    for note in found.notes:
        typer.echo(f"adapter: {note}", err=True)

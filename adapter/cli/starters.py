"""`adapter starters`."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import typer

from adapter.cli.settings import AsJson
from adapter.files import starters
from adapter.files.problems import did_you_mean
from adapter.files.starters import Kind
from adapter.model.encoding import encode

EXAMPLES = """\b
Examples:
  adapter starters
  adapter starters mappings adapter/segment@1
  adapter starters --json"""

KindArgument = Annotated[
    Literal["mappings", "rules", "definitions", "model"] | None,
    typer.Argument(metavar="[KIND]", help="mappings, rules, definitions or model."),
]
Reference = Annotated[str | None, typer.Argument(metavar="[REFERENCE]", help="As in adapter/segment@1.")]


def show(*, kind: KindArgument = None, reference: Reference = None, as_json: AsJson = False) -> None:
    """List the starters of this package that files can extend, or print one."""
    if kind is None or reference is None:
        kinds: tuple[Kind, ...] = get_args(Kind) if kind is None else (kind,)
        found = {each: starters.references(each) for each in kinds}
        rows = [f"{each} {name}" for each, names in found.items() for name in names]
        typer.echo(encode(found) if as_json else "\n".join(rows))
        return
    known = starters.references(kind)
    if reference not in known:
        typer.echo(
            f"adapter: there is no starter `{reference}` of {kind}; {did_you_mean(reference, known)}",
            err=True,
        )
        raise typer.Exit(1)
    text = starters.text(kind, reference)
    typer.echo(encode({"reference": reference, "text": text}) if as_json else text.rstrip("\n"))

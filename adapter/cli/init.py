"""`adapter init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from adapter.cli.settings import AsJson
from adapter.model.encoding import encode
from adapter.services.authoring import project

EXAMPLES = """\b
Examples:
  adapter init shop
  adapter init shop --pack travel
  adapter init . --dry-run"""

Pack = Annotated[
    Literal["ecommerce", "services", "travel", "food-delivery"] | None,
    typer.Option("--pack", metavar="|".join(project.PACKS), help="Also what this industry needs."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say which files would be written.")]


def init(
    *,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder; it is made if missing.")],
    pack: Pack = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write a project: settings, mappings, rules, model, cases and CI, over the starters of the package.

    It overwrites nothing: when a file with other content is there, it writes nothing, and exits with code 1.
    """
    files = project.files(pack)
    found = {name: _content(directory / name) for name in files}
    other = [name for name, content in found.items() if content not in {None, files[name]}]
    missing = [name for name, content in found.items() if content is None]
    if other:
        there = ", ".join(str(directory / name) for name in other)
        typer.echo(f"adapter: already there with other content: {there}; choose an empty folder", err=True)
        raise typer.Exit(1)
    try:
        for name in () if dry_run else missing:
            _write(directory / name, files[name])
    except OSError as error:
        typer.echo(f"adapter: cannot write in {directory}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(
            encode(
                {"directory": str(directory), "written": [] if dry_run else missing, "files": sorted(files)}
            )
        )
        return
    for name in missing:
        typer.echo(f"{'would write' if dry_run else 'wrote'} {directory / name}")
    if not dry_run:
        typer.echo(f"\nNext: cd {directory} && adapter check --strict && adapter test && adapter serve")


def _content(path: Path) -> str | None:
    """Return a file's text, None where there is no file; what is no text is other content."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        return ""


def _write(path: Path, text: str) -> None:
    """Write a file whole: when the command is stopped half-way, it can be run again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)

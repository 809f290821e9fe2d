"""What `adapter import` says of files: previews, results, and what amounts of codes mean."""

from __future__ import annotations

import sys
from typing import Any

import typer
from msgspec.structs import asdict

from adapter.errors import Refused
from adapter.model.encoding import encode
from adapter.model.imports import ImportJob
from adapter.services.bulk.preview import Preview


def told(job: ImportJob) -> str:
    """Return what came of an import in a sentence."""
    counts = job.counts
    parts = [f"{counts.accepted:,} accepted"]
    if counts.duplicates:
        parts.append(f"{counts.duplicates:,} known already")
    parts.append(f"{counts.refused:,} refused")
    if counts.flagged:
        parts.append(f"{counts.flagged:,} against the data model")
    if counts.warnings:
        parts.append(f"{counts.warnings:,} {'warning' if counts.warnings == 1 else 'warnings'}")
    if counts.ignored:
        parts.append(f"{counts.ignored:,} ignored by the mappings")
    return f"{job.name}: {counts.rows:,} rows: {', '.join(parts)}"


def shown(found: Preview) -> str:
    """Return a preview for people."""
    lines = [f"{found.name} ({found.format})"]
    lines += [f"  column {name} -> {target}" for name, target in found.columns]
    lines += [
        f"  row {row.row} becomes {encode(each).decode()}" for row in found.rows for each in row.becomes
    ]
    lines += [f"  row {row.row} (line {row.line}) is refused: {row.reason}" for row in found.refused]
    lines += [f"  {note}" for note in found.notes]
    counts = found.counts
    lines.append(f"  {counts.rows:,} rows: {counts.accepted:,} would be taken, {counts.refused:,} refused")
    if found.error:
        lines.append(f"  {found.error}")
    return "\n".join(lines)


def plain(job: ImportJob, refused_file: str) -> dict[str, Any]:
    """Return what came of an import as JSON values."""
    found = {"file": job.name, "state": job.state, **asdict(job.counts)}
    if job.warnings:
        found["first_warnings"] = list(job.warnings)
    if job.error:
        found["error"] = job.error
    if refused_file:
        found["refused_file"] = refused_file
    return found


def confirm(amounts: list[str]) -> None:
    """Show what amounts become, and ask; raises Refused without a terminal, and where the answer is no."""
    if not amounts:
        return
    for sentence in amounts:
        typer.echo(sentence, err=True)
    if not sys.stdin.isatty():
        raise Refused(
            "nothing is stored before it is known what amounts mean: say --yes if they are right, or "
            "--money minor if 10 means 0.10"
        )
    if not typer.confirm("Are the amounts right? (--money minor if 10 means 0.10)", err=True):
        raise Refused("nothing was imported")

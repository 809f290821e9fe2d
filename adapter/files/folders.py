"""Directories of mapping and rule files."""

from __future__ import annotations

from pathlib import Path

from adapter.files.problems import Mark, Problem


def visible(folder: Path, *patterns: str) -> list[Path]:
    """Return the files of a directory that match these glob patterns, in the order of the paths.

    Hidden paths, with any part below the directory that begins with `.`, are ignored: editors, notebooks and
    Kubernetes (`..data`) keep second copies there.
    """
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    return sorted(path for path in found if not _hidden(path.relative_to(folder)))


def nothing_in(folder: Path, message: str) -> Problem:
    """Return the warning that a directory has no file of its kind."""
    remedy = "put a `*.yaml` file there, or name another folder"
    return Problem(Mark(str(folder), 1, 1), message, remedy, "warning")


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)

"""Folders of files that people write."""

from __future__ import annotations

from pathlib import Path


def visible(folder: Path, *patterns: str) -> list[Path]:
    """Return what a folder holds under these glob patterns, in the order of the paths.

    What is hidden is left out, a path below the folder with any part that begins with `.`: editors, notebooks
    and Kubernetes (`..data`) keep second copies there.
    """
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    return sorted(path for path in found if not _hidden(path.relative_to(folder)))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)

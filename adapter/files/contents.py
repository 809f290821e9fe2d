"""Read and replace whole files."""

from __future__ import annotations

import os
from pathlib import Path


def read(path: Path) -> bytes:
    """Return a file's bytes; raises OSError."""
    return path.read_bytes()


def replace(path: Path, text: str) -> None:
    """Replace or create a file, atomically and durably: readers see the old or the new. Raises OSError."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        temporary.chmod(path.stat().st_mode)
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name, too, outlives a loss of power
    finally:
        os.close(folder)

"""Read and replace whole files."""

from __future__ import annotations

from pathlib import Path


def read(path: Path) -> bytes:
    """Return a file's bytes; raises OSError."""
    return path.read_bytes()


def replace(path: Path, text: str) -> None:
    """Replace a file's text atomically, so that a reader sees the old or the new one; raises OSError."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(path.stat().st_mode)
    temporary.replace(path)

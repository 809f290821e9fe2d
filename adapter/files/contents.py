"""Files as bytes and as text: read whole, replaced whole."""

from __future__ import annotations

from pathlib import Path


def read(path: Path) -> bytes:
    """Return a file's bytes; raises OSError."""
    return path.read_bytes()


def replace(path: Path, text: str) -> None:
    """Replace a file's text at once, so that a reader sees the old or the new; raises OSError."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.chmod(path.stat().st_mode)
    beside.replace(path)

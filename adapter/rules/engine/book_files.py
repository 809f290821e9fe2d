"""The files of a rule book: which rules are drafts, and the digest that names their content."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from adapter.rules.files.rule_file import Compiled


def drafted(compiled: list[Compiled], drafts: Sequence[Path]) -> list[Compiled]:
    """Return the rules without those in whose place drafts have rules of the same names."""
    files = {str(draft) for draft in drafts}
    names = {one.rule.name for one in compiled if one.at.file in files}
    return [one for one in compiled if one.rule.name not in names or one.at.file in files]


def digest_of(texts: dict[Path, str]) -> str:
    """Return what names the exact content of files."""
    content = blake2b(digest_size=16)
    for path, text in sorted(texts.items()):
        content.update(f"{path.name}\0{len(text)}\0{text}".encode("utf-8", "surrogatepass"))
    return content.hexdigest()


def text_of(path: Path) -> str:
    """Return the text of a file, empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""

"""Pages and comments for users avoid words that hide who acts. Code on a page is not looked at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "docs" / "packs" / "README.md",
        ROOT / "adapter.toml",
    )
)
#: What to say instead: the one who acts, `permanently`, `except`, `receives`, `arrives again`.
AVOIDED = re.compile(
    r"\b(whoever|whomever|nobody|somebody|(?:is|are) told|for ever(?!y)|but for|save for|comes? again)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_avoids_words_that_hide_who_acts(page: Path) -> None:
    assert AVOIDED.findall(prose(page)) == []


def prose(page: Path) -> str:
    """Return a page without its code; of settings the comments."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".toml":
        text = "\n".join(line for line in text.splitlines() if line.startswith("# "))
    return re.sub(r"```.*?```|^    .*?$|`[^`]*`", "", text, flags=re.DOTALL | re.MULTILINE)

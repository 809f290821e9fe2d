"""The table of contents of docs/ names every page, and each of its links leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_of_contents_names_every_page() -> None:
    links = set(re.findall(r"\]\(([^)#]+)\)", (DOCS / "README.md").read_text("utf-8")))
    pages = {path.name for path in DOCS.glob("*.md")} - {"README.md"}
    assert pages <= links
    assert [link for link in links if not (DOCS / link).is_file()] == []

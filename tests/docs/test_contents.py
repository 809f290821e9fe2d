"""The table of contents of docs/ names every page, and each of its links leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_of_contents_names_every_page() -> None:
    links = set(re.findall(r"\]\(([^)#]+)\)", (DOCS / "README.md").read_text("utf-8")))
    pages = {path.name for path in DOCS.glob("*.md")} - {"README.md"}
    assert pages <= links
    assert [link for link in links if not (DOCS / link).is_file()] == []


def test_every_image_is_there_and_has_colours_for_dark_pages() -> None:
    pages = (DOCS.parent / "README.md", *DOCS.glob("*.md"))
    named = {
        page.parent / image
        for page in pages
        for image in re.findall(r'<(?:img src|source [^>]*srcset)="([^"]+)"', page.read_text("utf-8"))
    }
    assert named == {*DOCS.glob("images/*.svg"), *DOCS.glob("images/console/*.png")}
    for image in DOCS.glob("images/*.svg"):
        text = image.read_text("utf-8")
        assert "prefers-color-scheme: dark" in text
        assert ElementTree.fromstring(text).get("role") == "img"


def test_a_link_to_a_heading_leads_to_one() -> None:
    pages = {
        page.resolve(): page.read_text("utf-8") for page in (DOCS.parent / "README.md", *DOCS.rglob("*.md"))
    }
    lost = [
        f"{page.name}: {target}#{heading}"
        for page, text in pages.items()
        for target, heading in re.findall(r"\]\(([^)#:\s]*)#([^)]+)\)", text)
        if heading not in headings(pages[(page.parent / target).resolve() if target else page])
    ]
    assert lost == []


def headings(text: str) -> set[str]:
    """Return the headings of a page as links name them."""
    found = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}

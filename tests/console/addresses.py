"""Where the pages of the console are: each at its path, or as the first link to it has it, with its query."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import httpx
from selectolax.lexbor import LexborHTMLParser

from adapter.console.pages import PAGES

#: Pages that an act leads to, and no link; each does nothing here.
_AFTER_ACTS = {
    "/console/quarantine/progress": "/console/quarantine/progress?act=replay&everything=true&upto=0",
}
#: Pages that go on by themselves, as long as their act takes: they cannot be looked at with JavaScript.
PASSING = frozenset(_AFTER_ACTS)
#: Lists link to many customers and discounts; a few are enough.
_PER_PAGE = 3


def addresses(client: httpx.Client) -> dict[str, str]:
    """Return a path with its query for each page of the console, by the page's path.

    A page of the navigation is opened from there; another one by a link on a page that was opened
    before, or without a query where no link leads to it.
    """
    found = {page.path: page.path for page in PAGES if page.nav} | _AFTER_ACTS
    for path, address in linked(client):
        found.setdefault(path, address)
    return {page.path: found.get(page.path, page.path) for page in PAGES}


def linked(client: httpx.Client) -> Iterator[tuple[str, str]]:
    """Yield the path and the address of pages, those of the navigation first, then as links lead on."""
    paths = {page.path for page in PAGES}
    seen: dict[str, int] = {}
    waiting = deque(page.path for page in PAGES if page.nav)
    known = set(waiting)
    while waiting:
        address = waiting.popleft()
        yield urlsplit(address).path, address
        for link in links(client.get(address).text, address):
            path = urlsplit(link).path
            if path in paths and link not in known and seen.get(path, 0) < _PER_PAGE:
                seen[path] = seen.get(path, 0) + 1
                known.add(link)
                waiting.append(link)


def links(html: str, address: str) -> Iterator[str]:
    """Yield the local targets of a page's links, in their order."""
    for each in LexborHTMLParser(html).css("main a[href]"):
        target = urlsplit(urljoin(address, each.attributes["href"] or ""))
        if not target.netloc:
            yield target.path + (f"?{target.query}" if target.query else "")


def twin(address: str) -> str:
    """Return the address of a page's JSON twin."""
    path, mark, query = address.partition("?")
    return f"{path}.json{mark}{query}"

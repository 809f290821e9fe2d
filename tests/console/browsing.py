"""Pages in Chromium that are watched: what they log, what they ask of others, what axe finds in them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

Scheme = Literal["light", "dark"]
#: The width of a small phone, at which every page must be usable.
NARROW = 360
WIDE = 1280
HEIGHT = 800


class OpenPage(Protocol):
    """Opens a page of a server, in a context (cookies, storage) of its own unless one is given."""

    def __call__(
        self,
        url: str,
        *,
        scheme: Scheme = "light",
        width: int = WIDE,
        javascript: bool = True,
        context: BrowserContext | None = None,
    ) -> Page: ...


class Watch:
    """What goes wrong on the pages of one origin: errors in the console, exceptions, requests to others."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._problems: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def follow(self, context: BrowserContext) -> None:
        """Watch all pages of a context."""
        context.on("console", self._logged)
        context.on("weberror", lambda found: self._problems.append(f"exception: {found.error}"))
        context.on("request", self._requested)

    def expect(self, pattern: str) -> None:
        """Take problems that a regular expression finds for what the test is about."""
        self._expected.append(re.compile(pattern))

    @property
    def problems(self) -> list[str]:
        """What went wrong, in words, and was not expected."""
        return [each for each in self._problems if not any(one.search(each) for one in self._expected)]

    def _logged(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"}:
            place = message.location
            self._problems.append(f"console {message.type}: {message.text} ({place['url']})")

    def _requested(self, request: Request) -> None:
        if origin(request.url) not in {self._origin, "data:", "blob:", "about:"}:
            self._problems.append(f"request to another origin: {request.url}")


def origin(url: str) -> str:
    """Return the scheme, host and port of a URL; its scheme alone where it has no host."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def new_context(
    chromium: Browser, *, scheme: Scheme = "light", width: int = WIDE, javascript: bool = True
) -> BrowserContext:
    """Return a new context: without cookies and motion, in one scheme of colours, one width, and UTC."""
    context = chromium.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": HEIGHT},
        java_script_enabled=javascript,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    # A machine with many tests is slow at times.
    context.set_default_timeout(20_000)
    return context


def axe(page: Page) -> list[str]:
    """Return what axe finds serious or critical on a page, a line for each rule and element."""
    page.evaluate(_axe())
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['html'][:300]} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ]


def sideways(page: Page) -> list[str]:
    """Return the elements that make the page scroll sideways; boxes that scroll by themselves do not."""
    found: list[str] = page.evaluate(_SIDEWAYS)
    return found


def turned(page: Page) -> list[str]:
    """Return the elements in which text that runs from right to left is beside other text, which it turns.

    A text is by itself in a block, or in an element that isolates it.
    """
    found: list[str] = page.evaluate(_TURNED)
    return found


_TURNED = """() => {
  const alone = element => {
    const style = getComputedStyle(element);
    return /isolate|plaintext/.test(style.unicodeBidi) || !style.display.startsWith('inline') ||
      style.display === 'inline-block';
  };
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    let around = text.parentElement;
    if (!text.data.includes('\\u202e') || around.closest('option, script, textarea, datalist')) continue;
    while (!alone(around)) around = around.parentElement;
    if (around.textContent.trim() !== text.data.trim()) found.add(around.outerHTML.slice(0, 300));
  }
  return [...found];
}"""
_SIDEWAYS = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.body.querySelectorAll('*')]
    .filter(one => one.getBoundingClientRect().right > width + 1)
    .map(one => one.cloneNode(false).outerHTML);
}"""


@cache
def _axe() -> str:
    return (Path(__file__).parent / "vendor" / "axe" / "axe.min.js").read_text()

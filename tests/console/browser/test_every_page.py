"""Every page of the console in Chromium, from the list of pages: light, dark, narrow, without JavaScript."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from playwright.sync_api import Response

from adapter.console.pages import PAGES
from tests.acceptance.conftest import Server
from tests.chromium import IN_BROWSER
from tests.console.addresses import PASSING, addresses
from tests.console.browsing import NARROW, WIDE, OpenPage, Scheme, axe, sideways
from tests.console.signing_in import visitor

pytestmark = IN_BROWSER

EVERY = pytest.mark.parametrize("path", [page.path for page in PAGES])
LASTING = pytest.mark.parametrize("path", [page.path for page in PAGES if page.path not in PASSING])


class Look(NamedTuple):
    """How a page is looked at."""

    scheme: Scheme
    width: int


LOOKS = {"light": Look("light", WIDE), "dark": Look("dark", WIDE), "narrow": Look("light", NARROW)}


@pytest.fixture(scope="module")
def urls(busy_console: Server) -> dict[str, str]:
    """The URL of each page, by its path."""
    with visitor(busy_console.url) as client:
        return {path: busy_console.url + address for path, address in addresses(client).items()}


@LASTING
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_page_has_no_error_is_accessible_and_does_not_scroll_sideways(
    open_page: OpenPage, urls: dict[str, str], path: str, look: Look
) -> None:
    page = open_page(urls[path], scheme=look.scheme, width=look.width)
    assert page.locator("main h1").count() == 1
    assert axe(page) == []
    assert sideways(page) == []


@EVERY
def test_a_page_shows_itself_without_javascript(open_page: OpenPage, urls: dict[str, str], path: str) -> None:
    page = open_page(urls[path], javascript=False)
    assert page.locator("main h1").is_visible()
    assert page.locator("nav a[aria-current=page]").count() <= 1
    answers: list[Response] = []
    page.on(
        "response", lambda answer: answers.append(answer) if answer.request.is_navigation_request() else None
    )
    filters = page.locator("main form[method=get]:valid [type=submit]")
    if filters.count():
        filters.first.click()
        assert [each.status for each in answers] == [200]


@LASTING
def test_a_page_is_used_with_the_keyboard(open_page: OpenPage, urls: dict[str, str], path: str) -> None:
    page = open_page(urls[path])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"

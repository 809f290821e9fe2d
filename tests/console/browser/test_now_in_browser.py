"""The page Now in a browser: figures without a reload, and none while nobody can see them."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.acceptance.conftest import Server
from tests.chromium import IN_BROWSER
from tests.console.browsing import OpenPage

pytestmark = IN_BROWSER

#: More than the ten seconds after which the figures are read again, in milliseconds of the page's clock.
A_WHILE = 11_000


def opened(console: Server, open_page: OpenPage) -> tuple[Page, list[str]]:
    """Open the page with a clock that is set, and note what it asks for from then on."""
    page = open_page(f"{console.url}/console/audit")
    page.clock.install()
    page.goto(f"{console.url}/console/now")
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    return page, asked


def test_figures_are_read_again_without_a_reload_and_what_is_unfolded_stays_so(
    console: Server, open_page: OpenPage
) -> None:
    page, asked = opened(console, open_page)
    page.locator("summary", has_text="with the day before").click()
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.getElementById('present').dataset.old = 'yes'")
    page.clock.run_for(A_WHILE)
    expect(page.locator("#present[data-old]")).to_have_count(0)
    expect(page.get_by_role("columnheader", name="Day before")).to_be_visible()
    expect(page.locator("figure.plot canvas")).to_have_count(3)
    assert asked == [f"{console.url}/console/now"]


def test_nothing_is_read_while_the_page_is_hidden(console: Server, open_page: OpenPage) -> None:
    page, asked = opened(console, open_page)
    hide = "Object.defineProperty(document, 'visibilityState', {value: '%s', configurable: true})"
    changed = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(f"{hide % 'hidden'}; {changed}")
    page.clock.run_for(10 * A_WHILE)
    assert asked == []
    page.evaluate("document.getElementById('present').dataset.old = 'yes'")
    page.evaluate(f"{hide % 'visible'}; {changed}")
    expect(page.locator("#present[data-old]")).to_have_count(0)


def test_plots_show_the_last_day_where_the_url_says_so(console: Server, open_page: OpenPage) -> None:
    page = open_page(f"{console.url}/console/now")
    page.get_by_role("link", name="Last day").click()
    assert page.url.endswith("/console/now?window=day")
    expect(page.get_by_role("heading", name="Last day")).to_be_visible()
    page.locator("figure.plot summary").first.click()
    assert page.locator("figure.plot").first.locator("tbody tr").count() >= 48

"""The page Events in a browser: messages appear as they arrive, the list holds still while one is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.acceptance.conftest import Server, StartServer
from tests.chromium import IN_BROWSER
from tests.console.browsing import NARROW, OpenPage, Watch
from tests.console.signing_in import READ, TOKENS

pytestmark = IN_BROWSER

expect.set_options(timeout=15_000)  # of a busy machine
_NUMBERS = count(1)


def send(server: Server, **members: Any) -> str:
    """Send an event as Segment does, and return its message id."""
    id_ = members.setdefault("messageId", f"evt-{next(_NUMBERS)}")
    given = {"type": "track", "event": "Checkout Started", "userId": f"user-of-{id_}"}
    properties = {"value": 150, "currency": "USD", "shipping_country": "US"}
    body = {**given, "properties": properties, **members}
    httpx.post(f"{server.url}/webhooks/segment", json=body).raise_for_status()
    return str(id_)


def row(page: Page, id_: str) -> Any:
    return page.locator("#messages tr", has_text=re.compile(rf"\b{re.escape(id_)}\b"))


def live(page: Page) -> Page:
    """Wait until a page follows what arrives."""
    expect(page.locator("#following")).to_have_text("Live.")
    return page


def test_events_sent_by_http_appear_by_themselves(console: Server, open_page: OpenPage) -> None:
    page = live(open_page(f"{console.url}/console/events"))
    id_ = send(console)
    expect(row(page, id_)).to_be_visible()
    expect(row(page, id_)).to_contain_text("processed")
    ignored = send(console, type="page", event=None, name="Home")
    expect(row(page, ignored)).to_be_visible()


def test_opening_a_message_pauses_the_list_and_says_so(console: Server, open_page: OpenPage) -> None:
    first = send(console)
    page = live(open_page(f"{console.url}/console/events"))
    row(page, first).locator("a.opens").click()
    expect(page.locator("#following")).to_have_text("Paused while a message is open: 0 new.")
    expect(page.locator("#journey")).to_contain_text("As it came")
    second = send(console)
    expect(page.locator("#following")).to_have_text("Paused while a message is open: 1 new.")
    expect(row(page, second)).to_have_count(0)
    assert "open=" in page.url
    page.get_by_role("link", name="Close").click()
    expect(row(page, second)).to_be_visible()
    expect(page.locator("#following")).to_have_text("Live.")
    assert "open=" not in page.url


def test_a_message_that_is_open_is_in_the_url(console: Server, open_page: OpenPage) -> None:
    id_ = send(console)
    page = live(open_page(f"{console.url}/console/events"))
    row(page, id_).locator("a.opens").click()
    expect(page.locator("#journey h2")).to_contain_text("Checkout Started")
    again = open_page(page.url)
    expect(again.locator("#journey h2")).to_contain_text("Checkout Started")
    expect(again.locator("#following")).to_have_text("Paused while a message is open: 0 new.")


def test_the_filter_is_in_the_url_and_holds_for_what_arrives(console: Server, open_page: OpenPage) -> None:
    bad = send(console, userId=None)
    page = open_page(f"{console.url}/console/events")
    page.get_by_label("Filter").fill("outcome:quarantined")
    page.get_by_role("button", name="Show").click()
    assert "q=outcome%3Aquarantined" in page.url
    live(page)
    expect(row(page, bad)).to_be_visible()
    good, worse = send(console), send(console, userId=None)
    expect(row(page, worse)).to_be_visible()
    expect(row(page, good)).to_have_count(0)


def test_a_mistake_in_the_filter_is_said_beside_it(console: Server, open_page: OpenPage) -> None:
    page = open_page(f"{console.url}/console/events?q=source:segment+outcome:lost")
    expect(page.get_by_role("alert")).to_contain_text("`lost` is no outcome")
    expect(page.get_by_role("alert")).to_contain_text("at character 16")
    expect(page.get_by_label("Filter")).to_have_value("source:segment outcome:lost")


def test_suggestions_follow_what_one_types(console: Server, open_page: OpenPage) -> None:
    page = open_page(f"{console.url}/console/events")
    box, offered = page.get_by_label("Filter"), page.locator("#suggested option")
    box.press_sequentially("source:segment outc")
    expect(offered).to_have_count(1)
    expect(offered).to_have_attribute("value", "source:segment outcome:")
    box.press_sequentially("ome:qu")
    expect(offered).to_have_attribute("value", "source:segment outcome:quarantined")


def test_the_journey_of_a_processed_message(
    console: Server, open_page: OpenPage, check_axe: Callable[[Page], None]
) -> None:
    id_ = send(console)
    page = open_page(f"{console.url}/console/events?q=message:{id_}")
    row(page, id_).locator("a.opens").click()
    journey = page.locator("#journey")
    expect(journey).to_contain_text('"value": 150')
    expect(journey.get_by_role("row", name=re.compile("source_id"))).to_contain_text("$.userId")
    expect(journey).to_contain_text("Recomputed with the files in force")
    rule = journey.locator("details.rule", has_text="high-value-cart-first-purchase")
    expect(rule).to_contain_text("issued")
    expect(rule).to_contain_text("cart_value >= 120")
    expect(journey.get_by_role("region", name="Discounts")).to_contain_text("HV15-")
    check_axe(page)


def test_the_journey_of_a_quarantined_message(console: Server, open_page: OpenPage) -> None:
    id_ = send(console, userId=None)
    page = open_page(f"{console.url}/console/events?q=outcome:quarantined", width=NARROW)
    row(page, id_).locator("a.opens").click()
    journey = page.locator("#journey")
    expect(journey).to_contain_text("no source_id: the message has neither userId nor anonymousId")
    expect(journey.locator("h3", has_text="Decision")).to_have_count(0)


def test_the_list_pauses_and_goes_on_at_a_press_of_a_button(console: Server, open_page: OpenPage) -> None:
    page = live(open_page(f"{console.url}/console/events"))
    page.get_by_role("button", name="Pause").click()
    id_ = send(console)
    expect(page.locator("#following")).to_have_text("Paused by you: 1 new.")
    expect(row(page, id_)).to_have_count(0)
    page.get_by_role("button", name="Resume").click()
    expect(row(page, id_)).to_be_visible()


def test_without_javascript_a_message_opens_beside_the_list(console: Server, open_page: OpenPage) -> None:
    id_ = send(console)
    page = open_page(f"{console.url}/console/events", javascript=False)
    row(page, id_).locator("a.opens").click()
    expect(page.locator("#journey")).to_contain_text("As it came")
    expect(row(page, id_)).to_be_visible()


def test_a_list_whose_server_has_stopped_says_so(
    start_console: StartServer, open_page: OpenPage, watches: dict[str, Watch]
) -> None:
    server = start_console()
    page = live(open_page(f"{server.url}/console/events"))
    watches[server.url].expect("ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE")
    server.stop()
    expect(page.locator("#following")).to_have_text("The server cannot be reached; trying again.")


def test_a_reader_sees_no_masked_addresses_in_rows_that_arrive(
    start_console: StartServer, open_page: OpenPage
) -> None:
    server = start_console(**TOKENS, ADAPTER_CONSOLE_MASK="email", ADAPTER_SEGMENT_WRITE_KEYS="key")
    page = open_page(f"{server.url}/console/events")
    page.get_by_label("Token").fill(READ)
    page.get_by_role("button", name="Sign in").click()
    live(page)
    track = {"event": "Checkout Started", "messageId": "hidden-1", "userId": "ann@example.com"}
    httpx.post(f"{server.url}/v1/track", json=track, auth=("key", "")).raise_for_status()
    expect(row(page, "hidden-1")).to_contain_text("***")
    assert "ann@example.com" not in page.content()

"""In Chromium: a mapping is tried and written, a rule is looked at, simulations are compared."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.conftest import Server, StartServer
from tests.chromium import IN_BROWSER
from tests.console.browsing import OpenPage, axe

pytestmark = IN_BROWSER

RULE = """\
rules:
  - name: cart
    trigger: checkout_started
    conditions: {all: [cart_value >= 100]}
    action: {type: percentage_off, value: 15, max_amount: 40}
    guardrails: {max_daily_redemptions: 5, stackable: true}
"""
MAPPING = """\
source: segment
mappings:
  - name: Checkout
    subscribe: type = "track" and event = "Checkout Started"
    action: event
    fields:
      source_id: {"@path": $.userId}
      name: checkout_started
      occurred_at: {"@path": $.timestamp}
      attributes: {cart_value: {"@path": $.properties.value}}
"""
PAYLOAD = {
    "type": "track", "event": "Checkout Started", "messageId": "m-1", "userId": "u-1",
    "timestamp": "2026-11-30T10:00:00Z", "properties": {"value": 50, "subtotal": 150},
}  # fmt: skip


@pytest.fixture
def shop(start_console: StartServer, tmp_path: Path) -> Server:
    """A server with one mapping and one rule, which the console may write."""
    for kind, text in (("rules", RULE), ("mappings", MAPPING)):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"{kind}.yaml").write_text(text)
    return start_console(
        rules=tmp_path / "rules", ADAPTER_FILES_MAPPINGS=str(tmp_path / "mappings"),
        ADAPTER_CONSOLE_WRITE_FILES="true",
    )  # fmt: skip


def send(shop: Server, payload: object = PAYLOAD) -> None:
    httpx.post(f"{shop.url}/webhooks/segment", json=payload).raise_for_status()


def test_errors_appear_at_their_line_as_one_types(shop: Server, open_page: OpenPage) -> None:
    page = open_page(f"{shop.url}/console/playground")
    text = page.locator("#mappings_text")
    text.fill(MAPPING.replace("name: checkout_started", "nam: checkout_started"))
    problem = page.locator("#mappings_problems li[data-severity=error]").first
    expect(problem).to_be_visible()
    line = problem.get_attribute("data-line")
    marked = page.locator(".editor .lines li.error").first
    expect(marked).to_contain_text(f"✕ {line}")
    problem.get_by_role("link").click()
    expect(text).to_be_focused()
    text.fill(MAPPING)
    expect(page.locator("#mappings_problems")).to_contain_text("No problem found")
    expect(page.locator(".editor .lines li.error")).to_have_count(0)


def test_a_mapping_is_tried_on_a_recorded_message_and_written(
    shop: Server, open_page: OpenPage, tmp_path: Path
) -> None:
    send(shop)
    page = open_page(f"{shop.url}/console/playground?message=m-1")
    expect(page.locator("#tried")).to_contain_text("cart_value is 50, needs at least 100")
    mended = MAPPING.replace("$.properties.value", "$.properties.subtotal")
    page.locator("#mappings_text").fill(mended)
    page.locator("#try").click()
    expect(page.locator("#tried")).to_contain_text("$.properties.subtotal")
    expect(page.locator("#tried .verdict").first).to_contain_text("issued")
    expect(page.locator(".diff .added").first).to_contain_text("subtotal")
    assert axe(page) == []
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_role("status").first).to_contain_text("is written")
    assert (tmp_path / "mappings" / "mappings.yaml").read_text() == mended


def test_a_draft_is_tried_without_javascript(shop: Server, open_page: OpenPage) -> None:
    page = open_page(f"{shop.url}/console/playground", javascript=False)
    page.locator("#payload").fill(json.dumps(PAYLOAD))
    page.locator("#mappings_text").fill(MAPPING.replace("$.properties.value", "$.properties.subtotal"))
    page.locator("#try").click()
    expect(page.locator("#tried .verdict").first).to_contain_text("issued")


def test_a_rule_is_found_and_looked_at(shop: Server, open_page: OpenPage) -> None:
    send(shop, {**PAYLOAD, "properties": {"value": 150}})
    page = open_page(f"{shop.url}/console/rules")
    page.get_by_label("Search").fill("nothing like it")
    expect(page.locator("#found")).to_contain_text("No rule")
    page.get_by_label("Search").fill("cart")
    page.get_by_role("link", name="cart").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("cart")
    expect(page.get_by_role("group", name="Conditions")).to_contain_text("1 of 1")
    expect(page.get_by_role("group", name="Latest decisions")).to_contain_text("u-1")
    assert axe(page) == []


def test_a_simulation_is_started_watched_and_compared(shop: Server, open_page: OpenPage) -> None:
    for number in range(3):
        send(shop, {**PAYLOAD, "messageId": f"m-{number}", "userId": f"u-{number}"})
    page = open_page(f"{shop.url}/console/simulations?file=rules.yaml")
    start(page, "As it is", RULE)
    page.goto(f"{shop.url}/console/simulations?file=rules.yaml")
    start(page, "Cheaper", RULE.replace("cart_value >= 100", "cart_value >= 10"))
    expect(page.locator("#state .cards")).to_contain_text("in force: 0")
    page.get_by_label("Compare with").select_option(index=1)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#state .cards")).to_contain_text("As it is: 0")
    expect(page.get_by_role("group", name="Some who gain")).to_contain_text("u-0")
    assert axe(page) == []


def start(page: Page, title: str, draft: str) -> None:
    """Start a simulation of a draft, and watch it until it is done."""
    page.get_by_label("Draft of rules.yaml").fill(draft)
    page.get_by_label("Since").fill("400d")
    page.get_by_label("Name", exact=True).fill(title)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.locator("#state .pill").first).to_have_text("done", timeout=60_000)

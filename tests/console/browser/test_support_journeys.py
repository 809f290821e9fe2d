"""What support does in Chromium: a message is mended and replayed, a code revoked, a file imported."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from adapter.model.encoding import encode
from tests.acceptance.conftest import Server, StartServer
from tests.chromium import IN_BROWSER
from tests.console.browsing import OpenPage
from tests.console.signing_in import ADMIN, OPERATE, READ, TOKENS

pytestmark = IN_BROWSER

MAPPING = """\
source: segment
mappings:
  - name: Event from track
    subscribe: type = "track"
    action: event
    fields:
      source_id: {"@path": "$.userId"}
      name: {"@path": "$.event"}
      occurred_at: {"@path": "$.timestamp"}
  - name: Customer from identify
    subscribe: type = "identify"
    action: customer.upsert
    fields:
      source_id: {"@path": "$.userId"}
      traits: {"@path": "$.traits"}
"""
RULE = "rules: [{name: welcome, trigger: started, action: {type: percentage_off, value: 5, max_amount: 9}}]\n"
SECRET = "a shared secret of segment"
FILE = b"user,mail\nc-1,ada@mail.example\nc-2,bo@mail.example\n,nobody@mail.example\n"


def track(server: Server, **members: str) -> None:
    """Send a message as Segment does."""
    now = datetime.now(UTC).isoformat()
    body = encode({"type": "track", "event": "started", "timestamp": now, "messageId": now} | members)
    signature = hmac.digest(SECRET.encode(), body, "sha1").hex()
    answer = httpx.post(f"{server.url}/webhooks/segment", content=body, headers={"X-Signature": signature})
    assert answer.status_code == 200, answer.text


@pytest.fixture
def mappings(tmp_path: Path) -> Path:
    """The mapping file of the shop, which a test mends."""
    folder = tmp_path / "shop-mappings"
    folder.mkdir()
    (folder / "segment.yaml").write_text(MAPPING)
    return folder / "segment.yaml"


@pytest.fixture
def shop(start_console: StartServer, mappings: Path, tmp_path: Path) -> Server:
    """A server whose console asks for a token."""
    rules = tmp_path / "shop-rules"
    rules.mkdir()
    (rules / "rules.yaml").write_text(RULE)
    return start_console(
        rules=rules,
        **TOKENS,
        ADAPTER_FILES_MAPPINGS=str(mappings.parent),
        ADAPTER_CONSOLE_WRITE_FILES="true",
        ADAPTER_SEGMENT_SHARED_SECRETS=SECRET,
    )


@pytest.fixture
def visit(open_page: OpenPage, shop: Server) -> Callable[[str, str], Page]:
    """Opens a page of the console with a token."""

    def signed_in(path: str, token: str = OPERATE) -> Page:
        page = open_page(f"{shop.url}{path}")
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{shop.url}{path}")
        return page

    return signed_in


def test_a_quarantined_message_is_mended_in_the_playground_and_replayed(
    visit: Callable[..., Page], shop: Server, mappings: Path, check_axe: Callable[[Page], None]
) -> None:
    track(shop, anonymousId="a-1")
    page = visit("/console/quarantine", ADMIN)
    check_axe(page)
    page.get_by_role("link", name="try").click()
    expect(page.get_by_role("link", name="of the quarantine")).to_be_visible()
    text = page.get_by_label("Text of segment.yaml")
    text.fill(MAPPING.replace("$.userId", "$.anonymousId"))
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.get_by_label("Rule welcome")).to_contain_text("issued")
    page.get_by_role("button", name="Write").click()
    expect(page.locator("p[role=status]")).to_contain_text("is written")
    assert "$.anonymousId" in mappings.read_text()
    replay_until_it_passes(page, shop)
    expect(page.get_by_text("Nothing is in quarantine.")).to_be_visible()
    page.goto(f"{shop.url}/console/customer?id=a-1")
    expect(page.get_by_role("row", name="event started")).to_be_visible()


def replay_until_it_passes(page: Page, shop: Server) -> None:
    """Replay the group of the only message: the server reads the file within a moment."""
    for _ in range(20):
        page.goto(f"{shop.url}/console/quarantine")
        page.locator("#groups th a").click()
        page.get_by_role("button", name="Replay 1 messages").click()
        status = page.locator("p[role=status]")
        status.wait_for()
        if "1 messages were replayed" in status.inner_text():
            return


def test_a_code_is_revoked_with_a_reason(
    visit: Callable[..., Page], shop: Server, check_axe: Callable[[Page], None]
) -> None:
    track(shop, userId="ann")
    page = visit("/console/discounts")
    page.locator("#found th a").click()
    check_axe(page)
    page.get_by_label("Reason").fill("a mistake")
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status")).to_contain_text("was revoked.")
    expect(page.get_by_role("list")).to_contain_text(["revoked: a mistake"])


def test_a_file_is_uploaded_previewed_and_imported(
    visit: Callable[..., Page], shop: Server, check_axe: Callable[[Page], None]
) -> None:
    page = visit("/console/imports")
    page.get_by_label("CSV or JSON lines").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": FILE}
    )
    page.get_by_role("button", name="Upload").click()
    page.get_by_label("What mail becomes").select_option("email")
    page.get_by_role("button", name="Dry run of the whole file").click()
    expect(page.get_by_text("2 would be accepted, 1 refused")).to_be_visible()
    expect(page.get_by_label("Dry run", exact=True)).to_contain_text('"email": "ada@mail.example"')
    check_axe(page)
    page.get_by_role("button", name="Start the import").click()
    expect(page.locator("#progress")).to_contain_text("done", timeout=20_000)
    with page.expect_download() as refused:
        page.reload()
        page.get_by_role("link", name="Download them").click()
    assert "nobody@mail.example" in Path(refused.value.path()).read_text()
    page.goto(f"{shop.url}/console/customers?q=ada@mail.example")
    expect(page.get_by_role("link", name="c-1")).to_be_visible()


def test_a_reader_sees_it_all_and_cannot_act(visit: Callable[..., Page], shop: Server) -> None:
    track(shop, userId="ann")
    track(shop, anonymousId="a-1")
    page = visit("/console/discounts", READ)
    expect(page.locator("#found th a")).to_be_visible()
    for path in ("discounts", "quarantine", "deliveries", "imports"):
        page.goto(f"{shop.url}/console/{path}")
        assert page.locator("main form[method=post]").count() == 0


def test_a_list_follows_what_is_typed_and_its_address_keeps_it(
    visit: Callable[..., Page], shop: Server
) -> None:
    for who in ("ann", "bob"):
        track(shop, userId=who)
    page = visit("/console/discounts")
    expect(page.locator("#found tbody tr")).to_have_count(2)
    page.get_by_label("Customer").press_sequentially("ann")
    expect(page.locator("#found tbody tr")).to_have_count(1)
    page.wait_for_url("**/console/discounts?*customer=ann*")
    page.reload()
    expect(page.locator("#found tbody tr")).to_have_count(1)

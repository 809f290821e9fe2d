"""What support and operators do in Chromium: a message is mended and replayed, a code revoked, a file imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.conftest import Server, StartServer
from tests.chromium import IN_BROWSER
from tests.console.browsing import OpenPage
from tests.console.signing_in import OPERATE, READ, TOKENS

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
FILE = b"user,mail\nc-1,ada@mail.example\nc-2,bo@mail.example\n,nobody@mail.example\n"


def track(server: Server, **members: str) -> None:
    """Send a message as Segment does."""
    message = {"type": "track", "event": "started", "timestamp": "2026-11-30T20:00:00Z"} | members
    answer = httpx.post(
        f"{server.url}/webhooks/segment", json=message, headers={"Authorization": f"Bearer {TOKENS['ADAPTER_API_TOKENS']}"}
    )
    assert answer.status_code == 200, answer.text


@pytest.fixture
def mappings(tmp_path: Path) -> Path:
    """The mapping file of the shop, which a test mends."""
    folder = tmp_path / "shop-mappings"
    folder.mkdir()
    (folder / "segment.yaml").write_text(MAPPING)
    return folder / "segment.yaml"


@pytest.fixture
def shop(start_console: StartServer, mappings: Path, tmp_path: Path) -> Iterator[Server]:
    """A server whose console asks for a token."""
    rules = tmp_path / "shop-rules"
    rules.mkdir()
    (rules / "rules.yaml").write_text(RULE)
    yield start_console(
        **TOKENS, ADAPTER_MAPPINGS=str(mappings.parent), ADAPTER_SEGMENT_ALLOW_UNSIGNED="true"
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

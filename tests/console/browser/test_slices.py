"""Acts in slices go on by themselves, but never where a link of another site leads to their page."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Server
from tests.chromium import IN_BROWSER
from tests.console.browsing import OpenPage
from tests.console.signing_in import OPERATE

pytestmark = IN_BROWSER

SLICES = {
    "quarantine": "/console/quarantine/progress?act=discard&everything=true&upto=0&reason=none",
    "discounts": "/console/discounts/revoke-rule?rule=flash-sale&reason=none&after=FLASH-A",
}


@pytest.mark.parametrize("path", SLICES.values(), ids=SLICES)
def test_a_link_from_elsewhere_begins_no_act(open_page: OpenPage, guarded_console: Server, path: str) -> None:
    posts: list[str] = []
    page = open_page(guarded_console.url + "/console/sign-in")
    page.get_by_label("Token").fill(OPERATE)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/now")
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.goto("about:blank")
    page.set_content(f'<a href="{guarded_console.url}{path}">a present for you</a>')
    page.get_by_text("a present").click()
    page.locator("main h1").wait_for()
    page.wait_for_timeout(600)  # it would go on after 300 ms
    assert posts == []
    assert page.get_by_role("button", name="Go on").count() == 0

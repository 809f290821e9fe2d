"""Acts in slices go on by themselves, and never where a link of another site leads to them."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Server
from tests.chromium import IN_BROWSER
from tests.console.browsing import OpenPage, Watch
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
    page.get_by_role("button", name="Go on").wait_for()
    page.wait_for_timeout(600)  # it would go on after 300 ms
    assert posts == []


def test_an_act_goes_on_where_its_own_page_leads_to_it(
    open_page: OpenPage, console: Server, watch: Watch
) -> None:
    page = open_page(console.url + "/console/quarantine")
    page.evaluate(f"location.href = '{SLICES['quarantine']}'")
    page.wait_for_url("**/console/quarantine?done=*")

"""What a page that goes on by itself does when its visitor is signed out, in Chromium."""

from __future__ import annotations

import httpx

from tests.chromium import IN_BROWSER
from tests.console.browsing import OpenPage
from tests.console.sessions import Signed
from tests.console.signing_in import READ

pytestmark = IN_BROWSER


def test_the_list_of_who_was_signed_out_leads_to_the_sign_in_and_that_back(
    signed: Signed, open_page: OpenPage
) -> None:
    page = open_page(f"{signed.server.url}/console/events")
    page.fill("input[name=token]", READ)
    page.click("button[type=submit]")
    page.wait_for_url("**/console/events")
    page.wait_for_function("document.getElementById('following').textContent === 'Live.'")
    signed.revoke(httpx.Client())
    page.wait_for_url("**/console/sign-in?next=%2Fconsole%2Fevents")

"""What a page that goes on by itself does when its visitor is signed out, in Chromium."""

from __future__ import annotations

import httpx

from tests.chromium import IN_BROWSER
from tests.console.browsing import OpenPage, Watch, origin
from tests.console.sessions import Signed
from tests.console.signing_in import READ, visitor

pytestmark = IN_BROWSER
STREAM = "/console/events/stream?after=0"


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


def test_a_page_that_reads_itself_again_leads_to_the_sign_in_too(
    signed: Signed, open_page: OpenPage, watches: dict[str, Watch]
) -> None:
    page = open_page(f"{signed.server.url}/console/deliveries")
    watches[origin(signed.server.url)].expect("status of 401")
    page.fill("input[name=token]", READ)
    page.click("button[type=submit]")
    page.wait_for_url("**/console/deliveries")
    page.clock.install()
    page.goto(f"{signed.server.url}/console/deliveries")
    with visitor(signed.server.url, READ) as client, client.stream("GET", STREAM) as answer:
        signed.revoke(client)
        assert list(answer.iter_lines())  # it ends when the reload has
    page.clock.fast_forward(11_000)
    page.wait_for_url("**/console/sign-in?next=%2Fconsole%2Fdeliveries")

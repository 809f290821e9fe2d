"""Whatever anybody sends is text on every page: markup, right-to-left marks, 100 KB."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from tests.acceptance.conftest import Server
from tests.chromium import IN_BROWSER
from tests.console.browsing import NARROW, OpenPage, sideways, turned
from tests.console.hostile import MARK, Attacker, became_markup, hostile, text_of
from tests.length import length

LONG = 100_000
#: Pages are for people, and not for what no one reads: one does not get larger than this by long text.
MOST_BYTES = 3_000_000


@pytest.fixture
def client(console: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=console.url, timeout=30) as client:
        yield client


@pytest.mark.slow
@settings(
    max_examples=length(8, 50),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=hostile)
def test_text_is_text_on_every_page(console: Server, text: str) -> None:
    with httpx.Client(base_url=console.url, timeout=30) as client:
        attacker = Attacker(client)
        attacker.attack(text)
        shown = []
        for address, status, html in attacker.pages(text):
            assert status < 500, (address, html)
            assert became_markup(html) == [], address
            shown.append(text_of(html))
        assert any(MARK in each for each in shown)


WRONG = {
    "an element": "<p><evil>x</evil>",
    "the attribute evil": '<p title="" evil="">',
    "the attribute onclick": '<p onclick="x">',
    "the target href": '<a href="javascript:evil()">x</a>',
    "a script or style": "<script>let x = 'evil'</script>",
    "what base loads": '<base href="/evil">',
    "a comment": "<p><!-- evil -->",
}


@pytest.mark.parametrize(("found", "html"), WRONG.items(), ids=WRONG)
def test_text_that_became_markup_is_found(found: str, html: str) -> None:
    assert found in str(became_markup(f"<!doctype html><body>{html}"))


def test_text_that_is_escaped_is_no_markup() -> None:
    html = '<!doctype html><p title="&lt;evil&gt;">&lt;evil&gt;</p><a href="/console?x=javascript:evil">x</a>'
    assert became_markup(html) == []
    assert text_of(html) == "<evil>x"


def test_long_text_breaks_no_page(client: httpx.Client) -> None:
    attacker = Attacker(client)
    attacker.attack(f"{MARK} {'long ' * (LONG // 5)}")
    attacker.attack(f"{MARK}{'x' * LONG}")
    for address, status, html in attacker.pages(MARK):
        assert status < 500, (address, html)
        assert len(html) < MOST_BYTES, address


#: Each would run if it became markup, and say so.
RUNS = (
    "<img src=x onerror=\"console.error('evil ran')\">",
    "\"><svg onload=\"console.error('evil ran')\"></svg><script>console.error('evil ran')</script>",
    "' autofocus onfocus='console.error(1)' evil='{{ constructor.constructor(1) }}",
)


class TestInChromium:
    pytestmark = IN_BROWSER

    @pytest.mark.parametrize("text", RUNS)
    def test_no_script_runs(
        self, open_page: OpenPage, console: Server, client: httpx.Client, text: str
    ) -> None:
        attacker = Attacker(client)
        attacker.attack(text)
        page = open_page(console.url + "/console/audit")
        for address, status, _ in attacker.pages(text):
            if status == 200 and "…" not in address:
                page.goto(console.url + address)
                assert page.locator("evil, [evil], main img").count() == 0, address

    def test_text_from_right_to_left_turns_nothing_beside_it(
        self, open_page: OpenPage, console: Server, client: httpx.Client
    ) -> None:
        text = f"{MARK}\u202eabc"
        attacker = Attacker(client)
        attacker.attack(text)
        page = open_page(console.url + "/console/audit")
        for address, status, _ in attacker.pages(text):
            if status == 200 and "…" not in address:
                page.goto(console.url + address)
                assert turned(page) == [], address

    @pytest.mark.parametrize(
        "text", [f"{MARK}{'x' * LONG}", f"{MARK}\u202e{'abc ' * 200}"], ids=["long", "reversed"]
    )
    def test_text_stays_in_its_box_on_a_narrow_page(
        self, open_page: OpenPage, console: Server, client: httpx.Client, text: str
    ) -> None:
        attacker = Attacker(client)
        attacker.attack(text)
        page = open_page(console.url + "/console/audit", width=NARROW)
        for address, status, _ in attacker.pages(text[:60]):
            if status == 200 and "…" not in address:
                page.goto(console.url + address)
                assert sideways(page) == [], address

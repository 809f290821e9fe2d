"""The fixtures of tests in a browser notice what they are there to notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Page

from tests.chromium import IN_BROWSER
from tests.console.browsing import NARROW, OpenPage, Watch, axe, origin, sideways

pytestmark = IN_BROWSER

HEAD = (
    '<!doctype html><html lang="en"><title>A page</title><link rel="icon" href="data:,"><main><h1>A page</h1>'
)
STYLE = "<style>:root { color-scheme: light dark } p { color: gray; background: canvas }</style>"


class Site:
    """A folder that is served."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self.url = url

    def write(self, body: str) -> str:
        """Write the page, and return its URL."""
        (self._folder / "page.html").write_text(HEAD + body)
        return f"{self.url}/page.html"


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(tmp_path))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield Site(tmp_path, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


WRONG = {
    "an error in the console": ("<script>console.error('spilt')</script>", "console error: spilt"),
    "an exception": ("<script>setTimeout(() => { throw Error('torn') })</script>", "exception: torn"),
    "a rejected promise": ("<script>Promise.reject(Error('torn'))</script>", "exception: torn"),
    "a picture that is missing": (
        "<img alt='' src='/missing.png'>",
        "the server responded with a status of 404",
    ),
    "a request to another origin": (
        "<script>fetch('https://example.org/x').catch(() => {})</script>",
        "request to another origin: https://example.org/x",
    ),
    "a script that the policy refuses": (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'self\'"><script>1</script>',
        "Content Security Policy",
    ),
}


@pytest.mark.parametrize(("body", "noticed"), WRONG.values(), ids=WRONG)
def test_a_watch_notices(
    open_page: OpenPage, watches: dict[str, Watch], site: Site, body: str, noticed: str
) -> None:
    page = open_page(site.write(body))
    page.wait_for_load_state("networkidle")
    problems = watches.pop(site.url).problems
    assert any(noticed in each for each in problems), problems


def test_a_watch_is_silent_about_a_page_without_errors_and_about_what_is_expected(
    open_page: OpenPage, watches: dict[str, Watch], site: Site
) -> None:
    open_page(site.write("<script>console.log('fine')</script>"))
    assert watches[site.url].problems == []
    open_page(site.write("<script>console.error('spilt on purpose')</script>"))
    watches[site.url].expect("on purpose")
    assert watches[site.url].problems == []


def test_axe_finds_what_cannot_be_read_in_dark_and_not_what_can(
    open_page: OpenPage, site: Site, check_axe: Callable[[Page], None]
) -> None:
    check_axe(open_page(site.write("<p>black on white</p>")))
    grey = site.write(f"{STYLE}<p>grey</p><input>")
    found = axe(open_page(grey))
    assert {each.partition(" ")[0] for each in found} == {"color-contrast", "label"}
    assert [each.partition(" ")[0] for each in axe(open_page(grey, scheme="dark"))] == ["label"]


def test_a_narrow_page_names_what_is_too_wide_and_not_what_scrolls_in_its_own_box(
    open_page: OpenPage, site: Site
) -> None:
    wide = "<pre style='width:600px'>wide</pre>"
    assert "<pre" in sideways(open_page(site.write(wide), width=NARROW))[0]
    boxed = site.write(f"<div style='overflow:auto'>{wide}</div>")
    assert sideways(open_page(boxed, width=NARROW)) == []


def test_a_page_without_javascript_runs_no_script(open_page: OpenPage, site: Site) -> None:
    page = open_page(site.write("<p>text</p><script>document.write('script')</script>"), javascript=False)
    assert page.locator("main").inner_text().split() == ["A", "page", "text"]


def test_the_origin_of_a_url_has_its_port() -> None:
    assert origin("http://127.0.0.1:8000/console?x=1") == "http://127.0.0.1:8000"
    assert origin("data:,") == "data:"

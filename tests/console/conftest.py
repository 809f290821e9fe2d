"""What tests of the console share: started servers, and Chromium with pages that are watched.

A test takes `console` (a server that the file shares) or `start_console` (its own), opens pages with
`open_page`, and fails at its end if a page logged an error, threw, or asked another origin for something.
`watch.expect` names errors that a test provokes; `check_axe` fails on findings of axe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.acceptance.conftest import Launch, Server, StartServer, servers
from tests.acceptance.fork_server import fork_server
from tests.acceptance.receiver import SECRET
from tests.chromium import running_chromium
from tests.console.browsing import WIDE, OpenPage, Scheme, Watch, axe, new_context, origin
from tests.console.filling import destinations, fill, last_hour, rules_of_shop, serve_with
from tests.console.sessions import Signed
from tests.console.signing_in import TOKENS


@pytest.fixture(scope="session")
def fork_launch() -> Iterator[Launch]:
    """Starts programs fast: forked from a process that has imported all modules."""
    with fork_server() as running:
        yield running.launch


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, fork_launch: Launch) -> Iterator[Server]:
    """A started server with the starter files and SQLite, shared by the tests of a file."""
    with servers(tmp_path_factory.mktemp("console"), fork_launch) as start:
        yield start()


@pytest.fixture(scope="module")
def busy_console(tmp_path_factory: pytest.TempPathFactory, fork_launch: Launch) -> Iterator[Server]:
    """A started server with the traffic of an hour, a destination that fails, and what else pages show."""
    folder = tmp_path_factory.mktemp("busy")
    with destinations() as settings, servers(folder, fork_launch) as start:
        command, rules = serve_with(folder, settings), rules_of_shop(folder)
        server = start(rules=rules, command=command, launch=fork_launch, SHOP_SECRET=SECRET)
        fill(server.url, *last_hour(), 14)
        yield server


@pytest.fixture(scope="module")
def guarded_console(tmp_path_factory: pytest.TempPathFactory, fork_launch: Launch) -> Iterator[Server]:
    """A started server with the traffic of an hour, where one signs in: with the tokens of `signing_in`."""
    folder = tmp_path_factory.mktemp("guarded")
    with destinations() as settings, servers(folder, fork_launch) as start:
        command, rules = serve_with(folder, settings), rules_of_shop(folder)
        before = start(rules=rules, command=command, launch=fork_launch, SHOP_SECRET=SECRET)
        fill(before.url, *last_hour(), 8)
        before.stop()
        yield start(rules=rules, command=command, launch=fork_launch, SHOP_SECRET=SECRET, **TOKENS)


@pytest.fixture
def start_console(tmp_path: Path, fork_launch: Launch) -> Iterator[StartServer]:
    """Start servers over this test's own store, with settings: `start_console(ADAPTER_API_TOKENS="…")`."""
    with servers(tmp_path, fork_launch) as start:
        yield start


@pytest.fixture
def signed(tmp_path: Path, start_console: StartServer, fork_launch: Launch) -> Signed:
    """A server where one signs in, with tokens that a test takes away."""
    return Signed(tmp_path, start_console, fork_launch)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A Chromium that the tests of a file share."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def watches() -> Iterator[dict[str, Watch]]:
    """The watch of each origin whose pages the test has opened; the test fails on what they have seen."""
    found: dict[str, Watch] = {}
    yield found
    assert [problem for each in found.values() for problem in each.problems] == []


@pytest.fixture
def watch(console: Server, watches: dict[str, Watch]) -> Watch:
    """The watch over the pages of `console`: `watch.expect("status of 403")`."""
    return watches.setdefault(console.url, Watch(console.url))


@pytest.fixture
def open_page(chromium: Browser, watches: dict[str, Watch]) -> Iterator[OpenPage]:
    """Opens pages: `open_page(console.url + "/console/", scheme="dark", width=NARROW, javascript=False)`."""
    contexts: list[BrowserContext] = []

    def open_one(
        url: str,
        *,
        scheme: Scheme = "light",
        width: int = WIDE,
        javascript: bool = True,
        context: BrowserContext | None = None,
    ) -> Page:
        if context is None:
            context = new_context(chromium, scheme=scheme, width=width, javascript=javascript)
            contexts.append(context)
            watches.setdefault(origin(url), Watch(origin(url))).follow(context)
        page = context.new_page()
        page.goto(url)
        return page

    yield open_one
    for each in contexts:
        each.close()


@pytest.fixture
def check_axe() -> Callable[[Page], None]:
    """Fails on what axe finds serious or critical on a page, with the element and the remedy."""

    def check(page: Page) -> None:
        assert axe(page) == []

    return check

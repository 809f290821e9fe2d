"""Chromium for the tests in a browser: where it is, how it starts, and how one does without it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

#: The shell, which has no windows, opens a page in half the CPU time.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
EXECUTABLE = next(filter(None, map(shutil.which, _NAMES)), None)

#: It asks its maker for nothing, and resolves no name: a page that asks elsewhere fails.
OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip

#: For `pytestmark` of a file with tests in a browser. Such a file has no async tests: Playwright has the
#: event loop of its thread while Chromium runs.
IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        EXECUTABLE is None, reason="Chromium is missing; install it with: scripts/install --browser"
    ),
]


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run a Chromium without a window, on a profile that is new, while the block runs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=list(OPTIONS))
        yield browser
        browser.close()

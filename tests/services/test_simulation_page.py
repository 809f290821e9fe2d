"""The page of a simulation in Chromium: plots are there, nothing is requested, light and dark."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from adapter.model.event_names import EventNames
from adapter.services.simulation.page import page
from adapter.services.simulation.rates import Rates
from adapter.services.simulation.report import report
from adapter.services.simulation.run import Book, simulate
from tests.services.test_simulation import DRAFT, IN_FORCE, _book, _traffic

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_OF_CHROMIUM = (".google.com", ".googleapis.com", ".gvt1.com")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def _open(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Open the page, and return what the browser wrote."""
    return subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", *arguments,
            (folder / "report.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip


def test_the_page_opens_without_a_request_or_an_error(tmp_path: Path) -> None:
    found = _traffic((0, "a", 120), (1, "b", 105), (30, "c", 150))
    books = [("in force", IN_FORCE), ("draft", DRAFT)]
    loaded = [(name, _book(tmp_path / name, text)) for name, text in books]
    played = simulate(found, [Book.of(name, book, found, names=EventNames()) for name, book in loaded])
    (tmp_path / "report.html").write_text(page(report(played, found, Rates(()), {})))
    log = tmp_path / "net.json"
    opened = _open(tmp_path, "--dump-dom", f"--log-net-log={log}")
    assert "CONSOLE" not in opened.stderr
    assert opened.stdout.count("<svg") >= 4
    assert 'class="bar issued"' in opened.stdout
    # Chromium looks for updates by itself. A picture of another host in the page is in this log too.
    hosts = {urlsplit(each).hostname or "" for each in re.findall(r'"url":"(http[^"]+)"', log.read_text())}
    assert not [each for each in hosts if not each.endswith(_OF_CHROMIUM)]
    shots = []
    for scheme in ("1", "0"):
        shot = tmp_path / f"{scheme}.png"
        _open(tmp_path, f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={shot}")
        shots.append(shot.read_bytes())
    assert shots[0] != shots[1]

"""The report of a simulation, a page in one file: plots are there, nothing is requested, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.model.event_names import EventNames
from adapter.services.simulation.page import page
from adapter.services.simulation.rates import Rates
from adapter.services.simulation.report import report
from adapter.services.simulation.run import Book, simulate
from tests.chromium import IN_BROWSER
from tests.console.browsing import OpenPage, Scheme
from tests.services.test_simulation import DRAFT, IN_FORCE, _book, _traffic

pytestmark = IN_BROWSER


@pytest.fixture
def written(tmp_path: Path) -> str:
    """The URL of a report of two books."""
    found = _traffic((0, "a", 120), (1, "b", 105), (30, "c", 150))
    books = [("in force", IN_FORCE), ("draft", DRAFT)]
    loaded = [(name, _book(tmp_path / name, text)) for name, text in books]
    played = simulate(found, [Book.of(name, book, found, names=EventNames()) for name, book in loaded])
    file = tmp_path / "report.html"
    file.write_text(page(report(played, found, Rates(()), {})))
    return file.as_uri()


def test_the_report_opens_without_a_request_or_an_error(open_page: OpenPage, written: str) -> None:
    opened = open_page(written)
    assert opened.locator("svg").count() >= 4
    assert opened.locator(".bar.issued").count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_follows_the_scheme(open_page: OpenPage, written: str, scheme: Scheme) -> None:
    background = open_page(written, scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
    red, *_ = (int(part) for part in background.removeprefix("rgb(").removesuffix(")").split(","))
    assert (red > 128) is (scheme == "light")

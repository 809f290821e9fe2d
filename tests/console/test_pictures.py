"""The pictures of the console are those of its pages, and the guide shows each."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.console.browsing import Scheme
from tests.console.screenshots import GUIDE, MOST_BYTES, PICTURED, PICTURES, name_of, shown


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("name", [name_of(page) for page in PICTURED])
def test_a_page_has_a_small_picture(name: str, scheme: str) -> None:
    file = PICTURES / f"{name}-{scheme}.png"
    assert file.exists(), "take it with scripts/screenshots"
    assert file.stat().st_size < MOST_BYTES


def test_there_are_no_pictures_of_other_pages() -> None:
    names = {f"{name_of(page)}-{scheme}.png" for page in PICTURED for scheme in get_args(Scheme)}
    assert {file.name for file in PICTURES.iterdir()} == names


@pytest.mark.slow
def test_the_guide_shows_every_picture() -> None:
    guide = GUIDE.read_text()
    assert guide == shown(guide), "write it with scripts/screenshots"

"""Parts of pages, as scripts ask for them, have what stands before their blocks: imported macros."""

from __future__ import annotations

import pytest

from adapter.console.pages import PAGES
from tests.acceptance.conftest import Server
from tests.console.addresses import addresses
from tests.console.signing_in import visitor

PARTS = [(page.path, part) for page in PAGES for part in page.fragments]


@pytest.mark.parametrize(("path", "part"), PARTS)
def test_each_part_of_a_page_is_there_by_itself(busy_console: Server, path: str, part: str) -> None:
    with visitor(busy_console.url) as client:
        answer = client.get(addresses(client)[path], headers={"HX-Target": f"div#{part}"})
    assert answer.status_code == 200, answer.text
    assert "<html" not in answer.text

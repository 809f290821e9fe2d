"""Input that no page of ours sends is refused with a reason, and never an unexpected error."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from adapter.console.openapi import document
from adapter.console.page import Action, Download, Page
from adapter.console.pages import ACTIONS, DOWNLOADS, PAGES
from tests.console.opened import ADMIN, SECURED, console_settings, opened

ODD: Final = (
    "\0", "a\0b", "9" * 30, str(2**63), str(-(2**63)), str(2**63 - 1), "-1", "0", "²", "1e400", "nan", "true",
    "\U0001f642", "../../etc/passwd", "x" * 5_000, "[" * 5_000, "0001-01-01T00:00:00+14:00", "1-1", "%", "'",
    "9999-12-31T23:59:59.999999+00:00", "0001-01-01T00:00:00", "999999999999999999-999999", "9999999999d",
    "since:9999999999d",
)  # fmt: skip
#: Streams have no end.
FILES: Final = [each for each in DOWNLOADS if not each.path.endswith("/stream")]
PATHS: Final = document(PAGES)["paths"]
EVERY: Final[list[Page | Download]] = [*PAGES, *FILES]


def fields(kind: Any) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def required(kind: Any) -> dict[str, str]:
    """Return fields without which there is no form, one of them each time replaced by odd text."""
    return {field.encode_name: "1" for field in msgspec.structs.fields(kind) if field.required}


def answers(page: Page | Download) -> set[int]:
    """Return the statuses that a page is described to answer; a download may answer as any of them."""
    described = [PATHS[f"{page.path}.json"]] if isinstance(page, Page) else PATHS.values()
    return {int(status) for each in described for status in each["get"]["responses"]}


@pytest.mark.slow
@pytest.mark.parametrize("page", EVERY, ids=lambda page: page.path)
async def test_no_text_in_a_url_is_an_unexpected_error(tmp_path: Path, page: Page | Download) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        await client.sign_in(ADMIN)
        names = fields(page.query)
        for at, name in enumerate(names):
            # The playground checks whole files each time: its many fields get a third of the texts each.
            for text in ODD if len(names) <= 10 else ODD[at % 3 :: 3]:
                response = await client.get(page.path, params={**required(page.query), name: text})
                assert response.status_code in answers(page), (name, text, response.text)


@pytest.mark.parametrize(
    "act", [each for each in ACTIONS if isinstance(each, Action)], ids=lambda act: act.path
)
async def test_no_text_in_a_form_is_an_unexpected_error(tmp_path: Path, act: Action) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        await client.sign_in(ADMIN)
        token = await client.csrf()
        for name in fields(act.form):
            for text in ODD:
                form = {"csrf": token, **required(act.form), name: text}
                response = await client.post(act.path, data=form)
                assert response.status_code != 500, (name, text, response.text)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "POST", "BREW"])
async def test_other_methods_change_nothing(tmp_path: Path, method: str) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        await client.sign_in(ADMIN)
        number = len(await client.app.store.audit())
        places: list[Page | Action | Download | Any] = [*PAGES, *ACTIONS]
        for place in places:
            response = await client.request(method, place.path)
            assert response.status_code != 500, (place.path, response.text)
        assert len(await client.app.store.audit()) == number

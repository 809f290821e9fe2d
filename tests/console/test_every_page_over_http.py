"""Every page and act of the console over HTTP, from their lists: twins, roles, and forms of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from selectolax.lexbor import LexborHTMLParser, LexborNode

from adapter.console.page import Action, Page, UploadAction
from adapter.console.pages import ACTIONS, DOWNLOADS, PAGES
from adapter.web.roles import INCLUDED
from tests.acceptance.conftest import Server
from tests.console.addresses import addresses, twin
from tests.console.signing_in import ADMIN, READ, csrf_of, visitor

EVERY = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
ACTS = pytest.mark.parametrize("act", ACTIONS, ids=lambda act: act.path)


@pytest.fixture(scope="module")
def admin(guarded_console: Server) -> Iterator[httpx.Client]:
    with visitor(guarded_console.url, ADMIN) as client:
        yield client


@pytest.fixture(scope="module")
def reader(guarded_console: Server) -> Iterator[httpx.Client]:
    with visitor(guarded_console.url, READ) as client:
        yield client


@pytest.fixture(scope="module")
def stranger(guarded_console: Server) -> Iterator[httpx.Client]:
    with visitor(guarded_console.url) as client:
        yield client


@pytest.fixture(scope="module")
def where(admin: httpx.Client) -> dict[str, str]:
    """The address of each page, by its path."""
    return addresses(admin)


@pytest.fixture(scope="module")
def described(stranger: httpx.Client) -> dict[str, Any]:
    """The description of all twins."""
    found: dict[str, Any] = stranger.get("/console/openapi.json").json()
    return found


def post(client: httpx.Client, act: Action | UploadAction, token: str, **headers: str) -> httpx.Response:
    """Post an act's form with a token and nothing else."""
    if isinstance(act, UploadAction):
        return client.post(act.path, data={"csrf": token}, files={"file": b""}, headers=headers)
    return client.post(act.path, data={"csrf": token}, headers=headers)


def allows(role: Any) -> bool:
    """Return whether a visitor who may read has a role."""
    return role in INCLUDED["read"]


@EVERY
def test_a_page_is_html_and_has_a_twin_in_json(
    admin: httpx.Client, where: dict[str, str], page: Page
) -> None:
    address = where[page.path]
    html = admin.get(address)
    assert (html.status_code, html.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "'unsafe" not in html.headers["content-security-policy"]
    assert html.headers["cache-control"] == "no-store"
    shown = admin.get(twin(address))
    assert (shown.status_code, shown.headers["content-type"]) == (200, "application/json")
    accepted = admin.get(address, headers={"accept": "application/json"})
    assert accepted.json().keys() == shown.json().keys()


@EVERY
def test_what_a_twin_answers_is_as_its_description_says(
    admin: httpx.Client, where: dict[str, str], described: dict[str, Any], page: Page
) -> None:
    answers = described["paths"][f"{page.path}.json"]["get"]["responses"]
    schema = answers["200"]["content"]["application/json"]["schema"]
    shown = admin.get(twin(where[page.path]))
    Draft202012Validator({**described, **schema}).validate(shown.json())
    refused = admin.get(f"{page.path}.json", params={"no-such-name": "1"})
    assert str(refused.status_code) in answers
    Draft202012Validator({**described, "$ref": "#/components/schemas/Error"}).validate(refused.json())


def _aligned(table: LexborNode) -> set[str]:
    """Return the headers of a table that do not stand over their numbers, or over texts as numbers do."""
    heads = table.css("thead tr:last-child > th")
    rows = [row.css("th, td") for row in table.css("tbody tr")]
    return {
        head.text(strip=True)
        for head, *cells in zip(heads, *(row for row in rows if len(row) == len(heads)), strict=False)
        if cells and any(_is_number(head) != _is_number(cell) for cell in cells)
    }


def _is_number(cell: LexborNode) -> bool:
    return "number" in (cell.attributes.get("class") or "").split()


@EVERY
def test_a_header_stands_where_the_numbers_of_its_column_do(
    admin: httpx.Client, where: dict[str, str], page: Page
) -> None:
    tables = LexborHTMLParser(admin.get(where[page.path]).text).css("table")
    assert [found for table in tables if (found := _aligned(table))] == []


@EVERY
def test_a_page_refuses_names_in_its_url_that_it_does_not_know(admin: httpx.Client, page: Page) -> None:
    answer = admin.get(page.path, params={"no-such-name": "1"})
    assert (answer.status_code, "no-such-name" in answer.text) == (400, True)


@EVERY
def test_a_page_is_for_those_who_have_signed_in(
    stranger: httpx.Client, where: dict[str, str], page: Page
) -> None:
    answer = stranger.get(where[page.path])
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/sign-in?next=")
    assert stranger.get(twin(where[page.path])).status_code == 401


@EVERY
def test_the_role_read_sees_no_acts(reader: httpx.Client, where: dict[str, str], page: Page) -> None:
    answer = reader.get(where[page.path])
    assert answer.status_code == (200 if allows(page.role) else 403)
    readable = {page.path for page in PAGES if page.posts and allows(page.role)}
    readable |= {act.path for act in ACTIONS if allows(act.role)}
    posted = {
        (form.attributes.get("action") or page.path).partition("?")[0]
        for form in LexborHTMLParser(answer.text).css("form[method=post], [formmethod=post]")
    }
    assert posted <= readable | {"/console/sign-out"}


@ACTS
def test_an_act_is_refused_to_the_role_read(reader: httpx.Client, act: Action | UploadAction) -> None:
    if allows(act.role):
        pytest.skip("it changes nothing that others see")
    assert post(reader, act, csrf_of(reader)).status_code == 403


@ACTS
def test_an_act_is_refused_to_strangers(stranger: httpx.Client, act: Action | UploadAction) -> None:
    answer = post(stranger, act, "")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")


@ACTS
@pytest.mark.parametrize("stolen", ["", "of another session"])
def test_an_act_is_refused_without_the_token_of_its_form(
    admin: httpx.Client, reader: httpx.Client, act: Action | UploadAction, stolen: str
) -> None:
    answer = post(admin, act, csrf_of(reader) if stolen else "")
    assert (answer.status_code, "this form is not from a page that you opened" in answer.text) == (403, True)


@ACTS
@pytest.mark.parametrize(
    "header", [{"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}]
)
def test_an_act_is_refused_to_a_page_of_another_site(
    admin: httpx.Client, act: Action | UploadAction, header: dict[str, str]
) -> None:
    answer = post(admin, act, csrf_of(admin), **header)
    assert (answer.status_code, "a page of another site sent this form" in answer.text) == (403, True)


@pytest.mark.parametrize("page", [page for page in PAGES if page.posts], ids=lambda page: page.path)
def test_a_page_that_is_posted_needs_the_token_too(admin: httpx.Client, page: Page) -> None:
    assert admin.post(page.path, data={"csrf": "stolen"}).status_code == 403


@pytest.mark.parametrize("download", DOWNLOADS, ids=lambda download: download.path)
def test_a_download_needs_its_role(reader: httpx.Client, stranger: httpx.Client, download: Any) -> None:
    assert stranger.get(download.path).status_code == 303
    if not allows(download.role):
        assert reader.get(download.path).status_code == 403


def test_a_stolen_post_changes_nothing_and_says_so_in_a_page(admin: httpx.Client) -> None:
    before = admin.get("/console/audit.json").json()["entries"]
    for act in ACTIONS:
        post(admin, act, "")
    assert admin.get("/console/audit.json").json()["entries"] == before

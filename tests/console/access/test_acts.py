"""Acts: only from forms of the visitor, with the role, and with an entry in the audit log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import httpx
import pytest
from msgspec import Struct
from starlette.applications import Starlette

from adapter.app import compose
from adapter.console.context import ConsoleContext
from adapter.console.page import Action, Done
from adapter.console.routes import console_routes
from adapter.console.visitor import Visitor
from adapter.errors import Unavailable
from adapter.model.encoding import decode
from adapter.model.operations import CustomerUpsert
from adapter.services.arrivals.feed import Feed
from adapter.services.ingest.work_item import Work
from adapter.store.contract import Store
from adapter.web.application import Application
from tests.console.opened import BASE, OPERATOR, READER, SECURED, Client, console_settings


class Asked(Struct, frozen=True):
    """A form of the tests."""

    what: str
    customer: str = ""
    times: int = 1


async def _run(context: ConsoleContext, form: Asked, _visitor: Visitor) -> Done:
    if form.what == "fail":
        raise Unavailable("the store is away")
    if form.what == "erase and fail":
        await context.web.privacy.erase(form.customer, by="console")
        raise Unavailable("the rest takes longer")
    if form.what == "grow":
        return Done(message="grew", back="/console/audit", after="x" * 100_000)
    return Done(
        message=f"did {form.what}", back="/console/audit", subject=form.what, customer=form.customer,
        before={"times": 0}, after={"times": form.times},
    )  # fmt: skip


ACT = Action(path="/console/test/act", title="Act", form=Asked, run=_run)


@asynccontextmanager
async def acting(folder: Path) -> AsyncIterator[tuple[Client, Store]]:
    """Run the console with an act of the tests, signed in as an operator."""
    app = compose(console_settings(folder, **SECURED))
    assert isinstance(app.asgi, Application)
    context = ConsoleContext(
        app.asgi._context,
        app.store,
        app.books,
        token_urlsafe,
        app.operations,
        app.authoring,
        Feed(app.store),
    )
    async with app.working(), Client(app) as client:
        transport = httpx.ASGITransport(Starlette(routes=console_routes(context, actions=(ACT,))))
        client._transport = transport
        await client.sign_in(OPERATOR)
        yield client, app.store


async def test_an_act_is_done_and_says_so_on_the_page_that_it_leads_to(tmp_path: Path) -> None:
    async with acting(tmp_path) as (client, store):
        response = await client.act(ACT.path, "/console/audit", what="<b>it</b>", customer="u-7", times="3")
        assert "did &lt;b&gt;it&lt;/b&gt;" in response.text
        [done, _] = await store.audit()
        assert (done.action, done.state, done.subject, done.customer) == ("Act", "done", "<b>it</b>", "u-7")
        assert (done.role, bytes(done.before), bytes(done.after)) == (
            "operate", b'{"times":0}', b'{"times":3}',
        )  # fmt: skip


async def test_an_act_that_fails_is_in_the_audit_log_too(tmp_path: Path) -> None:
    async with acting(tmp_path) as (client, store):
        response = await client.act(ACT.path, "/console/audit", what="fail")
        assert (response.status_code, "the store is away" in response.text) == (503, True)
        [entry, _] = await store.audit()
        assert (entry.state, entry.message) == ("failed", "the store is away")


async def test_an_act_is_in_the_log_before_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with acting(tmp_path) as (client, store):
        monkeypatch.setattr(store, "end_audit", None)  # as if the process were killed meanwhile
        assert (await client.act(ACT.path, "/console/audit", what="it")).status_code == 500
        [entry, _] = await store.audit()
        assert (entry.state, decode(bytes(entry.before), Asked)) == ("begun", Asked("it"))


async def test_who_cannot_see_the_audit_log_cannot_read_it_by_numbers(tmp_path: Path) -> None:
    async with acting(tmp_path) as (client, store):
        await client.act(ACT.path, "/console/audit", what="a secret", customer="")
        number = (await store.audit())[0].number
        mine = await client.get(f"/console/now?done={number}")
        assert "did a secret" in mine.text
        await client.sign_in(READER)
        assert "did a secret" not in (await client.get(f"/console/now?done={number}")).text


@pytest.mark.parametrize("number", ["²", "٣", "-1", "1e3", "9" * 30, "x"])
async def test_a_number_that_is_none_shows_no_act(tmp_path: Path, number: str) -> None:
    async with acting(tmp_path) as (client, _):
        assert (await client.get("/console/now", params={"done": number})).status_code == 200


async def test_an_act_about_an_erased_customer_that_fails_keeps_no_id(tmp_path: Path) -> None:
    async with acting(tmp_path) as (client, store):
        await client.act(ACT.path, "/console/audit", what="erase and fail", customer="u-7")
        [entry, _] = await store.audit()
        assert (entry.state, entry.customer, bytes(entry.before)) == ("failed", "", b"null")


async def test_an_act_that_names_a_customer_by_another_id_is_found_by_their_own(tmp_path: Path) -> None:
    async with acting(tmp_path) as (client, store):
        told = CustomerUpsert("u-7", identities={"anonymous_id": "a-7"})
        await client.app.committer.submit([Work("segment", "k", "k", datetime.now(UTC), (told,))])
        await client.act(ACT.path, "/console/audit", what="fail", customer="a-7")
        assert (await store.audit())[0].customer == "u-7"


async def test_the_audit_log_keeps_lengths_in_place_of_long_texts(tmp_path: Path) -> None:
    async with acting(tmp_path) as (client, store):
        await client.act(ACT.path, "/console/audit", what="fail", customer="x" * 5_000)
        [entry, _] = await store.audit()
        assert b'"customer":"(5,000 characters)"' in bytes(entry.before)
        await client.act(ACT.path, "/console/audit", what="grow")
        after = decode(bytes((await store.audit())[0].after), dict[str, Any])
        assert after.keys() == {"bytes", "sha256"}


@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_a_form_without_the_token_of_its_session_is_refused(tmp_path: Path, token: str) -> None:
    async with acting(tmp_path) as (client, store):
        response = await client.post(ACT.path, data={"csrf": token, "what": "it"})
        assert response.status_code == 403
        assert len(await store.audit()) == 1


async def test_a_form_with_the_token_of_another_session_is_refused(tmp_path: Path) -> None:
    async with acting(tmp_path) as (client, _):
        stolen = await client.csrf()
        await client.sign_in(OPERATOR)
        assert (await client.post(ACT.path, data={"csrf": stolen, "what": "it"})).status_code == 403


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_form_of_another_site_is_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    async with acting(tmp_path) as (client, _):
        form = {"csrf": await client.csrf(), "what": "it"}
        assert (await client.post(ACT.path, data=form, headers=headers)).status_code == 403
        assert (await client.post(ACT.path, data=form, headers={"Origin": BASE})).status_code == 303


async def test_the_role_read_cannot_act(tmp_path: Path) -> None:
    async with acting(tmp_path) as (client, store):
        await client.sign_in(READER)
        response = await client.post(ACT.path, data={"csrf": "", "what": "it"})
        assert (response.status_code, "this needs `operate`" in response.text) == (403, True)
        assert {entry.action for entry in await store.audit()} == {"Sign in"}


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "missing required field `what`"),
        ({"what": "it", "times": "many"}, "expected `int`"),
        (
            {"what": "it", "other": "1"},
            "there is no `other` here; the names are: `what`, `customer`",
        ),
    ],
)
async def test_a_form_that_is_not_as_declared_is_refused_with_what_is_wrong(
    tmp_path: Path, form: dict[str, str], said: str
) -> None:
    async with acting(tmp_path) as (client, _):
        response = await client.act(ACT.path, "/console/audit", **form)
        assert response.status_code == 400
        assert said in response.text.replace("&#39;", "'")

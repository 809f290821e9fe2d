"""Acts: only from forms of the visitor, with the role, and with an entry in the audit log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_urlsafe

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
from adapter.services.arrivals.feed import Feed
from adapter.store.contract import Store
from adapter.web.application import Application
from tests.console.opened import BASE, OPERATOR, READER, SECURED, Client, console_settings


class Asked(Struct, frozen=True):
    """A form of the tests."""

    what: str
    customer: str = ""
    times: int = 1


async def _run(_context: ConsoleContext, form: Asked, _visitor: Visitor) -> Done:
    if form.what == "fail":
        raise Unavailable("the store is away")
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
        app.workbench,
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

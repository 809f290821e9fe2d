"""A file is uploaded, its columns are chosen, it is tried, started, cancelled, and its refusals are got."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.opened import OPERATOR, READER
from tests.console.pages.conftest import MARKUP, Shop

HOME = "/console/imports"
FILE = b"user,mail,tier\nann,ann@shop.example,gold\nbob,bob@shop.example,silver\n,nobody@shop.example,none\n"


async def upload(shop: Shop, content: bytes = FILE, kind: str = "customers", name: str = "people.csv") -> Any:
    data = {"csrf": await shop.client.csrf("/console/imports"), "kind": kind}
    files = {"file": (name, content)}
    return await shop.client.post(f"{HOME}/upload", data=data, files=files, follow_redirects=True)


async def test_an_upload_waits_with_its_columns_and_first_rows(shop: Shop) -> None:
    await shop.client.sign_in(OPERATOR)
    page = await upload(shop)
    assert page.url.path == f"{HOME}/columns"
    assert 'aria-label="What mail becomes"' in page.text
    assert "<code>ann@shop.example</code>" in page.text
    assert "2 would be accepted, 1 refused" in page.text
    [job] = await shop.app.store.import_jobs()
    assert (job.state, job.kind, job.name) == ("receiving", "customers", "people.csv")
    assert await shop.app.store.customer("ann") is None


async def test_a_chosen_column_becomes_what_was_chosen(shop: Shop) -> None:
    await shop.client.sign_in(OPERATOR)
    page = await upload(shop)
    id_ = page.url.params["id"]
    query = f"{HOME}/columns?id={id_}&column=mail%3Demail&column=tier%3D"
    staged = (await shop.client.twin(query))["staged"]
    [row, _] = staged["preview"]["rows"]
    assert row["becomes"][0]["fields"] == {"email": "ann@shop.example"}
    assert "traits" not in row["becomes"][0] or row["becomes"][0]["traits"] == {}
    chosen = {each["column"]: each["chosen"] for each in staged["choices"]}
    assert chosen == {"user": "user", "mail": "email", "tier": ""}


async def test_what_is_wrong_with_the_options_is_said_and_nothing_starts(shop: Shop) -> None:
    await shop.client.sign_in(OPERATOR)
    page = await upload(shop, b"code,value\nA1,10\n", "codes")
    id_ = page.url.params["id"]
    assert "say what amounts of codes mean" in page.text
    assert (await shop.act(f"{HOME}/start", f"{HOME}", id=id_)).status_code == 400
    wrong = await shop.client.get(f"{HOME}/columns?id={id_}&column=novalue")
    assert wrong.status_code == 400


async def test_a_started_import_keeps_the_choices_and_cannot_be_changed_any_more(shop: Shop) -> None:
    await shop.client.sign_in(OPERATOR)
    id_ = (await upload(shop)).url.params["id"]
    page = await shop.act(f"{HOME}/start", HOME, id=id_, column="mail=email", zone="Europe/Berlin")
    assert page.url.path == "/console/import"
    [job] = await shop.app.store.import_jobs()
    assert (job.state, job.options.columns, job.options.zone) == (
        "waiting", {"mail": "email"}, "Europe/Berlin"
    )  # fmt: skip
    assert (await shop.client.get(f"{HOME}/columns?id={id_}")).status_code == 409
    assert (await shop.act(f"{HOME}/start", HOME, id=id_)).status_code == 409


async def test_an_import_is_cancelled_before_and_after_its_start(shop: Shop) -> None:
    await shop.client.sign_in(OPERATOR)
    for started in (False, True):
        id_ = (await upload(shop)).url.params["id"]
        if started:
            await shop.act(f"{HOME}/start", HOME, id=id_)
        page = await shop.act(f"{HOME}/cancel", HOME, id=id_)
        assert "was cancelled" in page.text
    assert [each.state for each in await shop.app.store.import_jobs()] == ["cancelled", "cancelled"]


async def test_an_empty_or_too_large_file_leaves_nothing(shop: Shop) -> None:
    await shop.client.sign_in(OPERATOR)
    assert (await upload(shop, b"")).status_code == 400
    assert await shop.app.store.import_jobs() == []


@pytest.mark.parametrize("act", ["start", "cancel"])
async def test_a_reader_neither_uploads_nor_acts_nor_sees_rows(shop: Shop, act: str) -> None:
    await shop.client.sign_in(OPERATOR)
    id_ = (await upload(shop)).url.params["id"]
    await shop.client.post("/console/sign-out", data={"csrf": await shop.client.csrf(HOME)})
    await shop.client.sign_in(READER)
    assert "Upload a file" not in (await shop.client.get(HOME)).text
    data = {"csrf": await shop.client.csrf(HOME), "kind": "customers"}
    uploaded = await shop.client.post(f"{HOME}/upload", data=data, files={"file": ("a.csv", FILE)})
    assert uploaded.status_code == 403
    assert (await shop.act(f"{HOME}/{act}", HOME, id=id_)).status_code == 403
    assert (await shop.client.get(f"{HOME}/columns?id={id_}")).status_code == 403
    assert (await shop.client.get(f"{HOME}/refused?id={id_}")).status_code == 403
    assert [each.state for each in await shop.app.store.import_jobs()] == ["receiving"]


async def test_markup_in_names_columns_and_cells_is_shown_as_text(shop: Shop) -> None:
    await shop.client.sign_in(OPERATOR)
    content = f"user,{MARKUP}\nann,{MARKUP}\n".encode()
    page = await upload(shop, content, name=f"{MARKUP}.csv")
    listed = await shop.client.get(HOME)
    one = await shop.client.get("/console/import", params={"id": page.url.params["id"]})
    for each in (page, listed, one):
        assert each.status_code == 200
        assert "<script>alert" not in each.text
        assert "&lt;script&gt;alert" in each.text


async def test_the_progress_of_an_import_is_read_again_until_it_ends(shop: Shop) -> None:
    await shop.client.sign_in(OPERATOR)
    id_ = (await upload(shop)).url.params["id"]
    part = {"HX-Request": "true", "HX-Target": "div#progress"}
    running = await shop.client.get(f"/console/import?id={id_}", headers=part)
    assert running.text.strip().startswith('<div id="progress" data-again="2"')
    await shop.act(f"{HOME}/cancel", HOME, id=id_)
    ended = await shop.client.get(f"/console/import?id={id_}", headers=part)
    assert ended.text.strip().startswith('<div id="progress" data-again=""')


async def test_of_a_long_file_the_first_rows_are_shown_and_a_dry_run_reads_all(shop: Shop) -> None:
    await shop.client.sign_in(OPERATOR)
    rows = 30_000
    content = b"user,mail\n" + b"".join(b"c-%06d,%06d@mail.example\n" % (at, at) for at in range(rows))
    id_ = (await upload(shop, content)).url.params["id"]
    first = (await shop.client.twin(f"{HOME}/columns?id={id_}"))["staged"]
    assert (first["whole"], first["preview"].get("refused", [])) == (False, [])
    assert 0 < first["preview"]["counts"]["accepted"] < rows
    whole = (await shop.client.twin(f"{HOME}/columns?id={id_}&whole=true"))["staged"]
    assert (whole["whole"], whole["preview"]["counts"]["accepted"]) == (True, rows)

"""Quarantined messages are grouped, replayed and discarded on their pages, and never by readers."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.console.pages import quarantine as pages
from adapter.mapping import mapping_set
from adapter.model.quarantine_groups import group_of
from tests.console.opened import OPERATOR, READER
from tests.console.pages.conftest import MARKUP, Shop

NO_ID = "no source_id: the message has {} and nothing else"
HOME = "/console/quarantine"
MENDED = {"type": "track", "event": "started", "anonymousId": "a1", "timestamp": "2026-11-21T12:00:00Z"}


def mend(shop: Shop) -> None:
    """Change the mapping file on disk as an editor does, and put it in force as the reload does."""
    file = Path(shop.app.settings.files.mappings) / "mappings.yaml"
    file.write_text(file.read_text().replace("$.userId", "$.anonymousId"))
    book, _ = mapping_set.load(file.parent)
    assert book is not None
    shop.app.books.mappings = book


async def test_messages_are_grouped_by_why_with_a_sample(shop: Shop) -> None:
    for number in range(3):
        last = await shop.keep(NO_ID.format(number), {"n": number})
    await shop.keep("`total` is text", {})
    await shop.client.sign_in(OPERATOR)
    found = (await shop.client.twin(HOME))["found"]
    assert [(each["count"], each["sample"]) for each in found["groups"]] == [(3, last), (1, last + 1)]
    page = (await shop.client.get(HOME)).text
    assert f'href="/console/playground?quarantine={last}"' in page
    fragment = (await shop.client.get(HOME, headers={"HX-Request": "true", "HX-Target": "div#groups"})).text
    assert fragment.strip().startswith('<div id="groups"')


async def test_a_message_is_replayed_once_its_mapping_is_mended(shop: Shop) -> None:
    id_ = await shop.keep("no source_id", MENDED)
    await shop.client.sign_in(OPERATOR)
    page = f"{HOME}/message?id={id_}"
    stays = await shop.act(f"{HOME}/replay", page, id=str(id_))
    assert "0 messages were replayed, and 1 stay in quarantine" in stays.text
    assert "no source_id" in stays.text
    mend(shop)
    done = await shop.act(f"{HOME}/replay", page, id=str(id_))
    assert "1 messages were replayed, and 0 stay in quarantine" in done.text
    assert await shop.app.store.oldest_quarantine_reasons() == []
    assert len(await shop.app.store.events("a1")) == 1


async def test_a_group_is_replayed_in_slices_that_tell_progress(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_MOST", 2)
    for number in range(5):
        await shop.keep(NO_ID.format(number), MENDED | {"messageId": f"q{number}"})
    other = await shop.keep("`total` is text", MENDED)
    mend(shop)
    await shop.client.sign_in(OPERATOR)
    group = group_of("segment", NO_ID.format(0))
    page = await shop.act(f"{HOME}/replay", f"{HOME}/group?group={group}", group=group)
    assert "2 messages left the quarantine so far" in page.text
    while page.url.path.endswith("/progress"):
        fields = dict(page.url.params) | {"csrf": await shop.client.csrf(f"{HOME}/group")}
        form = {name: value for name, value in fields.items() if name not in {"act", "done", "seal"}}
        page = await shop.client.post(f"{HOME}/replay", data=form, follow_redirects=True)
    assert "5 messages were replayed, and 0 stay in quarantine" in page.text
    assert [each.id for each in await shop.app.store.oldest_quarantine_reasons()] == [other]


@pytest.mark.parametrize("act", ["replay", "discard"])
async def test_a_link_of_somebody_else_does_not_go_on_with_an_act(shop: Shop, act: str) -> None:
    await shop.client.sign_in(OPERATOR)
    link = f"{HOME}/progress?act={act}&everything=true&upto=99&reason=x&seal={'0' * 64}"
    page = (await shop.client.get(link)).text
    assert "Nothing is being replayed or discarded here" in page
    assert "data-goes-on" not in page


async def test_the_state_of_an_act_that_goes_on_cannot_be_changed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_MOST", 1)
    for number in range(2):
        await shop.keep(NO_ID.format(number), {})
    await shop.client.sign_in(OPERATOR)
    page = await shop.act(f"{HOME}/replay", f"{HOME}/group", everything="true")
    assert "data-goes-on" in page.text
    changed = await shop.client.get(str(page.url).replace("passed=0", "") + "&act=discard")
    assert "data-goes-on" not in changed.text


async def test_a_group_is_discarded_with_a_reason_that_the_audit_log_keeps(shop: Shop) -> None:
    for number in range(3):
        await shop.keep(NO_ID.format(number), {})
    await shop.client.sign_in(OPERATOR)
    group = group_of("segment", NO_ID.format(0))
    page = f"{HOME}/group?group={group}"
    assert "Discard 3 messages" in (await shop.client.get(page)).text
    refused = await shop.act(f"{HOME}/discard", page, group=group)
    assert refused.status_code == 400
    done = await shop.act(f"{HOME}/discard", page, group=group, reason="test traffic")
    assert "3 messages were discarded: test traffic" in done.text
    assert await shop.app.store.oldest_quarantine_reasons() == []
    entry = (await shop.app.store.audit())[0]
    assert (entry.action, entry.state, b"test traffic" in bytes(entry.after)) == (
        "Discard quarantined messages", "done", True
    )  # fmt: skip


async def test_all_are_discarded_only_where_that_is_said(shop: Shop) -> None:
    await shop.keep("one", {})
    await shop.keep("other", {})
    await shop.client.sign_in(OPERATOR)
    unnamed = await shop.act(f"{HOME}/discard", f"{HOME}/group", reason="x")
    assert unnamed.status_code == 400
    await shop.act(f"{HOME}/discard", f"{HOME}/group", reason="x", everything="true")
    assert await shop.app.store.oldest_quarantine_reasons() == []


@pytest.mark.parametrize("act", ["replay", "discard"])
async def test_a_reader_cannot_act(shop: Shop, act: str) -> None:
    id_ = await shop.keep("no source_id", {})
    await shop.client.sign_in(READER)
    page = f"{HOME}/message?id={id_}"
    form = {"id": str(id_)} | ({"reason": "x"} if act == "discard" else {})
    assert '<form method="post" action="/console/quarantine' not in (await shop.client.get(page)).text
    assert (await shop.act(f"{HOME}/{act}", page, **form)).status_code == 403
    assert len(await shop.app.store.oldest_quarantine_reasons()) == 1


async def test_markup_in_reasons_and_messages_is_shown_as_text(shop: Shop) -> None:
    id_ = await shop.keep(MARKUP, {MARKUP: MARKUP * 2_000})
    await shop.client.sign_in(OPERATOR)
    group = group_of("segment", MARKUP)
    for path in (HOME, f"{HOME}/group?group={group}", f"{HOME}/message?id={id_}"):
        page = await shop.client.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text


async def test_a_message_opens_in_the_playground_as_its_replay_would_take_it(shop: Shop) -> None:
    id_ = await shop.keep("no source_id", MENDED | {"messageId": "m-1", "userId": "ann"})
    await shop.client.sign_in(OPERATOR)
    shown = await shop.client.twin(f"/console/playground?quarantine={id_}")
    assert (shown["origin"], shown["named"], shown["source"]) == ("quarantine", str(id_), "")
    assert f'"messageId": "m-1#replay-{id_}"' in shown["payload"]
    assert [each["outcome"] for each in shown["run"]["results"]] == ["processed"]
    gone = await shop.client.twin("/console/playground?quarantine=999")
    assert "there is no message 999 in quarantine" in gone["error"]

"""Searches go backwards through the journal, by pages, and none reads more than a bounded part of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapter.errors import NotFound, Unreadable
from adapter.model.customers import Customer
from adapter.services.arrivals import search as searching
from adapter.services.arrivals.filter_text import parsed
from adapter.services.arrivals.listed import message_at
from adapter.services.arrivals.search import FoundMessages, Search
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, CustomerRecord, LoadRequest
from tests.arrivals.conftest import NOON, Arrivals

PATIENCE = ReadTimeout(5)


@pytest.fixture
def search(store: Store) -> Any:
    async def run(text: str, before: str = "", limit: int = 50) -> FoundMessages:
        return await Search(store, PATIENCE).page(parsed(text, NOON), before, limit)

    return run


def ids(page: FoundMessages) -> list[str]:
    return [each.message_id for each in page.messages]


async def test_pages_follow_each_other_within_rows_and_between_them(search: Any, arrivals: Arrivals) -> None:
    for row in (["1", "2", "3"], ["4"], ["5", "6"]):
        await arrivals.come(*row)
    seen, before = [], ""
    for _ in range(4):
        page = await search("", before, 2)
        seen.append(ids(page))
        before = page.next
    assert seen == [["6", "5"], ["4", "3"], ["2", "1"], []]
    assert (page.complete, page.next) == (True, "")


async def test_a_list_knows_from_which_row_it_can_be_followed(search: Any, arrivals: Arrivals) -> None:
    assert (await search("")).newest == 0
    await arrivals.come("1")
    await arrivals.come("2")
    assert (await search("outcome:refused")).newest == 2


async def test_a_search_that_finds_little_stops_and_says_how_far_it_came(
    search: Any, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_MESSAGES", 30)
    for number in range(100):
        await arrivals.come(str(number), outcome="ignored" if number == 10 else "processed")
    steps, before = 0, ""
    while not (page := await search("outcome:ignored", before)).messages:
        assert not page.complete
        assert page.searched_back_to is not None
        steps, before = steps + 1, page.next
    assert (ids(page), steps) == (["10"], 2)


async def test_a_search_for_a_word_that_no_index_has_goes_on_behind_its_cursor(
    search: Any, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_MESSAGES", 30)
    for number in range(100):
        await arrivals.come(f"order-{number}", outcome="ignored")
    steps, before = 0, ""
    while not (page := await search("order-10", before)).messages:
        assert not page.complete
        steps, before = steps + 1, page.next
    assert (ids(page), steps) == (["order-10"], 2)


async def test_a_search_ends_at_the_moment_that_the_filter_says(search: Any, arrivals: Arrivals) -> None:
    for number in range(100):
        at = NOON - timedelta(minutes=100 - number)
        await arrivals.come(str(number), received_at=at)
    page = await search("since:5m")
    assert (ids(page), page.complete) == (["99", "98", "97", "96", "95"], True)


async def test_a_customer_is_found_by_any_id_without_reading_the_rows_of_others(
    search: Any, store: Store, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_ROWS", 3)
    await _with_customer(store)
    await arrivals.write(arrivals.entry("old", "visitor-1"))
    for number in range(50):
        await arrivals.come(str(number), names=["bob"])
    await arrivals.write(arrivals.entry("other", "bob"), arrivals.entry("new", "ann"))
    for text in ("customer:ann", "customer:visitor-1", "email:Ann@Example.com", "ann", "ann@example.com"):
        page = await search(text)
        assert (text, ids(page), page.complete) == (text, ["new", "old"], True)
    assert ids(await search("customer:ann event:signup")) == []


async def test_a_message_is_found_by_its_id_near_its_commit(
    search: Any, store: Store, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_ROWS", 3)
    await _saved(store, LoadRequest(messages=[("segment", "wanted:track")]))
    await arrivals.come("wanted", received_at=NOON)
    for number in range(50):
        await arrivals.come(str(number), received_at=NOON + timedelta(hours=1))
    for text in ("message:wanted", "wanted"):
        assert ids(await search(text)) == ["wanted"]


async def test_an_id_that_was_not_committed_is_looked_for_in_all_rows(
    search: Any, arrivals: Arrivals
) -> None:
    await arrivals.come("ignored-1", outcome="ignored")
    await arrivals.come("2")
    assert ids(await search("message:ignored-1")) == ids(await search("ignored-1")) == ["ignored-1"]


async def test_a_cursor_of_another_list_is_refused(search: Any) -> None:
    with pytest.raises(Unreadable):
        await search("", "next")


async def test_a_message_is_found_again_after_an_erasure_moved_its_place(
    store: Store, search: Any, arrivals: Arrivals
) -> None:
    await arrivals.come("1", "2", "3")
    last, _, first = (await search("")).messages
    [row] = await store.journal()
    from adapter.model.journal import without

    await store.replace_journal(row.number, without(row, {0}))
    assert (await message_at(store, last.id)).entry.message_id == "3"
    for gone in (first.id, "99-0-00000000", "x"):
        with pytest.raises(NotFound):
            await message_at(store, gone)


async def _with_customer(store: Store) -> None:
    ann = Customer("ann", email="ann@example.com", identities={"anonymous_id": "visitor-1"})
    await _saved(
        store,
        LoadRequest(customers=["ann"]),
        customers=[CustomerRecord(ann)],
        identities={("anonymous_id", "visitor-1"): "ann"},
    )


async def _saved(store: Store, wanted: LoadRequest, **given: Any) -> None:
    changes: dict[str, Any] = {
        "answers": {}, "customers": [], "identities": {}, "moved": [], "erased": [], "events": [],
        "discounts": [], "counters": {}, "decisions": [], "deliveries": [], "quarantine": [],
    }  # fmt: skip

    async def script(transaction: Transaction) -> None:
        await transaction.load(wanted, NOON)
        await transaction.save(Changes(seen_at=NOON, **(changes | given)))

    await store.transact(script)

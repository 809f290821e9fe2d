"""Mapping files that extend a starter: used as it is, overridden by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapter.files import starters
from adapter.mapping import mapping_set
from adapter.mapping.mapping_set import MappingSet
from adapter.model.operations import CustomerUpsert, EventOccurred
from tests.mapping.conftest import MessageOf

Write = Callable[..., Path]
CHECKOUT: dict[str, Any] = {
    "type": "track", "event": "Checkout Started", "userId": "u-1", "messageId": "m-1",
    "properties": {"value": 145.75, "currency": "USD"},
}  # fmt: skip


def book(folder: Path) -> MappingSet:
    found, problems = mapping_set.load(folder)
    assert found is not None, [str(problem) for problem in problems]
    return found


def told(folder: Path) -> list[str]:
    found, problems = mapping_set.load(folder)
    assert found is None
    return [str(problem).replace(f"{folder}/", "") for problem in problems]


def test_a_starter_is_used_without_a_copy(
    write_mappings: Write, message_of: MessageOf, tmp_path: Path
) -> None:
    mine = book(write_mappings(shop="extends: adapter/segment@1\n"))
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "shop.yaml").write_text(starters.text("mappings", "adapter/segment@1"))
    copied = book(copy)
    assert mine.digest == copied.digest
    assert mine.operations(message_of(CHECKOUT)) == copied.operations(message_of(CHECKOUT))
    assert {str(each.at.file) for each in mine.mappings} == {"adapter/segment@1"}


def test_a_mapping_is_disabled_by_its_name(write_mappings: Write, message_of: MessageOf) -> None:
    mine = book(write_mappings(shop="extends: adapter/segment@1\ndisable: [Event from track]\n"))
    assert mine.operations(message_of(CHECKOUT)) == ()


def test_a_mapping_of_the_same_name_takes_the_place_of_the_starters(
    write_mappings: Write, message_of: MessageOf
) -> None:
    folder = write_mappings(
        shop="""\
        extends: adapter/segment@1
        mappings:
          - name: Last checkout
            subscribe: type = "track"
            action: customer.upsert
            fields: {source_id: {"@path": $.userId}, traits: {last: {"@path": $.event}}}
          - name: Event from track
            subscribe: type = "track"
            action: event
            fields:
              source_id: {"@path": $.userId}
              name: {"@lookup": {table: cart_events, value: {"@path": $.event}, spelling: any}}
        """
    )
    mine = book(folder)
    names = [each.name for each in mine.mappings]
    assert names.count("Event from track") == 1
    assert names.index("Event from track") < names.index("Page viewed") < names.index("Last checkout")
    event, customer = mine.operations(message_of(CHECKOUT))
    assert isinstance(event, EventOccurred)
    assert (event.event.name, event.event.attributes) == ("checkout_started", {})
    assert isinstance(customer, CustomerUpsert)


def test_entries_of_a_table_join_those_of_the_starter(write_mappings: Write, message_of: MessageOf) -> None:
    folder = write_mappings(
        shop="""\
        extends: adapter/segment@1
        tables:
          event_names: {Basket Paid: order_paid, Searched products: search}
        """
    )
    mine = book(folder)
    for sent, name in (
        ("basket paid", "order_paid"),
        ("Searched Products", "search"),
        ("Viewed Product", "product_viewed"),
    ):
        [event] = mine.operations(message_of({**CHECKOUT, "event": sent}))
        assert isinstance(event, EventOccurred)
        assert event.event.name == name


def test_a_case_names_the_file_that_extends(write_mappings: Write) -> None:
    folder = write_mappings(shop="extends: [adapter/segment@1, adapter/segment-travel@1]\n")
    assert len(book(folder).narrowed(["shop.yaml"]).mappings) == len(book(folder).mappings)


def test_mistakes_are_reported_at_their_place(write_mappings: Write) -> None:
    folder = write_mappings(
        shop="""\
        source: mparticle
        extends: adapter/segment@1
        disable: [Event from trak]
        """,
        other="""\
        source: segment
        disable: [One]
        mappings: [{name: A, subscribe: type = "track", action: event}]
        """,
    )
    assert told(folder) == [
        "other.yaml:2:1: the file extends no starter; delete the entries themselves, or write `extends:`",
        "other.yaml:3:12: no `fields`; write `field: value` lines",
        "shop.yaml:1:9: the file is for mparticle, and the starter that it extends for segment; "  # noqa: ISC004
        "write two files, one for each source",
        "shop.yaml:3:11: the starter has no `Event from trak`; did you mean `Event from track`?",
    ]

"""Which stored events follow the names that files give: those that tables and the data model name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adapter.mapping import mapping_set
from adapter.model.event_names import EventNames

OWN = """
source: segment
tables:
  names: {Completed Order: order_completed, Buy: bought, Sale: sold}
  others: {Purchase: bought, SALE: sale}
mappings:
  - name: Ordered
    subscribe: type = "track"
    action: event
    fields:
      source_id: {"@path": $.userId}
      name:
        "@first":
          - {"@lookup": {table: names, value: {"@path": $.event}, spelling: any}}
          - {"@lookup": {table: others, value: {"@path": $.event}, spelling: any}}
          - {"@path": $.event}
  - name: Ours
    subscribe: type = "page"
    action: event
    fields: {source_id: {"@path": $.userId}, name: completed-order}
"""
MODEL = "events: {order_completed: {}, by_now: {}, bynow: {}, purchase: {}}"


def names_of(directory: Path) -> EventNames:
    loaded, problems = mapping_set.load(directory)
    assert loaded is not None, problems
    return loaded.names


@pytest.mark.parametrize(
    ("stored", "current"),
    [
        ("buy", "bought"),
        ("BUY", "bought"),
        ("ordercompleted", "order_completed"),
        ("completed_order", "completed_order"),  # a mapping gives this name outright
        ("purchase", "purchase"),  # the model declares it
        ("sale", "sale"),  # a table gives it as a name
        ("by_now", "by_now"),  # two declared names have its spelling
        ("BYNOW", "BYNOW"),
        ("wine_tasting", "wine_tasting"),
    ],
)
def test_a_stored_name_follows_the_files(
    stored: str, current: str, write_mappings: Callable[..., Path]
) -> None:
    directory = write_mappings(shop=OWN)
    (directory / "model.yaml").write_text(MODEL)
    assert names_of(directory).current(stored) == current


def test_a_spelling_that_two_tables_give_different_names_stays(write_mappings: Callable[..., Path]) -> None:
    names = names_of(write_mappings(shop=OWN))
    assert names.current("s_a_l_e") == "s_a_l_e"
    assert names.current("pur_chase") == "bought"


def test_files_without_tables_by_spelling_give_no_names(write_mappings: Callable[..., Path]) -> None:
    names = names_of(write_mappings(shop=OWN.replace(", spelling: any", "")))
    assert names.digest == ""
    assert names.current("buy") == "buy"


def test_the_digest_is_another_where_the_names_are(write_mappings: Callable[..., Path]) -> None:
    one = names_of(write_mappings(shop=OWN))
    other = names_of(write_mappings(shop=OWN.replace("Buy: bought", "Buy: order_completed")))
    assert "" not in (one.digest, other.digest)
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("stored", "current"),
    [
        ("completed_order", "order_completed"), ("viewed_cart", "cart_viewed"),
        ("viewed_product", "product_viewed"),
        ("order_canceled", "order_cancelled"), ("checkoutstarted", "checkout_started"),
        ("order_completed", "order_completed"), ("subscription_renewed", "subscription_renewed"),
    ],
)  # fmt: skip
def test_stored_names_follow_the_starters(stored: str, current: str) -> None:
    assert names_of(Path(__file__).parents[2] / "mappings").current(stored) == current

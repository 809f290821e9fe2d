"""Names of events in rule files: in any spelling they mean the events that arrive under their name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.customers import Customer
from adapter.model.event_names import EventNames, event_name
from adapter.model.events import Event
from adapter.model.rules import Absence
from adapter.rules.engine.ruleset import RuleSet, load
from adapter.rules.expressions import Names
from adapter.rules.history.history import History
from adapter.rules.testing import cases, run_case
from adapter.rules.testing.vocabulary import known
from adapter.services.loaded_files import check_files
from adapter.settings.values import Files

SPELLINGS = [
    "Checkout Started",
    "checkout-started",
    "CheckoutStarted",
    " CHECKOUT STARTED ",
    "checkout_started",
]
RULE = """
name: ten
trigger: {trigger}
conditions: {conditions}
action: {{type: free_shipping}}
"""
SHARED = """
definitions: {returns: 'history.count("Order Completed") > 0'}
segments: {buyers: 'history.count("orderCompleted") > 0'}
"""
MAPPINGS = """
source: segment
mappings:
  - name: every event
    subscribe: type = "track"
    action: event
    fields: {source_id: {"@path": $.userId}, name: {"@path": $.event}}
"""
ANY = '["cart_value > 100"]'
#: By their spelling alone these are one; which of them is the name, mapping files say.
GIVEN = EventNames.of([("checkout_started", "checkout_started")], [])


def _matches(book: RuleSet, happened: Event, past: list[Event]) -> bool:
    history = History()
    for event in past:
        book.fold(history, event)
    verdict = book.evaluate(happened, Customer("user_1"), history, happened.occurred_at)
    return bool(verdict.proposals)


@pytest.mark.parametrize("spelled", SPELLINGS)
@pytest.mark.parametrize("trigger", ['"{}"', '[cart_viewed, "{}"]'])
def test_a_trigger_in_any_spelling_takes_the_event(
    make_book: Callable[..., RuleSet], make_event: Callable[..., Event], trigger: str, spelled: str
) -> None:
    book = make_book(a=RULE.format(trigger=trigger.format(spelled), conditions=ANY))
    assert book.needs("checkout_started")
    assert _matches(book, make_event(), [])


def test_a_trigger_that_names_an_event_twice_takes_it_once(make_book: Callable[..., RuleSet]) -> None:
    book = make_book(a=RULE.format(trigger="[Cart Viewed, cart_viewed]", conditions=ANY))
    assert book.rules[0].trigger == ("cart_viewed",)


@pytest.mark.parametrize(
    "condition",
    ["history.count('Order Completed') > 0", "now - history.last('order completed') > duration('1h')",
     "history.sum('orderCompleted', 'cart_value', '30d') > 5", "returns"],
)  # fmt: skip
def test_history_in_any_spelling_counts_the_event(
    make_book: Callable[..., RuleSet], make_event: Callable[..., Event], condition: str, now: datetime
) -> None:
    rule = RULE.format(trigger="checkout_started", conditions=f'["{condition}"]')
    book = make_book(a=rule, definitions=SHARED)
    bought = make_event(id="evt_0", name="order_completed", occurred_at=now - timedelta(days=1))
    assert _matches(book, make_event(), [bought])
    assert not _matches(book, make_event(), [])


def test_a_segment_counts_events_in_any_spelling(
    make_book: Callable[..., RuleSet], make_event: Callable[..., Event], now: datetime
) -> None:
    rule = RULE.format(trigger="checkout_started", conditions=ANY)
    book = make_book(a=rule + "guardrails: {eligible_segments: [buyers]}", definitions=SHARED)
    bought = make_event(id="evt_0", name="order_completed", occurred_at=now - timedelta(days=1))
    assert _matches(book, make_event(), [bought])
    assert not _matches(book, make_event(), [])


def test_an_absence_waits_for_the_event_in_any_spelling(make_book: Callable[..., RuleSet]) -> None:
    trigger = '{event: "Checkout Started", unless: orderCompleted, within: 30m}'
    [rule] = make_book(a=RULE.format(trigger=trigger, conditions=ANY)).rules
    assert rule.trigger == Absence("checkout_started", "order_completed", timedelta(minutes=30))


def test_names_that_mappings_give_to_a_spelling_count(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(RULE.format(trigger="CHECKOUTSTARTED", conditions=ANY))
    book, problems = load(tmp_path, Names(spelled=GIVEN))
    assert book is not None, problems
    assert book.needs("checkout_started")


CASE = """
cases:
  - name: it is given
    past: [{name: "Checkout Started", ago: 1h}]
    due: late
    expect: {late: issued}
  - name: it is issued
    past: [{name: "ORDER COMPLETED", ago: 1h}]
    event: {name: checkoutStarted}
    expect: {ten: issued}
"""
LATE = """
name: late
trigger: {event: checkout started, unless: order completed, within: 30m}
action: {type: free_shipping}
"""


def test_cases_name_events_in_any_spelling(make_book: Callable[..., RuleSet], tmp_path: Path) -> None:
    rule = RULE.format(trigger="Checkout Started", conditions="[returns]")
    book = make_book(a=rule, b=LATE, definitions=SHARED)
    (tmp_path / "a.test.yaml").write_text(CASE)
    found, problems = cases.load(tmp_path, known(book, None))
    assert problems == []
    assert [run_case.run(case, book).missed for case in found] == [(), ()]


@pytest.mark.parametrize("model", ["", "events: {checkout_started: {}, order_completed: {}}\n"])
def test_files_mean_the_same_with_a_data_model_and_without(tmp_path: Path, model: str) -> None:
    for folder in ("mappings", "rules"):
        (tmp_path / folder).mkdir()
    (tmp_path / "mappings/a.yaml").write_text(MAPPINGS)
    if model:
        (tmp_path / "mappings/model.yaml").write_text(model)
    count = 'history.count("Order Completed") > 0'
    (tmp_path / "rules/a.yaml").write_text(RULE.format(trigger="Checkout Started", conditions=f"['{count}']"))
    found = check_files(Files(str(tmp_path / "mappings"), str(tmp_path / "rules")))
    book = found.rules
    assert book is not None, found.problems
    assert book.rules[0].trigger == ("checkout_started",)
    assert list(book.metrics.events) == ["order_completed"]


@given(st.text())
def test_the_name_of_an_event_is_its_own_name(sent: str) -> None:
    assert event_name(event_name(sent)) == event_name(sent)

"""Waits: what starts them, what ends them, and what a due one comes to, in whatever order events come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.model.customers import Customer
from adapter.model.events import Event, User
from adapter.model.timers import Timer
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.history.history import History

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
RULE = """
name: cart-recovery
trigger: {event: checkout_started, unless: order_completed, within: 30m}
conditions: [cart_value >= 60]
action: {type: amount_off, value: 10}
"""
LAPSED = """
name: lapsed
trigger: {event: order_completed, unless: order_completed, within: 60d}
action: {type: free_shipping}
"""


@pytest.fixture
def book(make_book: Callable[..., RuleSet]) -> RuleSet:
    return make_book(a=RULE, b=LAPSED)


def event(name: str, minute: float, cart: int = 80) -> Event:
    at = START + timedelta(minutes=minute)
    return Event(f"{name}@{minute}", name, at, User(id="ann"), {"cart_value": cart}, {})


def run(book: RuleSet, events: Iterable[Event]) -> tuple[dict[str, Timer], History]:
    """Take events as a store would: cancel, arm, fold."""
    timers: dict[str, Timer] = {}
    history = History()
    for each in events:
        waits = book.waits(each, "ann", history)
        for over in waits.cancelled:
            if over.rule in timers and over.ends(timers[over.rule]):
                del timers[over.rule]
        timers.update({timer.rule: timer for timer in waits.armed})
        book.fold(history, each)
    return timers, history


def test_the_first_event_arms_a_timer_that_is_due_after_the_time(book: RuleSet) -> None:
    timers, history = run(book, [event("checkout_started", 0)])
    timer = timers["cart-recovery"]
    assert timer.due_at == START + timedelta(minutes=30)
    verdict = book.evaluate_absence(timer, Customer("ann"), history, timer.due_at)
    assert [proposal.rule.name for proposal in verdict.proposals] == ["cart-recovery"]


def test_a_rule_of_absence_is_not_evaluated_on_the_event_itself(book: RuleSet) -> None:
    assert not book.needs("checkout_started")
    assert book.watches("checkout_started")
    assert book.watches("order_completed")
    assert not book.watches("page_viewed")


def test_conditions_still_hold_or_not_when_the_time_is_up(book: RuleSet) -> None:
    timers, history = run(book, [event("checkout_started", 0, cart=50)])
    verdict = book.evaluate_absence(timers["cart-recovery"], Customer("ann"), history, START)
    assert verdict.outcomes[0].reason == "not issued: cart_value is 50, needs at least 60"


@pytest.mark.parametrize(
    ("minutes", "waits"),
    [
        ([("checkout_started", 0), ("order_completed", 10)], False),
        ([("order_completed", 10), ("checkout_started", 0)], False),  # out of order
        ([("checkout_started", 0), ("order_completed", 0)], False),  # the same moment
        ([("checkout_started", 0), ("order_completed", 30)], False),  # in the last moment
        ([("checkout_started", 0), ("order_completed", 31)], True),  # too late
        ([("checkout_started", 0), ("order_completed", -5)], True),  # the order before
        ([("order_completed", -5), ("checkout_started", 0)], True),
        ([("checkout_started", 0), ("order_completed", 10), ("checkout_started", 20)], True),
        ([("checkout_started", 20), ("order_completed", 10), ("checkout_started", 0)], True),
    ],
)
def test_the_awaited_event_ends_the_wait_in_whatever_order(
    minutes: list[tuple[str, float]], waits: bool, book: RuleSet
) -> None:
    timers, _ = run(book, [event(name, minute) for name, minute in minutes])
    assert ("cart-recovery" in timers) is waits


def test_the_latest_event_holds_the_wait_even_when_an_earlier_one_comes_late(book: RuleSet) -> None:
    timers, _ = run(book, [event("checkout_started", 9), event("checkout_started", 4)])
    assert timers["cart-recovery"].due_at == START + timedelta(minutes=39)


def test_an_event_that_waits_for_the_next_of_its_name_starts_again_each_time(book: RuleSet) -> None:
    timers, history = run(book, [event("order_completed", 0), event("order_completed", 60)])
    assert timers["lapsed"].event.id == "order_completed@60"
    assert book.evaluate_absence(timers["lapsed"], Customer("ann"), history, START).proposals


def test_a_due_timer_comes_to_nothing_when_the_awaited_event_is_known_by_then(book: RuleSet) -> None:
    timers, history = run(book, [event("checkout_started", 0)])
    book.fold(history, event("order_completed", 5))
    verdict = book.evaluate_absence(timers["cart-recovery"], Customer("ann"), history, START)
    assert (verdict.proposals, verdict.outcomes) == ((), ())


def test_a_due_timer_of_a_rule_that_is_gone_comes_to_nothing(book: RuleSet) -> None:
    timer = Timer("gone", "ann", event("checkout_started", 0), START)
    assert not book.evaluate_absence(timer, Customer("ann"), History(), START).proposals


streams = st.lists(
    st.tuples(st.sampled_from(["checkout_started", "order_completed"]), st.integers(0, 90)),
    max_size=8,
    unique=True,
)


@given(data=st.data(), stream=streams)
@settings(deadline=None, max_examples=200)
def test_no_order_of_arrival_lets_a_completed_checkout_be_rewarded(
    data: st.DataObject, stream: list[tuple[str, int]], recovery: RuleSet
) -> None:
    """Compare with the slow model on what matters: a timer that fires must be one the model fires too."""
    arrived = data.draw(st.permutations(stream))
    timers, history = run(recovery, [event(name, minute) for name, minute in arrived])
    starts = [minute for name, minute in stream if name == "checkout_started"]
    ends = [minute for name, minute in stream if name == "order_completed"]
    timer = timers.get("cart-recovery")
    if timer is not None and recovery.evaluate_absence(timer, Customer("ann"), history, START).proposals:
        last = max(starts)
        assert timer.event.id == f"checkout_started@{last}"
        assert not any(last <= end <= last + 30 for end in ends)
    if starts and not any(end >= max(starts) for end in ends):
        assert timer is not None


@pytest.fixture(scope="session")
def recovery(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    from adapter.rules.engine.ruleset import load

    directory = tmp_path_factory.mktemp("rules")
    (directory / "a.yaml").write_text(RULE)
    book, _ = load(directory)
    assert book is not None
    return book

"""What a decision left untold is told later as it would have been told at once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.model.decisions import Decision, RuleOutcome
from adapter.model.encoding import decode, encode
from adapter.model.events import Event, User
from adapter.rules.engine.evaluate import MOST_EXPLAINED, view_of
from adapter.rules.engine.ruleset import RuleSet, load
from adapter.rules.engine.sentences import explain
from adapter.rules.expressions import misses
from adapter.rules.history.history import History

NOW = datetime.fromisoformat("2026-11-21T15:07:31Z")
CONDITIONS = [
    "n >= 120", "!(n < 5)", "s in ['a', 'b']", "b", "!b", "has(attributes.n)", "!has(user.o.x)", "o.x == 2",
    "has(o.x)", "attributes.o.x > 1", "user.o.x == 1", "context.s != 'a'", "l.exists(e, e == 'a')",
    "'a' in l", "n + 1 > o.x", "user.segments.exists(one, one == 'vip')", "event.name == 'y'",
    "now < timestamp('2020-01-01T00:00:00Z')", "event.occurred_at < timestamp('2020-01-01T00:00:00Z')",
    "history.sequence('bought', 'x', '1h')", "!history.sequence('bought', 'x')",
    "history.count('bought') >= 3", "now - history.last('bought') < duration('1h')", "loyal",
    "{any: [n > 900, \"s == 'zz'\"]}", "{none: [n > 1, b]}", "n > 2 && s == 'a' || b", "email == 'x@y.z'",
]  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.sampled_from([0, 1, 119.5, 120, "a", "b", True, False, None, [], ["a"]])
OBJECTS = st.fixed_dictionaries({}, optional={
    "n": VALUES, "s": VALUES, "b": VALUES, "l": VALUES,
    "o": st.fixed_dictionaries({}, optional={"x": VALUES}),
})  # fmt: skip


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    """One rule for each condition on one trigger."""
    folder: Path = tmp_path_factory.mktemp("rules")
    (folder / "definitions.yaml").write_text("definitions: {loyal: user.n > 100}\n")
    for at, condition in enumerate(CONDITIONS):
        written = condition if condition[0] == "{" else '"' + condition + '"'
        (folder / f"r{at:02}.yaml").write_text(
            f"name: r{at:02}\ntrigger: x\nconditions: {{all: [{written}]}}\naction: {{type: free_shipping}}\n"
        )
    found, problems = load(folder)
    assert found is not None, [str(problem) for problem in problems]
    return found


def decided(book: RuleSet, event: Event, customer: Customer, history: History) -> Decision:
    """Return the decision as it comes back from the store."""
    said = book.evaluate(event, customer, history, NOW)
    issued = (RuleOutcome(each.rule.name, "issued", "every condition holds") for each in said.proposals)
    outcomes = (*said.outcomes, *issued)
    told = Decision(event.id, event.name, "u", NOW, book.digest, outcomes, said.seen, said.untold)
    return decode(encode(told), Decision)


@given(attributes=OBJECTS, traits=OBJECTS, context=OBJECTS, bought=st.booleans())
def test_every_unmatched_rule_is_explained_with_the_values_compared(
    attributes: dict[str, Any], traits: dict[str, Any], context: dict[str, Any], bought: bool, book: RuleSet
) -> None:
    event = Event("evt_1", "x", NOW - timedelta(seconds=5), User("u"), attributes, context)
    customer, history = Customer("u", traits=traits, segments=("new",)), History()
    if bought:
        book.fold(history, Event("evt_0", "bought", NOW - timedelta(days=2), User("u"), {}, {}))
    decision = decided(book, event, customer, history)
    view = view_of(event, customer, history, NOW)
    missed = {name: "; ".join(misses(node, view)) for name, node in book.nodes.items()}
    outcomes = book.complete(decision).outcomes
    assert sorted(outcome.rule for outcome in outcomes) == sorted(book.nodes)
    told = {outcome.rule: outcome.reason for outcome in outcomes if outcome.outcome == "not_met"}
    assert told == {name: f"not issued: {why}" for name, why in missed.items() if why}
    assert decision.untold == len(told) - MOST_EXPLAINED


TWELVE = "name: r{0:02}\ntrigger: x\nconditions: {1}\naction: {{type: free_shipping}}\n"


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        (["n > 5", "history.count('y') > {0}"], "n is 1, needs more than 5"),
        (["n > 0", "history.avg('y', 'v') > {0}"], "average of y.v is missing"),
        (["history.max('y', 'v') > {0}", "history.min('y', 'v') > 1"],
         "one of these is missing: greatest y.v, least y.v"),
    ],
)  # fmt: skip
def test_a_figure_that_was_not_seen_is_called_missing_only_where_it_must_be(
    conditions: list[str], why: str, make_book: Any, make_event: Any
) -> None:
    book = make_book(
        **{f"r{at:02}": TWELVE.format(at, json.dumps(conditions).format(at)) for at in range(12)}
    )
    decision = decided(book, make_event(name="x", attributes={"n": 1}), Customer("u"), History())
    seen = {name: value for name, value in decision.seen.items() if "history" not in name}
    outcomes = book.complete(replace(decision, seen=seen)).outcomes
    assert {outcome.rule: outcome.reason for outcome in outcomes}["r11"] == f"not issued: {why}"


def test_with_other_files_a_decision_stays_and_unexplained_rules_are_counted(book: RuleSet) -> None:
    event = Event("evt_1", "x", NOW, User("u"), {}, {})
    decision = replace(decided(book, event, Customer("u"), History()), book="other files")
    assert book.complete(decision) is decision
    assert explain(decision)[-1] == f"and {decision.untold} more rules, whose conditions do not hold"

"""`limits`: what is one value of a key, how it is counted, and that no value can be read from a counter."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.model.customers import Customer
from adapter.model.discounts import CounterReservation
from adapter.model.events import User
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.engine.select import choose
from adapter.rules.history.history import History
from tests.rules.conftest import MakeBook, MakeEvent
from tests.rules.one_event import ANN, BASE, SEGMENTS, decide, outcome

CARD = BASE + "guardrails: {limits: [{key: attributes.card, count: 1}]}\n"
EMAIL = BASE + "guardrails: {limits: [{key: email, count: 1}]}\n"
SECRET = b"of this store"


def claimed(
    book: RuleSet, event: Any, customer: Customer = ANN, secret: bytes = SECRET
) -> list[CounterReservation]:
    (proposal,) = book.evaluate(event, customer, History(), event.occurred_at, secret).proposals
    return list(proposal.claims)


def carded(make_event: MakeEvent, card: Any) -> Any:
    return make_event(attributes={"cart_value": 150, "card": card})


SAME = [("c-1", " c-1\n"), (42, "42"), (42, 42.0), ("A@X.test", " a@x.TEST "), ("caf\u00e9", "cafe\u0301")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_value_are_one_key(
    make_book: MakeBook, make_event: MakeEvent, one: Any, other: Any
) -> None:
    book = make_book(ten=CARD)
    assert claimed(book, carded(make_event, one)) == claimed(book, carded(make_event, other)) != []


@pytest.mark.parametrize(("one", "other"), [("c-1", "C-1"), ("c-1", "c-2"), (1.5, 1), ("01", 1)])
def test_other_values_are_other_keys(
    make_book: MakeBook, make_event: MakeEvent, one: Any, other: Any
) -> None:
    book = make_book(ten=CARD)
    first, second = (claimed(book, carded(make_event, card))[0].scope for card in (one, other))
    assert first != second


NONE = ["", " ", "null", "N/A", "unknown", "0", "0000-0000", 0, True, None, {"id": 1}, ["c-1"], "(undefined)"]


@pytest.mark.parametrize("card", NONE)
def test_a_placeholder_and_what_is_no_text_are_no_key(
    make_book: MakeBook, make_event: MakeEvent, card: Any
) -> None:
    assert claimed(make_book(ten=CARD), carded(make_event, card)) == []


def test_a_required_key_withholds_where_it_is_missing(make_book: MakeBook, make_event: MakeEvent) -> None:
    book = make_book(ten=CARD.replace("count: 1", "count: 1, required: true"))
    found = outcome(decide(book, carded(make_event, "unknown")))
    assert (found.guardrail, found.reason) == (
        "limits.attributes.card", "not issued: `attributes.card` is missing, and is needed to count by"
    )  # fmt: skip
    assert decide(book, carded(make_event, "c-1")).proposals


def test_a_counter_tells_no_value_and_differs_from_store_to_store(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    book, event = make_book(ten=CARD), carded(make_event, "c-1")
    (claim,) = claimed(book, event)
    assert claim.scope.startswith("limit-key:attributes.card:")
    assert "c-1" not in claim.scope.removeprefix("limit-key:attributes.card:")
    assert [claim] != claimed(book, event, secret=b"of another store")
    assert not any("c-1" in str(read) for read in decide(book, event).seen.values())


def test_the_email_is_every_address_of_the_customer_at_the_event(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    book = make_book(ten=EMAIL)
    known = Customer("user_1", email=" Ann@X.test", identities={"email": "ANN@x.test"})
    guest = make_event(user=User(email="bob@x.test"), attributes={"cart_value": 150, "email": "Bob@X.test"})
    plain = make_event(attributes={"cart_value": 150, "email": "noemail@noemail.com"})
    assert len(claimed(book, guest, known)) == 2
    assert claimed(book, guest)[0] in claimed(book, guest, known)
    assert claimed(book, plain) == []


def test_what_was_had_is_said_of_the_key(make_book: MakeBook, make_event: MakeEvent) -> None:
    windowed = CARD.replace("count: 1", "count: 2, window: 30d").replace("limits", "cooldown: 1d, limits")
    for text, said in (
        (EMAIL, "not issued: this email address has had 1 of 1 of this rule in all"),
        (windowed, "not issued: this value of attributes.card has had all that this rule gives in 30d"),
    ):
        book, event = (
            make_book(ten=text),
            make_event(attributes={"cart_value": 150, "card": 1, "email": "a@x.te"}),
        )
        verdict = decide(book, event)
        full = {
            (each.scope, each.key): max(1, each.cap)
            for each in verdict.proposals[0].claims
            if each.guardrail.startswith("limits")
        }
        (refused,) = choose(verdict, [], full, event.occurred_at).outcomes
        assert refused.reason == said


def test_limits_over_two_windows_take_a_slot_of_each(make_book: MakeBook, make_event: MakeEvent) -> None:
    two = "[{key: user.card, count: 1, window: 7d}, {key: user.card, count: 3, window: 30d}]"
    book, event = make_book(ten=BASE + f"guardrails: {{limits: {two}}}\n"), make_event()
    verdict = decide(book, event, Customer("user_1", traits={"card": "c-1"}))
    used: dict[Any, int] = {}
    taken = [claim for each in choose(verdict, [], used, event.occurred_at).granted for claim in each.claims]
    assert sorted(claim.key.split("|")[3] for claim in taken) == ["2592000", "604800"]
    used = {(claim.scope, claim.key): claim.amount for claim in taken}
    assert choose(verdict, [], used, event.occurred_at).granted == ()


def test_a_list_of_addresses_has_a_guest_by_the_address_on_the_event(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    book = make_book(ten=BASE + "guardrails: {excluded_segments: [staff]}\n", definitions=SEGMENTS)
    for event in (
        make_event(attributes={"cart_value": 150, "email": " BOB@shop.ex"}),
        make_event(user=User(email="bob@shop.ex")),
    ):
        assert outcome(decide(book, event)).reason == "not issued: the customer is in staff"
    assert decide(book, make_event(attributes={"cart_value": 150, "email": "ann@shop.ex"})).proposals

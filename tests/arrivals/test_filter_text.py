"""The text of a filter: qualifiers, quotes, and errors that say what to write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.journal import JournalEntry
from adapter.services.arrivals.filter_text import QUALIFIERS, FilterError, parsed
from adapter.services.arrivals.filters import NO_PEOPLE, Arrived, KnownPeople, MessageFilter

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)


def message(**changed: Any) -> Arrived:
    given: dict[str, Any] = {
        "source": "segment", "key": "k1", "message_id": "m1", "received_at": NOW, "outcome": "processed",
        "reason": "", "names": ["u-7", "ann@example.com"],
        "document": b'{"type":"track","event":"Order Completed"}', "rules": ("vip",),
    }  # fmt: skip
    return Arrived(1, 0, JournalEntry(**(given | changed)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("source:segment  outcome:quarantined", {"sources": {"segment"}, "outcomes": {"quarantined"}}),
        ('event:"Order Completed" event:signup', {"events": {"ordercompleted", "signup"}}),
        ("SOURCE:mparticle type:commerce_event", {"sources": {"mparticle"}, "types": {"commerce_event"}}),
        (r'customer:"a \"b\" \\ c:d"', {"customer": 'a "b" \\ c:d'}),
        ("rule:vip rule:cart", {"rules": {"vip", "cart"}}),
        ("email: Ann@Example.COM".replace(": ", ":"), {"email": "ann@example.com"}),
        ('message:m-1 reason:"No userId"', {"message": "m-1", "reason": "no userid"}),
        ("since:90m", {"since": NOW - timedelta(minutes=90)}),
        ("since:2026-11-30T12:00", {"since": NOW - timedelta(hours=2)}),
        ("since:2026-11-30T12:00+02:00", {"since": NOW - timedelta(hours=4)}),
        ("u-7", {"word": "u-7"}),
        ('"source:odd id"', {"word": "source:odd id"}),
    ],
)
def test_a_filter_says_which_messages_are_wanted(text: str, expected: dict[str, Any]) -> None:
    frozen: dict[str, Any] = {
        key: frozenset(value) if isinstance(value, set) else value for key, value in expected.items()
    }
    assert parsed(text, NOW) == MessageFilter(**frozen)


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("source:segment sorce:x", 15, "`sorce:` is no qualifier"),
        ("outcome:lost", 0, "`lost` is no outcome: processed, duplicate"),
        ("event:", 0, "`event:` has no value"),
        ('event:"Order', 6, "a quote is not closed"),
        ('event:"a"b', 9, "write a blank after a closing quote"),
        ("Order Completed", 6, 'only one word may stand without a qualifier: write event:"Order Completed"'),
        ("customer:a customer:b", 11, "`customer:` may be given once"),
        ("since:soon", 0, "`soon` is no time: write 30m, 12h, 1d"),
        ("since:2026-13-01", 0, "is no time"),
        ("email:ann", 0, "`ann` is no email address"),
        ("x" * 1001, 1000, "longer than 1000 characters"),
    ],
)
def test_a_mistake_is_said_with_its_place(text: str, at: int, said: str) -> None:
    with pytest.raises(FilterError) as error:
        parsed(text, NOW)
    assert (error.value.at, said in error.value.message) == (at, True), error.value.message


@given(st.text())
def test_any_text_is_a_filter_or_a_mistake_at_a_place_in_it(text: str) -> None:
    mistake = None
    try:
        parsed(text, NOW)
    except FilterError as error:
        mistake = error.at
    assert mistake is None or 0 <= mistake <= len(text)


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.sampled_from(["customer", "message"])
)
def test_any_value_can_be_written_in_quotes(value: str, qualifier: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    assert getattr(parsed(f'{qualifier}:"{quoted}"', NOW), qualifier) == value


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("source:mparticle", {"source": "mparticle"}),
        ("outcome:refused", {"outcome": "refused"}),
        ("type:page", {"document": b'{"type":"page"}'}),
        ("event:order_refunded", {"document": b'{"event":"Order Refunded"}'}),
        ("rule:cart", {"rules": ("cart", "vip")}),
        ("customer:u-8", {"names": ["u-8"]}),
        ("email:BEA@example.com", {"names": ["bea@example.com"]}),
        ("message:m2", {"message_id": "m2"}),
        ("reason:NO", {"reason": "no mapping takes this message"}),
        ("since:1h", {"received_at": NOW}),
        ("k2", {"key": "k2"}),
        ("u-8", {"names": ["u-8"]}),
    ],
)
def test_a_filter_takes_what_it_says_and_nothing_else(text: str, changed: dict[str, Any]) -> None:
    wanted = parsed(text, NOW)
    assert wanted.takes(message(**changed), NO_PEOPLE)
    assert not wanted.takes(message(received_at=NOW - timedelta(days=1)), NO_PEOPLE)
    assert not wanted.everything


def test_a_customer_is_known_by_all_of_their_names() -> None:
    wanted = parsed("customer:u-7", NOW)
    known = KnownPeople({"u-7": frozenset(("u-7", "anonymous-1"))})
    assert wanted.takes(message(names=["anonymous-1"]), known)
    assert not wanted.takes(message(names=["anonymous-1"]), NO_PEOPLE)


def test_a_document_that_is_no_object_has_neither_type_nor_event() -> None:
    for document in (b'"cut off {', b"[1]", b'"text"', b"", b'{"type": 7, "event": null}'):
        assert message(document=document).named() in (("", ""), ("7", ""))


def test_every_qualifier_is_read() -> None:
    values = {"outcome": "refused", "since": "1h", "email": "a@b.example"}
    for name in QUALIFIERS:
        assert not parsed(f"{name}:{values.get(name, 'x')}", NOW).everything

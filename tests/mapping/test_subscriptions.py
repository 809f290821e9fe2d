"""Many subscriptions at once find what each finds alone; traps that the vectors lack are refused too."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.mapping import SubscriptionError, matches
from adapter.mapping.subscriptions import SubscriptionIndex, compile_subscription, lint, narrowed, parse

CONDITIONS = st.sampled_from([
    'type = "track"', 'type = "page"', 'type != "track"', 'event = "A"', 'event = "B"', 'event != "A"',
    "userId != null", "properties.n > 2", "properties.n = 1", 'contains(event, "A")', "type = null",
    'match(event, "A*")',
])  # fmt: skip
PLAIN = CONDITIONS.filter(lambda text: "(" not in text)
GROUPS = st.builds(
    lambda parts, by: f"({f' {by} '.join(parts)})",
    st.lists(PLAIN, min_size=1, max_size=3),
    st.sampled_from(["and", "or"]),
)
TEXTS = st.builds(
    lambda parts, by: f" {by} ".join(parts),
    st.lists(CONDITIONS | GROUPS, min_size=1, max_size=3),
    st.sampled_from(["and", "or"]),
)
MESSAGES: Any = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["track", "page", "null", None, 5, []]),
        "event": st.sampled_from(["A", "B", "AB", None, {}]),
        "userId": st.sampled_from(["u", None]),
        "properties": st.sampled_from([{"n": 1}, {"n": 3.5}, {"n": "3"}, {}, None, "text"]),
    },
)
SPELLED = st.sampled_from(["a_b", "AB", "orderCompleted", "ORDER-COMPLETED", "order", "X", "A"])


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=8), st.lists(MESSAGES, min_size=1, max_size=4))
def test_the_index_finds_every_matching_subscription(
    texts: list[str], messages: list[dict[str, Any]]
) -> None:
    index = SubscriptionIndex([parse(text) for text in texts])
    for message in [*messages, *messages]:
        assert index.candidates(message) == [
            place for place, text in enumerate(texts) if matches(text, message)
        ]


@given(
    st.lists(st.tuples(TEXTS, st.lists(st.sampled_from(["A b", "Order Completed", "x"]), max_size=2)),
             max_size=5),
    st.lists(MESSAGES | SPELLED.map(lambda event: {"type": "track", "event": event}), min_size=1, max_size=4),
)  # fmt: skip
def test_the_index_finds_every_matching_subscription_with_an_event_name(
    narrow: list[tuple[str, list[str]]], messages: list[dict[str, Any]]
) -> None:
    filters = [narrowed(parse(text), events) if events else parse(text) for text, events in narrow]
    index = SubscriptionIndex(filters)
    for message in [*messages, *messages]:
        assert index.candidates(message) == [
            place for place, ast in enumerate(filters) if compile_subscription(ast)(message)
        ]


def test_the_index_has_no_bucket_for_names_without_a_subscription() -> None:
    index = SubscriptionIndex([parse('type = "track" and event = "A"'), parse('type = "page"')])
    for number in range(1000):
        assert index.candidates({"type": "track", "event": f"other {number}"}) == []
    assert len(index._buckets) == 1


@pytest.mark.parametrize(
    ("text", "trap", "position"),
    [
        ("", "empty", 0),
        ("   ", "empty", 0),
        ('!(type = "a")', "negated_group", 0),
        ('type = "a" or type = "b" and event = "c"', "mixed_connectors", 25),
        ("type = 'a'", "single_quotes", 7),
        ("properties.x >=1", "glued_operator", 15),
        ("properties.ok != true", "not_boolean", 17),
        ('match(event, "*mid*")', "match_without_edge", 13),
        ('match(event, "whole")', "match_without_edge", 13),
        ('type = "a" or(event = "b")', "glued_connector", 11),
        ('(type = "a" and (event = "b"))', "nested_groups", 16),
        ('groupId = "x" and type = "group"', "unknown_field", 0),
        ('type = "track" extra', "missing_connector", 15),
        ('type.x = "track"', "bad_path", 0),
        ("properties.x>1", "glued_name", 12),
        ('type == "track"', "missing_value", 6),
    ],
)
def test_a_trap_is_refused_at_its_place(text: str, trap: str, position: int) -> None:
    with pytest.raises(SubscriptionError) as raised:
        parse(text)
    assert (raised.value.trap, raised.value.position) == (trap, position)
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ('type = "track" and properties.n > "high"', 19),
        ("event > 4", 0),
        ("event != null", 0),
        ('properties = "x"', 0),
        ("type = true", 0),
        ('type = "a" and type = "b"', None),
        ('properties.n > "5" and userId = null', None),
    ],
)
def test_a_valid_but_suspicious_value_is_warned_of(text: str, position: int | None) -> None:
    assert [place for place, _, _ in lint(parse(text))] == ([] if position is None else [position])


@given(st.text(alphabet="ab=!<>()\"'.\\ \n,*-1type event and or null true properties", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except SubscriptionError as error:
        place = error.position
    else:
        matches(text, {"type": "track"})
        return
    assert 0 <= place <= len(text)

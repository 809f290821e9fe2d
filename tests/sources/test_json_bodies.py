"""Bodies to JSON values: strict, exact, and item by item where one is bad."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import TooLarge, Unreadable
from adapter.sources import payloads
from adapter.sources.payloads import MAX_DEPTH, MAX_ITEMS, MAX_MARKS, MalformedItem


def _nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


REFUSED = [
    (b"", "truncated"),
    (b"not json", "invalid character"),
    (b"{", "truncated"),
    (b"{} {}", "trailing"),
    (b"NaN", "invalid character"),
    (b"-Infinity", "invalid"),
    (b"1e999", "out of range"),
    (b'"\\ud800"', "half a surrogate pair"),
    (b'{"a":"\\ud800"} ', "half a surrogate pair"),
    (b'{"a":"\\ud800 and more","b":1}', "half a surrogate pair"),
    (b'"\\udc00 and more"', "half a surrogate pair"),
    (b'{"a":"\\ud83d\\ude', "truncated"),
    (b'{"a":"\\\\ud83d"', "truncated"),
    (b'"\xff"', "not UTF-8"),
    (b'"a\nb"', "invalid character"),
    (b"\xef\xbb\xbf{}", "invalid character"),
    ("{}".encode("utf-16"), "invalid character"),
    (b"[1,]", "trailing comma"),
    (b"{'a': 1}", "not the JSON"),
    (_nested(MAX_DEPTH + 1), "deeper than 64"),
    (_nested(100_000), "deeper than 64"),
    (b"[" * 100_000, "deeper than 64"),
    (b'{"a":' * 65 + b"1" + b"}" * 65, "deeper than 64"),
]


@pytest.mark.parametrize(("body", "words"), REFUSED, ids=lambda value: repr(value)[:24])
def test_a_bad_body_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        payloads.decode(body)


def test_depth_is_allowed_up_to_the_limit_and_brackets_in_strings_do_not_count() -> None:
    payloads.decode(_nested(MAX_DEPTH))
    assert payloads.decode(b'["' + b"{" * 500 + b'"]') == ["{" * 500]
    flat = msgspec.json.encode([{"a": [1, {"b": "]}"}]}] * 300)
    assert len(payloads.decode(flat)) == 300


def test_integers_of_any_size_are_exact() -> None:
    text = b"[-3402163370598315325,18446744073709551616,123456789012345678901234567890,9007199254740993]"
    assert msgspec.json.encode(payloads.decode(text)) == text


def test_of_duplicate_keys_the_last_wins() -> None:
    assert payloads.decode(b'{"a":1,"b":2,"a":3}') == {"a": 3, "b": 2}
    assert payloads.members(b'{"a":1,"b":2,"\\u0061":3}') == {"a": b"3", "b": b"2"}


BAD_ITEMS = [
    b'{"a":"\\ud800"}',
    b'{"a":1e999}',
    b'{"a":NaN}',
    b'{"a":"\xff"}',
    b"{" * 3000 + b"}" * 3000,
    b"{oops}",
]


@pytest.mark.parametrize("bad", BAD_ITEMS, ids=lambda value: repr(value)[:24])
def test_one_bad_item_does_not_cost_its_neighbours(bad: bytes) -> None:
    body = b'[ {"n":1} ,' + bad + b' , {"n":[2,"],["]}]'
    first, broken, last = payloads.decode_items(body)
    assert (first, last) == ({"n": 1}, {"n": [2, "],["]})
    assert isinstance(broken, MalformedItem)
    assert broken.raw == bad
    assert broken.reason


@pytest.mark.parametrize("bad", BAD_ITEMS, ids=lambda value: repr(value)[:24])
def test_one_bad_item_inside_an_object_does_not_cost_its_neighbours(bad: bytes) -> None:
    body = b'{"id": 7, "items" : [1,' + bad + b'], "x": {"y": "}"}}'
    value = payloads.decode_items(body, "items")
    assert (value["id"], value["x"], value["items"][0]) == (7, {"y": "}"}, 1)
    assert isinstance(value["items"][1], MalformedItem)
    [nested] = payloads.decode_items(b"[" + body + b"]", "items")
    assert nested == value


@pytest.mark.parametrize(
    "body",
    [b"[1", b"[1,,2,NaN]", b"[NaN,]", b'["a]', b"[NaN]]", b"[NaN] 1", b"NaN", b'{"id":NaN,"items":[]}'],
)
def test_errors_outside_the_items_refuse_the_body(body: bytes) -> None:
    with pytest.raises(Unreadable):
        payloads.decode_items(body, "items")


def test_more_items_than_any_batch_has_are_refused_at_once() -> None:
    many = b"[" + b"1," * MAX_ITEMS + b"1]"
    for body in (
        many,
        b'{"items":' + many + b"}",
        many.replace(b"[1", b"[NaN"),
        b"[" + b'{"items":' + many + b"}]",
    ):
        with pytest.raises(TooLarge, match="more than 50000 items"):
            payloads.decode_items(body, "items")
    assert len(payloads.decode_items(many[:-3] + b"]")) == MAX_ITEMS


def test_no_more_marks_than_the_limit_are_read() -> None:
    body = b'[{"a":[1,2]},{"b":"],["},3]'
    assert len(list(payloads.slices(body, 10))) == 3
    with pytest.raises(Unreadable, match="do not match"):
        list(payloads.slices(body, 9))
    assert next(payloads.slices(body, 6)) == b'{"a":[1,2]}', "commas inside of an item are no marks"


@pytest.mark.slow
def test_a_batch_with_too_many_marks_is_unreadable() -> None:
    much = b'{"much":[' + b"[]," * MAX_MARKS + b"1e999]}"
    with pytest.raises(Unreadable):
        payloads.decode_items(b"[" + much + b"]", "items")
    assert payloads.decode_items(much, "items").raw == much, "an object that is JSON is kept whole"


@pytest.mark.parametrize(
    "value",
    [b"9" * 4301, b"-" + b"9" * 100_000, b'{"a":' * 1_100 + b"1" + b"}" * 1_100,
     b"[" * 150_000 + b"]" * 150_000, b'"\\ud83d"', b"1e999"],
    ids=lambda value: repr(value)[:24],
)  # fmt: skip
def test_one_message_that_is_json_but_cannot_be_kept_is_one_broken_item(value: bytes) -> None:
    body = b'{"userId": "u", "n": ' + value + b"}"
    broken = payloads.decode_items(body)
    assert (broken.raw, bool(broken.reason)) == (body, True)
    for no_json in (body[:-1], body + b"}", body.replace(b'"n', b"n")):
        with pytest.raises(Unreadable):
            payloads.decode_items(no_json)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(JSON), st.sampled_from([None, 1]), st.booleans())
def test_slices_are_the_exact_bytes_of_each_element(
    items: list[Any], indent: int | None, ascii_only: bool
) -> None:
    parts = [
        json.dumps(item, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
        for item in items
    ]
    assert list(payloads.slices(b"[" + b" ,\n".join(parts) + b"]")) == parts


@pytest.mark.slow
@given(st.dictionaries(st.text(), JSON))
def test_members_are_the_exact_bytes_of_each_value(value: dict[str, Any]) -> None:
    parts = payloads.members(msgspec.json.encode(value))
    assert {key: msgspec.json.decode(raw) for key, raw in parts.items()} == msgspec.json.decode(
        msgspec.json.encode(value)
    )


@given(st.binary() | st.text(alphabet='{}[],:"\\ 1a').map(str.encode))
def test_arbitrary_bytes_are_decoded_or_refused(body: bytes) -> None:
    for read in (payloads.decode, payloads.decode_items, payloads.members):
        with suppress(Unreadable):
            read(body)

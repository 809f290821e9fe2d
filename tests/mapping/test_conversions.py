"""What our own directives make of values, and what they refuse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import mapping
from adapter.mapping.engine.values import type_of

CASES: list[tuple[dict[str, Any], Any, Any]] = [
    ({"@number": {"@path": "$.v"}}, "54.90", 54.9),
    ({"@number": {"@path": "$.v"}}, " 12 ", 12),
    ({"@number": {"@path": "$.v"}}, "9007199254740993", 9007199254740993),
    ({"@number": {"@path": "$.v"}}, 3, 3),
    ({"@number": {"@path": "$.v"}}, "", ...),
    ({"@number": {"@path": "$.v"}}, None, None),
    ({"@number": {"@path": "$.gone"}}, 1, ...),
    ({"@string": {"@path": "$.v"}}, 45.0, "45"),
    ({"@string": {"@path": "$.v"}}, 9007199254740993, "9007199254740993"),
    ({"@string": {"@path": "$.v"}}, True, "true"),
    ({"@string": {"@path": "$.v"}}, "", ""),
    ({"@boolean": {"@path": "$.v"}}, "False", False),
    ({"@boolean": {"@path": "$.v"}}, 1, True),
    ({"@boolean": {"@path": "$.v"}}, "", ...),
    ({"@object": {"@path": "$.v"}}, {"a": [1]}, {"a": [1]}),
    ({"@object": {"@path": "$.v"}}, " ", ...),
    ({"@object": {"@path": "$.v"}}, None, None),
    ({"@object": {"@path": "$.gone"}}, 1, ...),
    ({"@datetime": {"@path": "$.v"}}, "2024-06-18T11:30:12+02:00", "2024-06-18T09:30:12.000Z"),
    ({"@datetime": {"@path": "$.v"}}, 1718703012412, "2024-06-18T09:30:12.412Z"),
    ({"@datetime": {"@path": "$.v"}}, "1718703012", "2024-06-18T09:30:12.000Z"),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "EUR"}}, "54.90", 5490),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "jpy"}}, 500, 500),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "KWD"}}, "1.234", 1234),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "EUR"}}, 1.005, 101),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "EUR"}}, "1.299,00 €", 129900),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "USD"}}, "$1,299.5", 129950),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "USD"}}, " ", ...),
    ({"@amount": {"@path": "$.v"}}, "$145.75", 145.75),
    ({"@amount": {"@path": "$.v"}}, 22.8600006103516, 22.86),
    ({"@amount": {"@path": "$.v"}}, None, None),
    ({"@amount": {"@path": "$.v"}}, "", ...),
    ({"@lenient": {"@amount": {"@path": "$.v"}}}, "1,299", "1,299"),
    ({"@lenient": {"@boolean": {"@path": "$.v"}}}, "perhaps", "perhaps"),
    ({"@lenient": {"@boolean": {"@path": "$.v"}}}, "yes", True),
    ({"@lenient": {"@number": {"@path": "$.v"}}}, {"a": 1}, {"a": 1}),
    ({"@lenient": {"@datetime": {"@path": "$.v"}}}, "soon", "soon"),
    ({"@lenient": {"@amount": {"@path": "$.gone"}}}, 1, ...),
    ({"@total": {"items": {"@path": "$.v"}, "price": {"@path": "$.p"}, "quantity": {"@path": "$.q"}}},
     [{"p": "19.10", "q": 2}, {"p": 0.2}, {"p": "$1", "q": " "}], 39.4),
    ({"@total": {"items": {"@path": "$.v"}, "price": {"@path": "$.p"}}}, {"p": 5}, 5),
    ({"@total": {"items": {"@path": "$.v"}, "price": {"@path": "$.p"}}}, [{"p": 5}, {"p": "free"}], ...),
    ({"@total": {"items": {"@path": "$.v"}, "price": {"@path": "$.p"}}}, [{"p": 5}, "text"], ...),
    ({"@total": {"items": {"@path": "$.v"}, "price": {"@path": "$.p"}}}, [], ...),
    ({"@total": {"items": {"@path": "$.gone"}, "price": {"@path": "$.p"}}}, 1, ...),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "EUR", "rounding": "half_even"}}, "1.005", 100),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "EUR", "rounding": "down"}}, "-1.009", -100),
    ({"@money": {"amount": {"@path": "$.gone"}, "currency": {"@path": "$.gone"}}}, 1, ...),
    ({"@first": [{"@path": "$.gone"}, {"@path": "$.v"}, "last"]}, None, "last"),
    ({"@first": [{"@path": "$.v"}, "last"]}, False, False),
    ({"@first": [{"@path": "$.v"}, "last"]}, "", "last"),
    ({"@first": [{"@path": "$.v"}, "last"]}, " \n", "last"),
    ({"@first": ["", {"@path": "$.v"}]}, 0, 0),
    ({"@first": [{"@path": "$.v"}, ""]}, None, ...),
    ({"@first": []}, 1, ...),
    ({"@lookup": {"table": "t", "value": {"@path": "$.v"}}}, "a", "A"),
    ({"@lookup": {"table": "t", "value": {"@path": "$.v"}}}, 5, "five"),
    ({"@lookup": {"table": "t", "value": {"@path": "$.v"}}}, "z", ...),
    ({"@lookup": {"table": "t", "value": {"@path": "$.v"}, "default": {"@path": "$.v"}}}, "z", "z"),
    ({"@lookup": {"table": "t", "value": {"@path": "$.v"}}}, [1], ...),
    ({"@filter": {"items": {"@path": "$.v"}, "where": {"$.n": {"not": 1}}}}, [{"n": 1}, {"n": 2}, {}],
     [{"n": 2}]),
    ({"@filter": {"items": {"@path": "$.v"}, "where": {"$.n": 1}}}, [{"n": True}, {"n": 1.0}], [{"n": 1.0}]),
    ({"@filter": {"items": {"@path": "$.v"}, "where": {"$.": {"in": ["a", "b"]}}}}, ["a", "c"], ["a"]),
    ({"@filter": {"items": {"@path": "$.v"}, "where": {"$.n": {"exists": False}}}}, {"m": 1}, [{"m": 1}]),
    ({"@map": {"items": {"@path": "$.v"}, "to": {"@path": "$.n"}}}, [{"n": 1}, {}, {"n": None}], [1, None]),
    ({"@map": {"items": {"@path": "$.v"}, "with": {"c": "x"}, "to": {"@template": "{{value}}{{c}}"}}},
     [1], ["1x"]),
    ({"@map": {"items": {"@path": "$.gone"}, "to": 1}}, [], ...),
]  # fmt: skip

REFUSED = [
    ({"@number": {"@path": "$.v"}}, "12,50"),
    ({"@number": {"@path": "$.v"}}, "1e999"),
    ({"@number": {"@path": "$.v"}}, True),
    ({"@number": {"@path": "$.v"}}, "9" * 5000),
    ({"@string": {"@path": "$.v"}}, {"a": 1}),
    ({"@boolean": {"@path": "$.v"}}, "maybe"),
    ({"@boolean": {"@path": "$.v"}}, 2),
    ({"@datetime": {"@path": "$.v"}}, "yesterday"),
    ({"@object": {"@path": "$.v"}}, "no"),
    ({"@object": {"@path": "$.v"}}, [{"a": 1}]),
    ({"@object": {"@path": "$.v"}}, False),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": {"@path": "$.gone"}}}, 1),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "EURO"}}, 1),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "EUR"}}, "1,299"),
    ({"@amount": {"@path": "$.v"}}, "1,299"),
    ({"@amount": {"@path": "$.v"}}, True),
    ({"@amount": {"@path": "$.v"}}, [1]),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "EUR", "rounding": "exact"}}, "1.005"),
]


@pytest.mark.parametrize(("directive", "value", "wanted"), CASES)
def test_a_value_is_converted_as_listed(directive: dict[str, Any], value: Any, wanted: Any) -> None:
    tables = {"t": {"a": "A", "5": "five"}}
    mapped = mapping.compile({"out": directive}, tables=tables)({"v": value})
    assert mapped == mapping.transform({"out": directive}, {"v": value}, tables=tables)
    assert mapped.get("out", ...) == wanted
    if wanted is not ...:
        assert type_of(mapped["out"]) == type_of(wanted)


@pytest.mark.parametrize(("directive", "value"), REFUSED)
def test_a_value_that_does_not_fit_is_refused_by_name(directive: dict[str, Any], value: Any) -> None:
    name = next(iter(directive))
    with pytest.raises(mapping.MappingError, match=f"^{name}: .* is not "):
        mapping.compile({"out": directive})({"v": value})


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(["EUR", "USD"]))
def test_money_is_exact_in_every_spelling(amount: Decimal, currency: str) -> None:
    transform = mapping.compile({"out": {"@money": {"amount": {"@path": "$.v"}, "currency": currency}}})
    assert transform({"v": str(amount)})["out"] == int(amount * 100)
    assert transform({"v": float(amount)})["out"] == int(amount * 100)

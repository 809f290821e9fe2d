"""What our own directives make of values, and what they refuse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import mapping
from adapter.mapping.engine.values import type_of
from adapter.mapping.files.fields import problems


def date(*formats: str, **options: Any) -> dict[str, Any]:
    return {"@date": {"value": {"@path": "$.v"}, "formats": [*formats], **options}}


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
    ({"@number": {"value": {"@path": "$.v"}, "locale": "de"}}, "1.234,50", 1234.5),
    ({"@number": {"value": {"@path": "$.v"}, "locale": "de"}}, "1.234", 1234),
    ({"@number": {"value": {"@path": "$.v"}, "locale": "de"}}, 3.5, 3.5),
    ({"@number": {"value": {"@path": "$.v"}, "locale": "de"}}, " ", ...),
    ({"@number": {"value": {"@path": "$.v"}, "locale": "fr_FR"}}, "1\u202f234,5", 1234.5),
    ({"@number": {"value": {"@path": "$.v"}, "locale": "de-CH"}}, "1’234.50", 1234.5),
    ({"@number": {"value": {"@path": "$.v"}, "locale": "en-IN"}}, "12,34,567", 1234567),
    ({"@number": {"value": {"@path": "$.v"}, "locale": "pl"}}, "−12 345,67", -12345.67),
    ({"@amount": {"value": {"@path": "$.v"}, "locale": "de"}}, "1.299 €", 1299),
    ({"@amount": {"value": {"@path": "$.v"}, "locale": "de"}}, 60.349999999999994, 60.35),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "EUR", "locale": "de"}}, "1.234,50 €", 123450),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "EUR", "locale": "de"}}, 12.5, 1250),
    ({"@lenient": {"@number": {"value": {"@path": "$.v"}, "locale": "de"}}}, "1.5", "1.5"),
    ({"@lenient": {"@date": {"value": {"@path": "$.v"}, "formats": ["%d.%m.%Y"]}}}, "soon", "soon"),
    (date("%d.%m.%Y"), "8.6.2024", "2024-06-08"),
    (date("%Y%m%d"), 20240618, "2024-06-18"),
    (date("%d%b%y"), "18JUN24", "2024-06-18"),
    (date("%a, %d %B %Y"), "Tue, 18  June 2024", "2024-06-18"),
    (date("%d/%m/%Y", "%m/%d/%Y"), "13/03/2024", "2024-03-13"),
    (date("%d.%m.%Y %H:%M", zone="Europe/Berlin"), "18.06.2024 11:30", "2024-06-18T09:30:00.000Z"),
    (date("%d.%m.%Y %H:%M", zone="-05:30"), "18.06.2024 11:30", "2024-06-18T17:00:00.000Z"),
    (date("%d.%m.%Y %H:%M%z"), "18.06.2024 11:30+0200", "2024-06-18T09:30:00.000Z"),
    (date("%d.%m.%Y %H:%M", zone="Europe/Berlin", ambiguous="earlier"), "27.10.2024 02:30",
     "2024-10-27T00:30:00.000Z"),
    (date("%d.%m.%Y %H:%M", zone="Europe/Berlin", ambiguous="later"), "27.10.2024 02:30",
     "2024-10-27T01:30:00.000Z"),
    (date("%m/%d/%Y %I:%M %p", zone="UTC"), "06/18/2024 12:05 a.m.", "2024-06-18T00:05:00.000Z"),
    ({"@split": {"value": {"@path": "$.v"}, "by": ","}}, " a, b,,c ", ["a", "b", "c"]),
    ({"@split": {"value": {"@path": "$.v"}, "by": ",", "blanks": True}}, "a,,b", ["a", "", "b"]),
    ({"@split": {"value": {"@path": "$.v"}, "by": ",", "take": 2}}, "a,,b", "b"),
    ({"@split": {"value": {"@path": "$.v"}, "by": ",", "take": 1}}, "a,,b", ...),
    ({"@split": {"value": {"@path": "$.v"}, "by": ",", "take": -4}}, "a,,b", ...),
    ({"@split": {"value": {"@path": "$.v"}, "by": ","}}, ["a ", ""], ["a"]),
    ({"@split": {"value": {"@path": "$.v"}, "by": ","}}, None, None),
    ({"@trim": {"@path": "$.v"}}, [" a ", None, " "], ["a", None]),
    ({"@lower": {"@path": "$.v"}}, "ÄB", "äb"),
    ({"@upper": {"@path": "$.v"}}, ["a"], ["A"]),
    ({"@upper": {"@path": "$.v"}}, " ", ...),
    ({"@regex": {"value": {"@path": "$.v"}, "match": "^4"}}, 42, True),
    ({"@regex": {"value": {"@path": "$.v"}, "match": "^4"}}, "", ...),
    ({"@regex": {"value": {"@path": "$.v"}, "extract": "([A-Z]{3})-"}}, "x BER-LIS", "BER"),
    ({"@regex": {"value": {"@path": "$.v"}, "extract": "(?P<a>x)(?P<b>y)?"}}, "x", {"a": "x"}),
    ({"@regex": {"value": {"@path": "$.v"}, "extract": "z", "default": None}}, "x", None),
    ({"@regex": {"value": {"@path": "$.v"}, "replace": "([0-9])([a-z])", "with": "\\2\\1"}}, "1a2b", "a1b2"),
    ({"@regex": {"value": {"@path": "$.v"}, "replace": "x"}}, "x", ...),
]  # fmt: skip

REFUSED = [
    ({"@number": {"value": {"@path": "$.v"}, "locale": "de"}}, "1,234.50"),
    ({"@number": {"value": {"@path": "$.v"}, "locale": "de"}}, "1.5"),
    ({"@number": {"value": {"@path": "$.v"}, "locale": "de"}}, "12 %"),
    ({"@number": {"value": {"@path": "$.v"}, "locale": "de"}}, True),
    ({"@number": {"value": {"@path": "$.v"}, "locale": {"@path": "$.gone"}}}, "1"),
    ({"@amount": {"value": {"@path": "$.v"}, "locale": "de"}}, "$1,299.00"),
    ({"@money": {"amount": {"@path": "$.v"}, "currency": "EUR", "locale": {"@path": "$.gone"}}}, "1"),
    (date("%d.%m.%Y"), "31.02.2024"),
    (date("%d%m%Y"), "1122024"),
    (date("%a, %d %B %Y"), "Mon, 18 June 2024"),
    (date("%d/%m/%Y", "%m/%d/%Y"), "02/03/2024"),
    (date("%d.%m.%Y"), {"a": 1}),
    (date("%d.%m.%Y %H:%M", zone={"@path": "$.gone"}), "18.06.2024 11:30"),
    (date("%d.%m.%Y %H:%M", zone="Europe/Berlin"), "31.03.2024 02:30"),
    (date("%d.%m.%Y %H:%M", zone="Europe/Berlin"), "27.10.2024 02:30"),
    ({"@split": {"value": {"@path": "$.v"}, "by": ","}}, 5),
    ({"@split": {"value": {"@path": "$.v"}, "by": ","}}, ["a", 5]),
    ({"@trim": {"@path": "$.v"}}, [5]),
    ({"@lower": {"@path": "$.v"}}, {"a": "b"}),
    ({"@regex": {"value": {"@path": "$.v"}, "match": "x"}}, ["x"]),
    ({"@regex": {"value": {"@path": "$.v"}, "match": "x"}}, "\ud800"),
    ({"@regex": {"value": {"@path": "$.v"}, "match": "x"}}, "x" * 20_001),
    ({"@regex": {"value": {"@path": "$.v"}, "extract": "[0-9]"}}, "none"),
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


#: What separates thousands, and what begins the decimals.
MARKS = {"de": ".,", "fr": "\u202f,", "en": ",.", "de-CH": "’.", "pl": "\u00a0,", "es-MX": ",."}
FAULTS = [
    ({"@number": {"value": 1, "locale": "xx"}}, "`xx` is no locale whose numbers can be read"),
    ({"@number": {"value": 1}}, "`@number` needs `locale`"),
    ({"@money": {"amount": 1, "currency": "EUR", "locale": "xx"}},
     "`xx` is no locale whose numbers can be read"),
    (date("%d.%m"), "`%d.%m` is not a form of dates: the date has no year"),
    (date("%d.%m.%Y %Q"), "`%d.%m.%Y %Q` is not a form of dates: `%Q` is not known"),
    (date("%d.%m.%Y %I:%M"), "`%d.%m.%Y %I:%M` is not a form of dates: `%I` and `%p` need each other"),
    (date("%d.%m.%Y %H:%M"), "a time without an offset needs its `zone`"),
    (date("%d.%m.%Y", zone="Berlin"), "`Berlin` is not a time zone"),
    ({"@split": {"value": "a", "by": ""}}, "the text is too short"),
    ({"@split": {"value": "a", "by": ",", "take": "1"}},
     "expected a whole number from -1000 to 1000, not text"),
    ({"@regex": {"value": "a", "match": "(?=x)"}}, "`(?=x)` is not a regular expression that RE2 can read"),
    ({"@regex": {"value": "a", "match": "x", "extract": "y"}},
     "`@regex` does one thing, and is asked for match and extract"),
    ({"@regex": {"value": "a", "match": "x", "with": "y"}}, "`with` belongs to `replace`"),
    ({"@regex": {"value": "a", "replace": "x", "with": "\\1"}}, "`replace` has no group 1"),
    ({"@regex": {"value": "a", "extract": "(x)(y)"}},
     "several groups give an object, in which each needs a name"),
]  # fmt: skip


@pytest.mark.parametrize(("directive", "message"), FAULTS)
def test_a_fault_of_a_directive_is_found_when_the_file_is_checked(
    directive: dict[str, Any], message: str
) -> None:
    [(path, found, remedy)] = problems({"out": directive})
    assert (path[0], found) == ("out", message)
    assert remedy


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(["de", "fr", "en", "de-CH", "pl", "es-MX"]))
def test_a_number_is_read_as_its_locale_writes_it(amount: Decimal, locale: str) -> None:
    written = f"{amount:,}".translate({ord(","): MARKS[locale][0], ord("."): MARKS[locale][1]})
    mapped = mapping.compile({"out": {"@number": {"value": {"@path": "$.v"}, "locale": locale}}})
    assert mapped({"v": written})["out"] == float(amount)


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(["EUR", "USD"]))
def test_money_is_exact_in_every_spelling(amount: Decimal, currency: str) -> None:
    transform = mapping.compile({"out": {"@money": {"amount": {"@path": "$.v"}, "currency": currency}}})
    assert transform({"v": str(amount)})["out"] == int(amount * 100)
    assert transform({"v": float(amount)})["out"] == int(amount * 100)

"""Why a condition does not hold, in one sentence each."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from adapter.rules.expressions import All, AnyOf, Metric, Names, Node, Not, compile, misses, parse  # noqa: A004
from tests.rules.expressions.conftest import See

SEEN: dict[str, Any] = {
    "cart_value": 96.5,
    "coupon_used": True,
    "shipping_country": "DE",
    "items": 3,
    "tags": ["sale", "new"],
    "empty": [],
    "note": "x" * 200,
    "broken": float("nan"),
    "nothing": None,
    "lines": [{"sku": "TEE", "qty": 1}, {"qty": 3, "more": {"gift": True}}],
    "one": [{"sku": "TEE"}],
    "day": "1990-11-26",
    "slashed": "26/11/1990",
    "nest": {"deep": {"b": 1}},
}
SENTENCES = [
    ("cart_value >= 120", "cart_value is 96.50, needs at least 120"),
    ("cart_value > 119.99", "cart_value is 96.50, needs more than 119.99"),
    ("cart_value < 50", "cart_value is 96.50, needs less than 50"),
    ("cart_value <= 50", "cart_value is 96.50, needs at most 50"),
    ("!(cart_value >= 50)", "cart_value is 96.50, needs less than 50"),
    ("120 <= cart_value", "cart_value is 96.50, needs at least 120"),
    ("items == 4", "items is 3, needs 4"),
    ("items != 3", "items is 3, must not be 3"),
    ("coupon_used == false", "coupon_used is true, needs false"),
    ("!coupon_used", "coupon_used is true, needs false"),
    ("gone == true", "gone is missing"),
    ("!gone", "gone is missing"),
    ("gone >= 3", "gone is missing"),
    ("!(gone >= 3)", "gone is missing"),
    ('cart_value == "many"', "cart_value is 96.50, needs text"),
    ("broken > 1", "broken is not a usable value"),
    ('shipping_country in ["US", "CA", "GB"]', 'shipping_country is "DE", needs one of US, CA, GB'),
    ('!(shipping_country in ["DE"])', 'shipping_country is "DE", must not be one of DE'),
    ("items in [1, 2.5]", "items is 3, needs one of 1, 2.50"),
    ('"shoes" in tags', 'tags is "sale", "new", needs "shoes" among them'),
    ('!("sale" in tags)', 'tags is "sale", "new", must not have "sale"'),
    ('"shoes" in empty', 'empty is an empty list, needs "shoes" among them'),
    ('"shoes" in items', "items is 3, needs a list"),
    ("has(attributes.coupon)", "attributes.coupon is missing"),
    ("!has(attributes.items)", "attributes.items must not be there"),
    ("!has(user.address.country)", "user.address is missing"),
    ("has(user.address.country)", "user.address is missing"),
    ("!has(attributes.gone.a.b)", "attributes.gone is missing"),
    ("!has(attributes.nest.gone.b)", "attributes.nest.gone is missing"),
    ("!has(attributes.nest.deep.b)", "attributes.nest.deep.b must not be there"),
    ("has(attributes.nest.deep.c)", "attributes.nest.deep.c is missing"),
    ("!has(attributes.items.a)", "attributes.items is 3, needs an object"),
    ("!has(attributes.tags.a)", 'attributes.tags is "sale", "new", needs an object'),
    ("!has(attributes.nothing.a)", "attributes.nothing is null, needs an object"),
    ("!has(attributes.broken.a)", "attributes.broken is not usable, needs an object"),
    ("lines.all(i, !has(i.more.gift))", "element 1 of lines: i.more is missing"),
    ("one.exists(i, !has(i.sku.unit))", 'element 1 of one: i.sku is "TEE", needs an object'),
    ("cart_value == null", "cart_value is 96.50, needs null"),
    ("nothing != null", "nothing is null, must not be null"),
    ("gone.exists(i, i > 1)", "gone is missing"),
    ("size(tags) > 2", '`size(tags) > 2` does not hold (tags is "sale", "new")'),
    ('lines.all(i, !(i.sku in ["GIFT"]))', "element 2 of lines: i.sku is missing"),
    ('!lines.exists(i, i.sku == "TEE")', 'element 1 of lines: i.sku is "TEE", must not be "TEE"'),
    ("lines.all(i, i.qty < items)", "element 2 of lines: `i.qty < items` does not hold (i.qty is 3, items"),
    ('lines.exists(i, i.sku == "CAP" && i.qty > 4)', "none of the 2 elements of lines fits (element 1: i."),
    ("!lines.all(i, i.qty > 0)", "none of the 2 elements of lines fits (element 1: i.qty is 1, needs at"),
    ('one.exists(i, i.sku == "CAP")', 'element 1 of one: i.sku is "TEE", needs "CAP"'),
    ('tags.all(t, t == "sale")', 'element 2 of tags: t is "new", needs "sale"'),
    ("lines.all(i, has(i.sku))", "element 2 of lines: i.sku is missing"),
    ("lines.all(i, i.more.gift)", "element 1 of lines: i.more.gift is missing"),
    ('size(lines.filter(i, i.sku == "TEE")) == 1', "element 2 of lines: i.sku is missing"),
    ('lines.exists_one(i, i.sku == "TEE")', "element 2 of lines: i.sku is missing"),
    ("lines.exists_one(i, i.qty > 0)", "does not hold (lines is a list of 2 objects)"),
    ("empty.exists(i, i > 1)", "does not hold (empty is an empty list)"),
    ("items.exists(i, i > 1)", "does not hold (items is 3)"),
    ("timestamp(day) < now", 'day is "1990-11-26", which is not a moment'),
    ("!(timestamp(day).getMonth() == 10)", 'day is "1990-11-26", which is not a moment'),
    (
        'timestamp(slashed + "T00:00:00Z") < now',
        'slashed + "T00:00:00Z" is "26/11/1990T00:00:00Z", which is not a moment',
    ),
    ('timestamp(gone + "T00:00:00Z") < now', "does not hold (gone is missing, now is"),
    ("now - duration(day) < now", 'day is "1990-11-26", which is not a length of time'),
    ("double(day) > 1", 'day is "1990-11-26", which is not a number'),
    ("int(day) > 1", 'day is "1990-11-26", which is not a whole number'),
    ("cart_value - gone > 2", "does not hold (cart_value is 96.50, gone is missing)"),
    ('history.count("order", "30d") >= 3', "number of order in 30d is 2, needs at least 3"),
    ('history.sum("order", "total") >= 3.5', "sum of order.total is 2, needs at least 3.50"),
    ('history.avg("order", "total") > 40', "average of order.total is 33.33, needs more than 40"),
    ('history.last("order") > now', "(now is 2026-11-21T15:07:31Z, last order is 2026-01-02T03:04:05Z)"),
    ('history.days_since("order") < 1', "days since order is missing"),
]  # fmt: skip


def figures(metric: Metric) -> Any:
    known = {"avg": Fraction(100, 3), "last": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "days_since": None}
    return known.get(metric.kind, 2)


@pytest.mark.parametrize(("expression", "sentence"), SENTENCES)
def test_a_mismatch_names_the_actual_and_the_needed_value(see: See, expression: str, sentence: str) -> None:
    found = misses(parse(expression, Names()), see(SEEN, history=figures))
    assert len(found) == 1
    assert sentence in found[0]


def part(text: str) -> Node:
    return parse(text, Names())


def test_each_part_of_an_all_group_that_fails_is_named(see: See) -> None:
    group = All((part("cart_value >= 120"), part("items == 3"), part("!coupon_used")))
    found = misses(group, see(SEEN))
    assert found == ["cart_value is 96.50, needs at least 120", "coupon_used is true, needs false"]


def test_an_any_group_reports_that_no_condition_matched(see: See) -> None:
    group = AnyOf((part("cart_value >= 120"), part('shipping_country == "US"')))
    found = misses(group, see(SEEN))
    said = (
        'none of these holds: cart_value is 96.50, needs at least 120; shipping_country is "DE", needs "US"'
    )
    assert found == [said]


def test_a_none_group_names_the_condition_that_must_not_match(see: See) -> None:
    group = Not(AnyOf((part("cart_value >= 50"), part("gone == 1"), part("items == 4"))))
    assert misses(group, see(SEEN)) == ["cart_value is 96.50, needs less than 50", "gone is missing"]


def test_a_definition_is_named_with_its_reason(see: See) -> None:
    names = Names(definitions={"vip": part("lifetime_value >= 1000 || tier == 'gold'")})
    found = misses(parse("vip && items == 3", names), see({"lifetime_value": 3, "items": 3}))
    assert found == ["vip: none of these holds: lifetime_value is 3, needs at least 1000; tier is missing"]
    assert misses(parse("!vip", names), see({"tier": "gold", "lifetime_value": 1}))[0].startswith("not vip: ")


def test_only_unmatched_conditions_have_mismatches(see: See) -> None:
    view = see(SEEN, history=figures)
    for expression, _ in SENTENCES:
        node = parse(expression, Names())
        for one in (node, Not(node), All((node, Not(node))), AnyOf((node, Not(node)))):
            assert bool(misses(one, view)) is not compile(one)(view)


def test_a_long_text_is_cut(see: See) -> None:
    assert len(misses(part('note == "y"'), see(SEEN))[0]) < 130

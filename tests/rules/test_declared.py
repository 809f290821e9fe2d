"""Rules and the data model: a name that it does not declare is refused, or doubted."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.datamodel.declarations import UnknownPolicy
from adapter.datamodel.load import read
from adapter.files import yaml
from adapter.rules.engine import ruleset
from adapter.rules.files import model_names

MODEL = """
unknown: POLICY
traits: {tier: string, points: number, renewed: date}
context: {locale: string}
events:
  order_completed: {attributes: {total: money, items: array of object}}
  cart_left:
    attributes: {cart_value: money, placed: datetime, day: date, gift: boolean, tags: array of string,
                 prices: array of money, shipping: object, extra: any, bag: array}
"""
RULE = """
name: r
trigger: TRIGGER
conditions: ['CONDITION']
action: {ACTION}
"""
ACTION = "type: percentage_off, value: 10, max_amount: 5"


def problems(tmp_path: Path, condition: str, trigger: str = "order_completed",
             policy: UnknownPolicy = "quarantine", action: str = ACTION) -> list[str]:  # fmt: skip
    document, _ = yaml.parse(MODEL.replace("POLICY", policy), "model.yaml")
    assert document is not None
    model, wrong = read(document)
    assert wrong == []
    assert model is not None
    (tmp_path / "r.yaml").write_text(
        RULE.lstrip().replace("TRIGGER", trigger).replace("CONDITION", condition).replace("ACTION", action),
        encoding="utf-8",
    )
    loaded, found = ruleset.load(tmp_path, model_names.names(model))
    assert (loaded is None) == any(problem.severity == "error" for problem in found)
    return [str(problem).removeprefix(f"{tmp_path}/r.yaml:") for problem in found]


@pytest.mark.parametrize(
    "condition",
    [
        "total > 5 && tier == \"gold\" && locale == \"de\"",
        "user.email.endsWith(\"x\") && has(user.address)",
        "items.exists(item, item.sku == \"a\") && points > 1 && \"vip\" in user.segments",
        "history.sum(\"cart_left\", \"cart_value\", \"30d\") > 5 && timestamp(user.tier) < now",
        "history.distinct(\"order_completed\", \"items.sku\") > 5",
        "history.sum(\"order_completed\", \"items.offer.saved\") > 5",
        'history.distinct("cart_left", "shipping.city") > 5 && history.max("cart_left", "prices") > 5',
        "history.sum(\"cart_left\", \"extra.x\") > 5 && history.avg(\"cart_left\", \"extra\") > 5",
        "history.min(\"cart_left\", \"bag\") > 5 && history.distinct(\"cart_left\", \"tags\") > 5",
        'history.distinct("cart_left", "gift") == 2 && history.distinct("cart_left", "cart_value") == 2',
    ],
)  # fmt: skip
def test_declared_names_are_accepted(condition: str, tmp_path: Path) -> None:
    assert problems(tmp_path, condition) == []


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("totl > 5", "3:15: unknown name `totl`; did you mean `total`, or declare it in model.yaml"),
        ("attributes.cart_value > 5", "unknown name `cart_value` of the event; known are `items`,"),
        ("user.point > 5", "unknown name `point` of the customer; did you mean `points`, or declare it in"),
        ("context.lang == \"de\"", "unknown name `lang` of the context; known are `locale`, or"),
        ("history.count(\"order_complete\") > 1", "unknown event `order_complete`; did you mean"),
        ('history.sum("cart_left", "total") > 1', "unknown attribute `total` of `cart_left`; known"),
        ('history.sum("order_completed", "item.qty") > 1',
         "unknown attribute `item` of `order_completed`; did you mean"),
        ('history.sum("cart_left", "items.qty") > 1', "unknown attribute `items` of `cart_left`; known"),
        ("history.sum(\"cart_left\", \"cart_value.x\") > 1",
         "3:40: `cart_value` of `cart_left` is a number and has no field `x`; write \"cart_value\""),
        ('history.distinct("cart_left", "tags.x") > 1', "`tags` of `cart_left` is text and has no field `x`"),
        ("history.sum(\"cart_left\", \"placed\") < 1",
         "3:40: `placed` of `cart_left` is text, and numbers are needed for `sum`; `distinct` counts its"),
        ('history.avg("cart_left", "day") < 1', "`day` of `cart_left` is text, and numbers are"),
        ('history.max("cart_left", "gift") < 1', "`gift` of `cart_left` is true or false, and numbers"),
        ('history.min("cart_left", "tags") < 1', "an element of `tags` of `cart_left` is text, and numbers"),
        ("history.sum(\"order_completed\", \"items\") == 0",
         "is an object, and numbers are needed for `sum`; name a field of it, such as \"items.quantity\""),
        ('history.distinct("cart_left", "shipping") == 0', "and text, numbers or true and false are"),
        ("total == \"5\"", "`total` is a number and `\"5\"` is text; leave the quotes out"),
        ("user.birthdate == now", "write `timestamp(user.birthdate + \"T00:00:00Z\")`"),
        ("tier == now", "write `timestamp(tier)`"),
        ("tier > 5", "`tier` is text and `5` is a number"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("policy", ["quarantine", "allow"])
def test_a_name_that_is_not_declared_is_refused_or_where_it_may_be_meant_warned_of(
    condition: str, says: str, policy: UnknownPolicy, tmp_path: Path
) -> None:
    [found] = problems(tmp_path, condition, policy=policy)
    assert says in found.replace("warning: ", "")
    slip = "did you mean" in says or "unknown" not in says
    assert ("warning: " in found) == (policy == "allow" and not slip)


@pytest.mark.parametrize("name", ["user.birthdate", "birthdate", "renewed", "day", "attributes.day"])
@pytest.mark.parametrize(("policy", "kind"), [("allow", "warning: "), ("quarantine", "")])
def test_a_day_alone_is_no_moment(name: str, policy: UnknownPolicy, kind: str, tmp_path: Path) -> None:
    [found] = problems(tmp_path, f"timestamp({name}) < now", "cart_left", policy)
    remedy = f'write `timestamp({name} + "T00:00:00Z")` for its first moment in UTC'
    assert found == f"3:25: {kind}`{name}` is a date, and `timestamp` reads moments; {remedy}"
    moments = f'timestamp({name} + "T00:00:00Z") < now && timestamp(placed) < now'
    assert problems(tmp_path, moments, "cart_left", policy) == []


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ("tier == GOLD", "GOLD"),
        ("items.exists(item, item.category == Shoes)", "Shoes"),
        ('locale in [de, "en"]', "de"),
        ("unheard_of == GOLD", "GOLD"),
    ],
)
@pytest.mark.parametrize("policy", ["quarantine", "allow"])
def test_a_word_without_its_quotes_is_refused(
    condition: str, word: str, policy: UnknownPolicy, tmp_path: Path
) -> None:
    [found] = problems(tmp_path, condition, policy=policy)
    assert found.endswith(f': unknown name `{word}`; write `"{word}"` for text or declare it in model.yaml')
    assert "warning: " not in found


def test_a_word_compared_with_a_constant_is_a_name(tmp_path: Path) -> None:
    for condition in ('anything == "x"', "true != anything", 'anything in ["x", "z"]'):
        [found] = problems(tmp_path, condition, policy="allow")
        assert "warning: unknown name `anything`; known are" in found


def test_the_names_are_those_of_the_trigger(tmp_path: Path) -> None:
    assert problems(tmp_path, "cart_value > 5", "cart_left") == []
    assert len(problems(tmp_path, "cart_value > 5", "order_completed")) == 1
    assert problems(tmp_path, "cart_value > 5 || total > 5", "[order_completed, cart_left]") == []
    absence = "{event: cart_left, unless: order_completed, within: 30m}"
    assert problems(tmp_path, "cart_value > 5", absence) == []


def test_a_trigger_that_no_mapping_produces_is_refused_at_its_place(tmp_path: Path) -> None:
    says = "unknown event `cart_lef`; did you mean `cart_left`, or declare it in model.yaml"
    for trigger, column in (("cart_lef", 10), ("[order_completed, cart_lef]", 28)):
        assert problems(tmp_path, "points > 1", trigger) == [f"2:{column}: {says}"]
    absence = "{event: order_completed, unless: cart_lef, within: 30m}"
    assert problems(tmp_path, "points > 1", absence) == [f"2:43: {says}"]


def test_an_event_with_a_warning_gets_no_second_one(tmp_path: Path) -> None:
    [found] = problems(tmp_path, "anything > 5", "ride_ended", "allow")
    assert found.startswith("2:10: warning: unknown event `ride_ended`; known are")


@pytest.mark.parametrize(("trigger", "warned"), [("cart_left", 1), ("order_completed", 0)])
def test_a_minimum_cart_value_is_required_only_of_events_with_a_cart_value(
    trigger: str, warned: int, tmp_path: Path
) -> None:
    action = "type: amount_off, value: 10, min_cart_value: 60"
    found = problems(tmp_path, "points > 1", trigger, action=action)
    assert len([line for line in found if "below a `min_cart_value`" in line]) == len(found) == warned

"""A model exported as a plan and imported again is the same, but for what is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from adapter.datamodel import load
from adapter.datamodel.declarations import DataModel
from adapter.datamodel.exporting import mparticle_data_plan, segment_tracking_plan
from adapter.datamodel.importing import read_plan
from adapter.datamodel.infer import model_value

MODEL = """
unknown: allow
traits:
  tier: {type: string, enum: [basic, gold], description: Of the loyalty program}
  vip: {type: boolean, required: true}
context: {locale: string}
events:
  order_completed:
    description: An order is paid
    attributes:
      order_id: {type: string, required: true, pattern: "^[A-Z]+-[0-9]+$"}
      weight: {type: number, minimum: 0, maximum: 70.5}
      paid_at: datetime
      day: date
      receipt_to: {type: string, format: email}
      codes: {type: array of string, enum: [A, B]}
      lines: {type: array of object, of: {sku: {type: string, required: true}, gift: boolean}}
      more: object
      list: array
      free: any
"""


@pytest.fixture
def model(tmp_path: Path) -> DataModel:
    (tmp_path / "model.yaml").write_text(MODEL, encoding="utf-8")
    loaded, problems = load.load(tmp_path)
    assert problems == []
    assert loaded is not None
    return loaded


def test_a_tracking_plan_of_a_model_is_that_model(model: DataModel) -> None:
    plan, notes = segment_tracking_plan(model)
    assert notes == []
    assert [(rule["key"], rule["type"], rule["version"]) for rule in plan["rules"]] == [
        ("Order Completed", "TRACK", 1), ("", "IDENTIFY", 1), ("", "COMMON", 1)
    ]  # fmt: skip
    for rule in plan["rules"]:
        jsonschema.Draft7Validator.check_schema(rule["jsonSchema"])
    found = read_plan(plan)
    assert found.notes == ()
    assert model_value(found.model) == model_value(model)


def test_a_data_plan_of_a_model_is_that_model_without_its_context(model: DataModel) -> None:
    plan, notes = mparticle_data_plan(model)
    assert notes == ["context.locale: a data plan has no context"]
    found = read_plan(plan)
    assert found.notes == ()
    assert model_value(found.model) == {**model_value(model), "context": {}}


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("unknown: keep", "unknown: `keep` is not expressed; plans have such a setting of their own"),
        ("traits: {spent: money}", "traits.spent: `money` is `number`"),
        ("events: {a: {attributes: {x: {type: array of object, of: {y: array of money}}}}}",
         "events.a.x.y: `array of money` is `array of number`"),
        ("context: {x: {type: string, misfit: quarantine}}",
         "context.x: `misfit: quarantine` is not expressed"),
    ],
)  # fmt: skip
def test_what_a_plan_cannot_express_is_reported(text: str, note: str, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(text, encoding="utf-8")
    loaded, _ = load.load(tmp_path)
    assert loaded is not None
    assert note in segment_tracking_plan(loaded).notes
    assert note in mparticle_data_plan(loaded).notes


def test_a_message_that_breaks_the_plan_is_one_that_breaks_the_model(model: DataModel) -> None:
    [rule, *_] = segment_tracking_plan(model).plan["rules"]
    validator: Any = jsonschema.Draft7Validator(rule["jsonSchema"])
    assert validator.is_valid({"properties": {"order_id": "A-1", "codes": ["A"]}})
    assert not validator.is_valid({"properties": {"order_id": "a", "codes": ["A"]}})
    assert not validator.is_valid({"properties": {"codes": ["C"], "order_id": "A-1"}})
    assert not validator.is_valid({"properties": {}})

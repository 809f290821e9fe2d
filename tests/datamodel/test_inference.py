"""A model proposed from values, and read back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.datamodel.coerce import coercer
from adapter.datamodel.infer import ModelInference, model_yaml, type_of
from adapter.datamodel.load import read
from adapter.files import yaml
from adapter.model.events import Event, User
from adapter.model.operations import CustomerUpsert, EventOccurred, Operation


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("vip", [True, "false"], "boolean"),
        ("count", [3, "3"], "number"),
        ("count", ["3", "4"], "string"),
        ("flag", [0, 1], "number"),
        ("total", [10.5, "9"], "money"),
        ("total", ["10.50"], "money"),
        ("ratio", ["0.5"], "number"),
        ("latitude", [54.32213], "number"),
        ("price", [0.123456], "number"),
        ("zip", ["24103", "01067"], "string"),
        ("born", ["1990-12-10"], "date"),
        ("at", ["2026-01-31T12:00:00Z", "2026-01-31 12:00:00"], "datetime"),
        ("address", [{"city": "Kiel"}, None], "object"),
        ("tags", [["a"], []], "array of string"),
        ("sizes", [[41, 42]], "array of number"),
        ("items", [[{"sku": "a"}]], "array of object"),
        ("mixed", [1, "a"], "string"),
        ("mixed", [{"a": 1}, "a"], "any"),
        ("mixed", [[1], "a"], "any"),
        ("nothing", [None], "any"),
    ],
)
def test_the_narrowest_type_of_all_values_is_proposed(name: str, values: list[Any], kind: str) -> None:
    assert str(type_of(name, values)) == kind


def test_a_proposal_reads_back_and_fits_all_that_it_was_made_of() -> None:
    happened = datetime(2026, 1, 1, tzinfo=UTC)
    operations: list[Operation] = [
        EventOccurred(
            "u", Event(str(at), "order", happened, User(), {"total": str(at) + ".5", "n": at}, {"os": {}})
        )
        for at in range(20)
    ]
    operations.append(CustomerUpsert("u", traits={"born: when": "1990-12-10", "yes": True}))
    seen = ModelInference()
    seen.take(operations)
    document, _ = yaml.parse(model_yaml(seen.model()), "model.yaml")
    assert document is not None
    model, problems = read(document)
    assert problems == []
    assert model == seen.model()
    assert model.events["order"].attributes["n"].required
    assert [getattr(coercer(model)(operation), "misfits") for operation in operations] == [()] * 21  # noqa: B009

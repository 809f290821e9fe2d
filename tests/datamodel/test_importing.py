"""Plans of other systems become a data model; what it cannot express is reported, not dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter.datamodel import load
from adapter.datamodel.importing import NotAPlan, read_plan
from adapter.datamodel.infer import model_value, model_yaml

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "plans.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_plan_becomes_a_model_and_notes(case: dict[str, Any], tmp_path: Path) -> None:
    found = read_plan(case["plan"], case.get("event"))
    assert found.kind == case["kind"]
    assert model_value(found.model) == {"unknown": "allow", "misfit": "keep", **case["model"]}
    assert [f"{note.place}: {note.message}" for note in found.notes] == case["notes"]
    (tmp_path / "model.yaml").write_text(model_yaml(found.model), encoding="utf-8")
    loaded, problems = load.load(tmp_path)
    assert problems == []
    assert loaded is not None
    assert model_value(loaded) == model_value(found.model)


@pytest.mark.parametrize("document", [None, 5, [], {}, {"rules": 5}, {"properties": {}}, {"title": "x"}])
def test_a_document_that_is_no_plan_is_refused(document: Any) -> None:
    with pytest.raises(NotAPlan):
        read_plan(document)

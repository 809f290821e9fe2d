"""`model.yaml` read: reading.yaml has what is wrong, and what it says then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter.datamodel import load
from adapter.datamodel.declarations import Declared
from adapter.datamodel.types import Type

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "reading.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_problem_of_a_file_is_reported(case: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(case["file"], encoding="utf-8")
    model, problems = load.load(tmp_path)
    assert [str(problem).removeprefix(f"{tmp_path}/model.yaml:") for problem in problems] == case["problems"]
    assert (model is None) == bool(problems)


def test_without_a_file_there_is_no_model(tmp_path: Path) -> None:
    assert load.load(tmp_path) == (None, [])


def test_an_event_takes_over_attributes_and_overrides_them(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(
        "misfit: quarantine\n"
        "events:\n"
        "  a: {like: b, attributes: {x: number}}\n"
        "  b: {like: c, attributes: {x: string, y: {type: money, required: true, misfit: keep}}}\n"
        "  c: {attributes: {z: array of date}}\n",
        encoding="utf-8",
    )
    model, problems = load.load(tmp_path)
    assert problems == []
    assert model is not None
    assert model.events["a"].attributes == {
        "x": Declared(Type("number"), misfit="quarantine"),
        "y": Declared(Type("money"), required=True, misfit="keep"),
        "z": Declared(Type("date", many=True), misfit="quarantine"),
    }


def test_parts_add_to_the_model_and_follow_its_policies(tmp_path: Path) -> None:
    for name, text in {
        "model.yaml": "misfit: quarantine\ntraits: {a: string}\nevents: {x: {attributes: {p: number}}}\n",
        "one.model.yaml": "traits: {a: string, b: date}\nevents: {x: {attributes: {q: money}}}\n",
        "two.model.yaml": "events: {y: {like: x, attributes: {r: string}}}\ncontext: {c: string}\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    model, problems = load.load(tmp_path)
    assert problems == []
    assert model is not None
    assert (model.file, model.misfit) == (str(tmp_path / "model.yaml"), "quarantine")
    assert model.traits["b"] == Declared(Type("date"), misfit="quarantine")
    assert set(model.events["x"].attributes) == {"p", "q"}
    assert set(model.events["y"].attributes) == {"p", "q", "r"}
    assert set(model.context or {}) == {"c"}


def test_a_part_that_contradicts_the_model_is_refused_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("traits: {a: string}\nevents: {x: {attributes: {p: number}}}\n")
    (tmp_path / "one.model.yaml").write_text(
        "unknown: allow\ntraits: {a: date}\nevents: {x: {attributes: {p: money}}, y: {like: xx}}\n"
    )
    model, problems = load.load(tmp_path)
    assert model is None
    otherwise = "has another declaration in the rest of the model"
    assert [str(problem).removeprefix(f"{tmp_path}/one.model.yaml:") for problem in problems] == [
        "1:1: unknown key `unknown`; known are `context`, `events`, `traits`",
        f"2:10: `a` {otherwise}: string; declare it once, or equally",
        f"3:27: `p` {otherwise}: number; declare it once, or equally",
        "3:49: `xx` is not an event of the model; did you mean `x`?",
    ]

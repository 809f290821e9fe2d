"""docs/recipes.md: each of its thirty messy inputs becomes what the page says, or is refused as it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from adapter import mapping
from adapter.files import yaml
from adapter.mapping.files.fields import problems

DOCS = Path(__file__).parents[2] / "docs"
RECIPES: dict[str, str] = dict(
    re.findall(
        r"^## \d+\. (.+?)\n.*?```yaml\n(.*?)```",
        (DOCS / "recipes.md").read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
)


def recipe(title: str) -> dict[str, Any]:
    document, faults = yaml.parse(RECIPES[title], title)
    assert (document is not None, faults) == (True, [])
    assert document is not None
    value: dict[str, Any] = document.value
    return value


def outcome(run: Any) -> Any:
    try:
        return {"result": run()}
    except mapping.MappingError as error:
        return {"refused": error.message}


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_gives_its_result(title: str) -> None:
    found = recipe(title)
    fields, tables, message = found["fields"], found.get("tables", {}), found["message"]
    assert problems(fields, tables) == []
    wanted = {key: found[key] for key in ("result", "refused") if key in found}
    assert outcome(lambda: mapping.compile(fields, tables=tables)(message)) == wanted
    assert outcome(lambda: mapping.transform(fields, message, tables=tables)) == wanted


def test_there_are_thirty_recipes_and_the_first_ten_minutes_use_one() -> None:
    assert len(RECIPES) == 30
    start = (DOCS / "start.md").read_text("utf-8")
    trip = recipe("A quote for a trip")
    assert trip["message"] == json.loads(re.findall(r"```json\n(.*?)```", start, re.DOTALL)[0])
    [document] = [
        text for text in re.findall(r"```yaml\n(.*?)```", start, re.DOTALL) if "Trip quoted" in text
    ]
    parsed, _ = yaml.parse(document, "start.md")
    assert parsed is not None
    assert trip["fields"] == parsed.value["mappings"][0]["fields"]["attributes"]

"""`@merge` of what is no object: spread as in JavaScript, within reason."""

from __future__ import annotations

from typing import Any

import pytest

from adapter import mapping
from adapter.errors import MappingError

FIELDS: dict[str, Any] = {
    "v": {"@merge": {"direction": "right", "objects": [{"a": 1}, {"@path": "$.v"}]}},
    "first": {"@merge": {"direction": "left", "objects": [{"@path": "$.v"}, {"@path": "$.w"}]}},
}


@pytest.mark.parametrize("run", [mapping.compile(FIELDS), lambda payload: mapping.transform(FIELDS, payload)])
@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        ("x" * 1_001, "@merge: string of 1001 items was given for an object"),
        ([None] * 1_001, "@merge: array of 1001 items was given for an object"),
        ("\U0001f600", "@merge: text was given for an object, and half a character is no text"),
    ],
)
def test_a_value_that_cannot_be_spread_into_an_object_is_refused(run: Any, value: Any, refusal: str) -> None:
    with pytest.raises(MappingError, match=refusal):
        run({"v": value})


@pytest.mark.parametrize("value", ["no", ["n", "o"]])
def test_short_text_and_lists_spread_by_index(value: Any) -> None:
    assert mapping.compile(FIELDS)({"v": value})["v"] == {"a": 1, "0": "n", "1": "o"}


@pytest.mark.parametrize("direction", ["left", "right"])
@pytest.mark.parametrize("second", [{"@path": "$.b"}, {"x": {"@amount": {"@path": "$.b"}}}])
@pytest.mark.parametrize("b", ["\U00010000", [], "x" * 1_001, {"y": 1}])
def test_of_two_objects_that_cannot_be_merged_both_forms_name_the_same(
    direction: str, second: Any, b: Any
) -> None:
    fields = {"@merge": {"direction": direction, "objects": [{"@path": "$.a"}, second]}}
    payload = {"a": "\U00010000", "b": b}
    with pytest.raises(MappingError) as interpreted:
        mapping.transform(fields, payload)
    with pytest.raises(MappingError) as compiled:
        mapping.compile(fields)(payload)
    assert compiled.value.message == interpreted.value.message

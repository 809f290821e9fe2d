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
def test_what_does_not_spread_into_an_object_is_refused(run: Any, value: Any, refusal: str) -> None:
    with pytest.raises(MappingError, match=refusal):
        run({"v": value})


@pytest.mark.parametrize("value", ["no", ["n", "o"]])
def test_short_text_and_lists_spread_by_index(value: Any) -> None:
    assert mapping.compile(FIELDS)({"v": value})["v"] == {"a": 1, "0": "n", "1": "o"}

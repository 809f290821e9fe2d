"""The JSON Schema of mapping files is strict where the loader is."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft7Validator

from adapter.mapping.files.schema import mappings_schema

GOOD: dict[str, Any] = {
    "source": "segment",
    "mappings": [{
        "name": "Orders", "subscribe": 'type = "track"', "action": "event",
        "fields": {"source_id": {"@path": "$.userId"}, "name": "x",
                   "email": {"@if": {"exists": {"@path": "$.a"}, "then": 1}}},
    }],
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["source"], "segmnt"),
        (["mapings"], []),
        (["mappings", 0, "action"], "evnt"),
        (["mappings", 0, "subscrib"], "x"),
        (["mappings", 0, "fields", "nme"], "x"),
        (["mappings", 0, "fields", "email"], {"@pth": "$.a"}),
        (["mappings", 0, "fields", "email"], {"@path": 5}),
        (["mappings", 0, "fields", "email"], {"@if": {"exist": {"@path": "$.a"}}}),
        (["mappings", 0, "fields", "email"], {"deep": [{"@case": {"value": "x"}}]}),
        (["mappings", 0, "fields"], {"source_id": "u"}),
    ],
)
def test_a_slip_is_underlined(path: list[Any], value: Any) -> None:
    validator = Draft7Validator(mappings_schema())
    assert list(validator.iter_errors(GOOD)) == []
    broken = deepcopy(GOOD)
    holder: Any = broken
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    assert list(validator.iter_errors(broken))

"""Why a message waits in quarantine: the mapping and the field, in one sentence that names nobody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import MappingError
from adapter.files import yaml
from adapter.files.dumping import dump
from adapter.mapping import mapping_set
from adapter.mapping.explain.explain import explain
from adapter.model.messages import Message

DOCUMENT, PROBLEMS = yaml.read(Path(__file__).with_name("reasons.yaml"))
CASES: list[dict[str, Any]] = [] if DOCUMENT is None else DOCUMENT.value


def test_the_reasons_are_read() -> None:
    assert PROBLEMS == []
    assert CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_reason_names_the_mapping_and_the_field(
    case: dict[str, Any], tmp_path: Path, message_of: Callable[..., Message]
) -> None:
    fields = {"source_id": {"@path": "$.userId"}, "name": "x", "attributes": case.get("attributes", {})}
    fields |= case.get("fields", {})
    mapping = {"name": "Any", "subscribe": 'type = "track"', "action": "event", "fields": fields}
    (tmp_path / "shop.yaml").write_text(dump({"source": "segment", "mappings": [mapping]}), encoding="utf-8")
    read, problems = mapping_set.load(tmp_path)
    assert read is not None, problems
    message = message_of({"type": "track", "userId": "u", "properties": case.get("properties", {})})
    with pytest.raises(MappingError) as raised:
        read.operations(message)
    assert raised.value.message.startswith(f"mapping `Any`: {case['reason']}")
    [explained] = explain(read, message).mappings
    assert raised.value.message == f"mapping `Any`: {explained.error}"

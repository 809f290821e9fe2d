"""Every recorded result of the reference's mapping-kit, interpreted and compiled."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapter import mapping
from tests.conformance.vectors import check_all

VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parent / "mapping.jsonl").read_text("utf-8").split("\n")
    if line
]


def interpreted(vector: dict[str, Any]) -> Any:
    if vector["kind"] == "map_batch":
        return mapping.transform_batch(vector["mapping"], vector["input"])
    return mapping.transform(vector["mapping"], vector["input"])


def compiled(vector: dict[str, Any]) -> Any:
    return mapping.compile(vector["mapping"])(vector["input"])


def same_type(got: Any, expected: Any) -> bool:
    """1 and True are equal in Python and different in JSON."""
    if isinstance(got, dict) and isinstance(expected, dict):
        return all(same_type(got[key], expected[key]) for key in expected)
    if isinstance(got, list) and isinstance(expected, list):
        return all(map(same_type, got, expected))
    return isinstance(got, bool) == isinstance(expected, bool)


def show(vector: dict[str, Any]) -> str:
    return f"{vector['id']}-{vector['cat']}"


def test_interpreted_mappings_give_the_results_of_the_reference() -> None:
    check_all(VECTORS, lambda vector: check(vector, interpreted), show)


def test_compiled_mappings_give_the_results_of_the_reference() -> None:
    of_one_payload = [vector for vector in VECTORS if vector["kind"] != "map_batch"]
    check_all(of_one_payload, lambda vector: check(vector, compiled), show)


def check(vector: dict[str, Any], run: Callable[[dict[str, Any]], Any]) -> None:
    before = copy.deepcopy((vector["mapping"], vector["input"]))
    if "errors" in vector:
        with pytest.raises(mapping.MappingError) as raised:
            run(vector)
        assert raised.value.message == vector["error"]
        if isinstance(raised.value, mapping.InvalidMapping):
            assert list(raised.value.errors) == vector["errors"]
    else:
        got = run(vector)
        expected = None if vector.get("expect_undefined") else vector["expect"]
        assert got == expected
        assert same_type(got, expected)
    assert (vector["mapping"], vector["input"]) == before


def test_the_vectors_cover_every_directive_of_the_reference() -> None:
    directives = Counter(vector["cat"] for vector in VECTORS if vector["cat"].startswith("@"))
    assert len(VECTORS) == 478
    assert set(directives) == {
        "@path", "@template", "@if", "@literal", "@arrayPath", "@case", "@replace", "@merge", "@transform",
        "@flatten", "@json", "@excludeWhenNull", "@liquid",
    }  # fmt: skip

"""Liquid templates crossed with kinds of values: what liquidjs gives as Segment uses it, or a refusal."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from adapter.errors import MappingError
from adapter.mapping import liquid

FIRST, *CROSSINGS = [
    json.loads(line)
    for line in (Path(__file__).parent / "liquid.jsonl").read_text("utf-8").split("\n")
    if line
]
PAYLOAD = FIRST["payload"]
#: Templates that liquidjs reads leniently, and that are refused here whatever the message holds.
LENIENT = {"{{ 'it''s' }}", "{{ v | }}", "{{ v upcase }}", "{{ v.}}"}
#: Kinds of values that are no base64.
NO_BASE64 = {"unicode", "cjk", "percent"}


def rendered(template: str, kind: str) -> Any:
    value = {} if kind == "missing" else {"v": PAYLOAD["k"][kind]}
    try:
        return liquid.render(template, PAYLOAD | value)
    except MappingError as error:
        return {"error": error.message}


def test_every_result_is_that_of_the_reference_or_a_refusal() -> None:
    different, refused = [], Counter[str]()
    for crossing in CROSSINGS:
        template = crossing["template"]
        for kind, expected in crossing["results"].items():
            got = rendered(template, kind)
            if isinstance(got, str) and got != expected:
                different.append((template, kind, expected, got))
            elif not isinstance(got, str) and isinstance(expected, str) and not explained(template, kind):
                refused[f"{template} with {kind}: {got['error']}"] += 1
    assert not different
    assert not refused


def explained(template: str, kind: str) -> bool:
    return template in LENIENT or ("base64_decode" in template and kind in NO_BASE64)


def test_the_crossings_cover_every_filter_and_every_kind() -> None:
    templates = [crossing["template"] for crossing in CROSSINGS]
    assert sum(len(crossing["results"]) for crossing in CROSSINGS) > 15_000
    assert [name for name in liquid.usable() if not any(f"| {name}" in one for one in templates)] == []
    assert {type(value) for value in PAYLOAD["k"].values()} == {str, int, float, bool, type(None), list, dict}

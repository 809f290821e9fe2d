"""Compiled mappings do what interpreted ones do, for any mapping and any payload."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapter import mapping
from adapter.mapping.directives.flatten import flattener
from adapter.mapping.engine.codegen import Emitter
from adapter.mapping.testing.reference import source

pytestmark = pytest.mark.slow

TABLES = {"countries": {"DE": "Germany", "FR": {"name": "France"}, "5": None}}

KEYS = st.sampled_from(["a", "b", "c", "0", "1", "length", "", "a.b", "items", "$a", "é"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, 1.5, 45.0, 1e21, 1e-7, 2**53 + 1, 12345678901234567890, -0.5]),
    st.sampled_from(["", "a", "DE", "5", " x ", "A-b", "ß", "😀", "[1,2]", '{"k": 1}', "EUR", "2024-06-18"]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
PAYLOADS = st.dictionaries(KEYS, JSON, max_size=5)

SEGMENTS = st.sampled_from(["a", "b", "c", "0", "1", "length", "items", "a.b", "[0]", "['a']", "$a", "é"])
PATHS = st.builds(
    lambda lead, parts: lead + ".".join(parts),
    st.sampled_from(["$.", "", "$"]),
    st.lists(SEGMENTS, max_size=3),
)
TEMPLATES = st.lists(
    st.sampled_from(["{{a}}", "{{ b.a }}", "{{{c}}}", "text", "{{", "}}", "{{items}}", "'\\", "{x}"]),
    max_size=4,
).map("".join)
REPLACEMENTS = st.sampled_from(["", "$&", "x", "$$"])
ROUNDINGS = st.sampled_from(["exact", "down", "half_up"])
TEST = st.just({"at_least": 1})
BOOL = st.booleans()
FORMATS = st.sampled_from(["%Y-%m-%d", "%Y-%m-%d %H", "%d%m%Y", "%H"])
EXPRESSIONS = st.sampled_from(["a", "(.)", "(?P<n>.)", "(", ""])
TYPED = st.sampled_from(["@number", "@amount", "@string", "@boolean", "@datetime", "@object", "@nope"])
LIQUID = st.sampled_from(
    ["{{ a }}", "x", "{{ items | size }}", "{% if b %}y{% endif %}", "{{ a | sort }}", "{% for"]
)


def directives(inner: Any) -> Any:
    """Any directive with options that mostly fit."""
    option = st.deferred(lambda: inner | PATH_DIRECTIVES)
    shape = st.dictionaries(KEYS, option, min_size=1, max_size=3)
    return st.one_of(
        PATH_DIRECTIVES,
        st.builds(lambda value: {"@path": value}, option),
        st.builds(lambda value: {"@template": value}, TEMPLATES | option),
        st.builds(lambda value: {"@literal": value}, option),
        st.builds(lambda value: {"@excludeWhenNull": value}, option),
        st.builds(lambda value: {"@liquid": value}, LIQUID),
        options("@if", exists=option, blank=option, then=option, **{"else": option}),
        options("@case", operator=st.sampled_from(["lower", "upper", "x", ""]), value=option),
        options("@replace", pattern=st.sampled_from(["a", "-", "E", "", "long" * 4]),
                replacement=st.sampled_from(["", "$&", "x", "$$"]), value=option, ignorecase=st.booleans(),
                pattern2=st.sampled_from(["x", 5, ""]), **{"global": st.booleans()}),
        st.builds(lambda path, of: {"@arrayPath": [path, of]}, PATHS | option, shape | option),
        options("@merge", objects=st.lists(shape | PATH_DIRECTIVES | option, max_size=3),
                direction=st.sampled_from(["left", "right", "LEFT"])),
        options("@transform", apply=shape | option, mapping=shape | option),
        options("@flatten", value=option, separator=st.sampled_from([".", "", "--"]), omitArrays=BOOL),
        options("@json", value=option, mode=st.sampled_from(["encode", "decode", "ENCODE"])),
        st.builds(lambda name, value: {name: value},
                  TYPED, option),
        options("@money", amount=option, currency=option, rounding=ROUNDINGS),
        st.builds(lambda values: {"@first": values}, st.lists(option, max_size=3)),
        options("@lookup", table=st.sampled_from(["countries", "none"]), value=option, default=option,
                spelling=st.sampled_from(["any", "exact"])),
        options("@filter", items=option, where=st.dictionaries(PATHS, SCALARS | TEST | option, max_size=2)),
        options("@total", items=option, price=option, quantity=option),
        st.builds(lambda name, value: {"@lenient": {name: value}}, TYPED, option),
        st.builds(lambda name, value: {name: value}, st.sampled_from(["@lower", "@upper", "@trim"]), option),
        st.builds(lambda name, value, locale: {name: {"value": value, "locale": locale}},
                  st.sampled_from(["@number", "@amount"]), option, st.just("de") | option),
        options("@split", value=option, by=st.sampled_from([",", "", "-"]),
                take=st.sampled_from([0, -1, "x"])),
        options("@regex", value=option, match=EXPRESSIONS, extract=EXPRESSIONS, default=option),
        options("@regex", value=option, replace=EXPRESSIONS,
                **{"with": st.sampled_from(["", "\\1", "x"])}),
        options("@date", value=option, formats=st.lists(FORMATS | option, max_size=2),
                zone=st.just("UTC") | option),
        options("@map", items=option, to=option, **{"with": shape}),
    )  # fmt: skip


def options(name: str, **named: Any) -> Any:
    whole = st.fixed_dictionaries({}, optional=named)
    full = st.fixed_dictionaries(named)
    return (full | whole).map(lambda value: {name: value})


PATH_DIRECTIVES = PATHS.map(lambda path: {"@path": path})
MAPPINGS = st.recursive(
    SCALARS | PATH_DIRECTIVES,
    lambda inner: st.one_of(
        directives(inner),
        directives(inner),
        st.lists(inner, max_size=2),
        st.dictionaries(KEYS, inner, max_size=3),
    ),
    max_leaves=10,
)


def outcome(run: Any) -> tuple[str, Any]:
    try:
        return "mapped", shown(run())
    except mapping.MappingError as error:
        return "refused", error.message


def shown(value: Any) -> str:
    """JSON text with types told apart and keys sorted, NaN equal to itself."""
    return json.dumps(value, sort_keys=True, default=repr)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@example({"a": {"@object": {"x": {"@path": "$.absent"}}}}, {})
@example({"a": {"@lenient": {"@number": {"x": {"@path": "$.absent"}}}}}, {})
@given(st.dictionaries(KEYS, MAPPINGS, max_size=4) | MAPPINGS, PAYLOADS)
def test_a_compiled_mapping_gives_the_result_of_the_interpreted_one(
    fields: Any, payload: dict[str, Any]
) -> None:
    before = copy.deepcopy((fields, payload))
    interpreted = outcome(lambda: mapping.transform(fields, payload, tables=TABLES))
    compiled = outcome(lambda: mapping.compile(fields, tables=TABLES)(payload))
    assert compiled == interpreted
    assert (fields, payload) == before


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(KEYS, MAPPINGS, max_size=4), PAYLOADS, PAYLOADS)
def test_a_compiled_mapping_keeps_nothing_of_the_last_payload(
    fields: dict[str, Any], first: dict[str, Any], second: dict[str, Any]
) -> None:
    try:
        transform = mapping.compile(fields, tables=TABLES)
    except mapping.MappingError:
        return
    fresh = outcome(lambda: transform(second))
    outcome(lambda: transform(first))
    assert outcome(lambda: transform(second)) == fresh


def test_the_property_sees_a_compiler_that_drops_a_null(monkeypatch: pytest.MonkeyPatch) -> None:
    put = Emitter.put

    def broken(self: Emitter, members: str, key: str, value: Any, *, otherwise: str = "") -> None:
        put(
            self,
            members,
            key,
            value._replace(text=f"({value.text} or U)", misses=True, simple=False),
            otherwise=otherwise,
        )

    monkeypatch.setattr(Emitter, "put", broken)
    fields = {"v": {"@merge": {"objects": [{"a": 1}, {"b": {"@path": "$.b"}}], "direction": "right"}}}
    payload = {"b": None}
    assert outcome(lambda: mapping.compile(fields)(payload)) != outcome(
        lambda: mapping.transform(fields, payload)
    )


@pytest.mark.parametrize(
    "text",
    ["'", '"', "\\", "\n", "\x00", "{0}", "{x}", "%s", "'); raise SystemExit; ('", "\ud800", "k0", "U"],
)
def test_text_of_authors_is_data_and_never_code(text: str) -> None:
    fields = {
        text: {"@path": f"$.{text}"},
        "template": {"@template": f"{text}{{{{a}}}}{text}"},
        "items": {"@arrayPath": ["$.items", {text: {"@literal": text}}]},
    }
    payload = {text: 1, "a": "A", "items": [{}]}
    assert mapping.compile(fields)(payload) == mapping.transform(fields, payload)
    if len(text) > 2:
        assert text not in source(fields)


def test_a_mapping_too_deep_to_compile_is_interpreted() -> None:
    fields: dict[str, Any] = {"@path": "$.v"}
    payload: dict[str, Any] = {"v": 1}
    for _ in range(30):
        fields = {"@arrayPath": ["$.n", {"n": fields}]}
        payload = {"n": [payload]}
    assert mapping.compile(fields)(payload) == mapping.transform(fields, payload)


def test_a_payload_nested_beyond_all_measure_is_refused_in_words() -> None:
    deep: Any = 1
    for _ in range(50_000):
        deep = [deep]
    transform = mapping.compile({"v": {"@json": {"mode": "encode", "value": {"@path": "$.deep"}}}})
    with pytest.raises(mapping.MappingError, match="nested too deeply"):
        transform({"deep": deep})
    while isinstance(deep, list):  # taken apart by hand: freeing it whole would recurse
        deep = deep[0]


def test_numbers_that_no_json_has_pass_through() -> None:
    assert math.isnan(mapping.compile({"v": {"@path": "$.n"}})({"n": math.nan})["v"])


def test_flatten_knows_its_names_again_and_keeps_no_more_of_them_than_it_has_room_for() -> None:
    transform = mapping.compile({"v": {"@flatten": {"value": {"@path": "$.v"}, "separator": "."}}})
    for lead in range(3):
        many = {f"{lead}key{place}": {"a": place, "b": {"c": [place]}} for place in range(1000)}
        wanted = {f"{key}.{name}": members["a"] for key, members in many.items() for name in ("a", "b.c.0")}
        assert transform({"v": many})["v"] == wanted == transform({"v": many})["v"]
    joined: dict[str, str] = {}
    below: dict[str, Any] = {}
    flattener(".", False)({f"k{place}": "x" for place in range(5000)}, ("", joined, below), {})
    assert 0 < len(joined) < 2000

"""Every problem of a mapping's fields is found, at its place, with a remedy."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.mapping.files.fields import portable_problems, problems

P = {"@path": "$.v"}
CASES: list[tuple[Any, tuple[str | int, ...], str]] = [
    ({"a": {"@pth": "$.v"}}, ("a", "@pth"), "did you mean `@path`?"),
    ({"a": [{"@pth": "$.v"}]}, ("a", 0, "@pth"), "did you mean `@path`?"),
    ({"a": {"@path": "$.v", "b": 1}}, ("a", "b"), "only key"),
    ({"a": {"@path": 5}}, ("a", "@path"), "text or a directive"),
    ({"a": {"@path": "$"}}, ("a", "@path"), "$."),
    ({"a": {"@path": " $.v"}}, ("a", "@path"), "`$.v`"),
    ({"a": {"@path": "$.v[name]"}}, ("a", "@path"), "['name']"),
    ({"a": {"@path": "$.v[*]"}}, ("a", "@path"), "@arrayPath"),
    ({"a": {"@path": "$.v['a.b']"}}, ("a", "@path"), "cannot be reached"),
    ({"a": {"@path": "$.v[-1]"}}, ("a", "@path"), "[0]"),
    ({"a": "$.v"}, ("a",), '{"@path": "$.v"}'),
    ({"a": "{{v}}"}, ("a",), "@template"),
    ({"a": {"@template": "{{$.v}}"}}, ("a", "@template"), "{{v}}"),
    ({"a": {"@template": "{{v | upcase}}"}}, ("a", "@template"), "@liquid"),
    ({"a": {"@template": "{{v}"}}, ("a", "@template"), "{{path}}"),
    ({"a": {"@if": {"then": 1}}}, ("a", "@if"), "exists"),
    ({"a": {"@if": {"exists": P, "than": 1, "then": 1}}}, ("a", "@if", "than"), "did you mean `then`?"),
    ({"a": {"@if": {"exists": P, "then": 1, "else": 0}}}, ("a", "@if", "else"), "@literal"),
    ({"a": {"@if": {"exists": P, "then": {"@nope": 1}}}}, ("a", "@if", "then", "@nope"), "known are"),
    ({"a": {"@case": {"value": P}}}, ("a", "@case"), "operator"),
    ({"a": {"@case": {"value": P, "operator": "Lower"}}}, ("a", "@case", "operator"), "lower"),
    ({"a": {"@replace": {"value": P, "pattern": ""}}}, ("a", "@replace", "pattern"), "at least 1"),
    ({"a": {"@replace": {"value": P, "pattern": "x" * 11}}}, ("a", "@replace", "pattern"), "at most 10"),
    ({"a": {"@replace": {"value": P, "pattern": "x", "pattern2": 5}}}, ("a", "@replace", "pattern2"), "text"),
    ({"a": {"@replace": {"value": P, "pattern": "x", "global": 1}}}, ("a", "@replace", "global"),
     "true or false"),
    ({"a": {"@arrayPath": []}}, ("a", "@arrayPath"), "a list of a path"),
    ({"a": {"@arrayPath": ["$.v", [P]]}}, ("a", "@arrayPath", 1), "[path, {…}]"),
    ({"a": {"@arrayPath": ["$.v", {"b": {"@nope": 1}}]}}, ("a", "@arrayPath", 1, "b", "@nope"), "known are"),
    ({"a": {"@merge": {"objects": [P]}}}, ("a", "@merge"), "direction"),
    ({"a": {"@merge": {"objects": [P, 5], "direction": "left"}}}, ("a", "@merge", "objects", 1), "object"),
    ({"a": {"@merge": {"objects": [P], "direction": "LEFT"}}}, ("a", "@merge", "direction"), "left"),
    ({"a": {"@flatten": {"value": P}}}, ("a", "@flatten"), "separator"),
    ({"a": {"@flatten": {"value": P, "separator": ""}}}, ("a", "@flatten", "separator"), "joins"),
    ({"a": {"@json": {"value": P, "mode": "ENCODE"}}}, ("a", "@json", "mode"), "encode"),
    ({"a": {"@transform": {"apply": {}}}}, ("a", "@transform"), "mapping"),
    ({"a": {"@liquid": "{% for x in y %}"}}, ("a", "@liquid"), "mend"),
    ({"a": {"@liquid": "{{ 'now' | date: '%Y' }}"}}, ("a", "@liquid"), "a moment of the message"),
    ({"a": {"@liquid": "{% if v %}{{ 'today' | date: v }}{% endif %}"}}, ("a", "@liquid"), "a moment"),
    ({"a": {"@liquid": "x" * 1001}}, ("a", "@liquid"), "mend"),
    ({"a": {"@liquid": "{{ v | upcas }}"}}, ("a", "@liquid"), "did you mean `upcase`?"),
    ({"a": {"@liquid": "{% if v %}{{ v | sort }}{% endif %}"}}, ("a", "@liquid"), "leave it out"),
    ({"a": {"@first": P}}, ("a", "@first"), "a list"),
    ({"a": {"@lookup": {"table": "names", "value": P}}}, ("a", "@lookup", "table"), "did you mean `name`?"),
    ({"a": {"@filter": {"items": P, "where": {"$.n": {"least": 1}}}}},
     ("a", "@filter", "where", "$.n", "least"),
     "did you mean `at_least`?"),
    ({"a": {"@money": {"amount": P}}}, ("a", "@money"), "currency"),
    ({"a": {"@money": {"amount": P, "currency": "EURO"}}}, ("a", "@money", "currency"), "as in EUR"),
    ({"a": {"@money": {"amount": P, "currency": {"@literal": 7}}}}, ("a", "@money", "currency"), "as in EUR"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "path", "remedy"), CASES)
def test_a_problem_is_found_at_its_place_with_a_remedy(fields: Any, path: Any, remedy: str) -> None:
    found = problems(fields, {"name": {}})
    assert [place for place, _, _ in found] == [path]
    assert remedy in found[0][2] + found[0][1]


def test_all_problems_are_found_at_once() -> None:
    fields = {"a": {"@pth": 1}, "b": [{"@case": {"operator": "x", "value": P}}], "c": {"d": "$.v"}}
    assert [place[0] for place, _, _ in problems(fields)] == ["a", "b", "c"]


def test_our_own_directives_are_named_where_a_mapping_must_be_portable() -> None:
    fields = {"a": {"@first": [P, {"@number": P}]}, "b": P}
    assert [path for path, _, _ in portable_problems(fields)] == [
        ("a", "@first"),
        ("a", "@first", 1, "@number"),
    ]

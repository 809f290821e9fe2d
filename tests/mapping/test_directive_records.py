"""What a directive's record declares is what it does, and the checks need nothing else to know it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter.mapping import MappingError, mapping_set
from adapter.mapping.directives import DIRECTIVES
from adapter.mapping.engine.directive import Branches, Directive, ResultType
from adapter.mapping.engine.interpret import Resolver
from adapter.mapping.engine.options import Items, Option, Options, Plain, Raw, ValueWithOptions
from adapter.mapping.engine.values import UNDEFINED, type_of
from adapter.mapping.explain.branch_coverage import branches
from adapter.mapping.files.mapping_file import Mapping
from adapter.mapping.lint.outputs import event_names, passes_on, traits
from tests.conformance.test_mapping_vectors import VECTORS
from tests.mapping.test_directives_page import MESSAGE, SECTIONS, example

#: What JSON calls the values of a type; money is in minor units, a time is text.
IN_JSON: dict[ResultType, str] = {
    "text": "string", "number": "number", "boolean": "boolean", "datetime": "string", "money": "number",
    "object": "object", "list": "array",
}  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, 12, 54.9, "", "12", "yes", "54,90", "2024-06-18T09:30:12Z", [], ["x"], {}, {"a": 1},
)  # fmt: skip
FIXED = sorted(name for name, directive in DIRECTIVES.items() if directive.result)


class Watching(Resolver):
    """Records the types of what directives yield."""

    def __init__(self, tables: dict[str, Any]) -> None:
        super().__init__(DIRECTIVES, tables)
        self.yielded: dict[str, set[str]] = {}

    def run(self, name: str, mapping: dict[str, Any], payload: Any) -> Any:
        """Run the directive, and record."""
        value = super().run(name, mapping, payload)
        if value is not None and value is not UNDEFINED:
            self.yielded.setdefault(name, set()).add(type_of(value))
        return value


def runs() -> Iterator[tuple[Any, dict[str, Any], Any]]:
    """Fields, tables and payload of the vectors, of the page's examples, and of values as they come."""
    for vector in VECTORS:
        yield from ((vector["mapping"], {}, one) for one in payloads(vector))
    for section in SECTIONS.values():
        fields, tables, _ = example(section)
        yield fields, tables, MESSAGE
    for name in FIXED:
        if isinstance(DIRECTIVES[name].shape, Raw | ValueWithOptions):
            yield from (({name: {"@path": "$.value"}}, {}, {"value": value}) for value in VALUES)


def payloads(vector: dict[str, Any]) -> list[Any]:
    return vector["input"] if vector["kind"] == "map_batch" else [vector["input"]]


def test_a_directive_yields_values_of_the_type_that_it_declares() -> None:
    yielded: dict[str, set[str]] = {}
    for fields, tables, payload in runs():
        watching = Watching(tables)
        with suppress(MappingError):
            watching.transform(fields, payload)
        for name, kinds in watching.yielded.items():
            yielded.setdefault(name, set()).update(kinds)
    declared = {name: {IN_JSON[kind]} for name in FIXED if (kind := DIRECTIVES[name].result)}
    assert {name: yielded.get(name) for name in FIXED} == declared
    assert len(FIXED) >= 13


def same(options: Any, payload: Any, resolver: Resolver) -> Any:
    return resolver.resolve(options, payload)


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Directive]:
    """Return what adds a directive `@new` of any shape for one test."""

    def add(shape: Any = None, **declared: Any) -> Directive:
        directive = replace(Directive("@new", shape or Raw(), same, portable=False), **declared)
        monkeypatch.setitem(DIRECTIVES, "@new", directive)
        return directive

    return add


def options(*names: str) -> Options:
    return Options({name: Option(Raw(), required=True) for name in names})


def items(given: Any) -> list[tuple[tuple[int], Any]]:
    return [((at,), item) for at, item in enumerate(given)]


@pytest.fixture
def checked(write_mappings: Callable[..., Path]) -> Callable[..., tuple[list[Mapping], list[str]]]:
    """Return what checks the mapping of a customer with these traits, or of an event of this name."""

    numbers = itertools.count()

    def check(*given: dict[str, Any]) -> tuple[list[Mapping], list[str]]:
        mappings = [{
            "name": f"M{at}", "subscribe": 'type = "identify"', "action": "event" if "name" in fields else
            "customer.upsert", "fields": {"source_id": {"@path": "$.userId"}, **fields},
        } for at, fields in enumerate(given)]  # fmt: skip
        file = {"source": "segment", "tables": {"names": {"a": "paid"}}, "mappings": mappings}
        # A text of its own: the checks of a file are kept, and these tests add directives.
        text = json.dumps(file) + "\n" * next(numbers)
        loaded, problems = mapping_set.load(write_mappings(shop=text))
        found = [problem.message for problem in problems]
        return ([*loaded.mappings] if loaded else []), found

    return check


Check = Callable[..., tuple[list[Mapping], list[str]]]
Add = Callable[..., Directive]


def test_the_declared_type_of_a_new_directive_is_compared_with_that_of_another_mapping(
    added: Add, checked: Check
) -> None:
    fields = {"traits": {"tier": {"@new": {"@path": "$.traits.tier"}}}}, {"traits": {"tier": 3}}
    added()
    assert not any("is number here and" in problem for problem in checked(*fields)[1])
    added(result="text")
    assert any("`tier` is number here and text in" in problem for problem in checked(*fields)[1])


def test_paths_in_a_scope_of_a_new_directive_are_not_looked_for_in_the_message(
    added: Add, checked: Check
) -> None:
    fields = {"traits": {"tier": {"@new": {"of": {"@path": "$.nowhere"}, "each": {"@path": "$.sku"}}}}}
    added(options("of", "each"))
    assert [problem.split("`")[1] for problem in checked(fields)[1]] == ["nowhere", "sku"]
    added(options("of", "each"), scopes=("each",))
    assert [problem.split("`")[1] for problem in checked(fields)[1]] == ["nowhere"]


def test_paths_that_a_new_directive_reads_are_looked_for_in_the_message(added: Add, checked: Check) -> None:
    added(Plain(), reads=lambda given: [given])
    [problem] = checked({"traits": {"tier": {"@new": "nowhere"}}})[1]
    assert problem.split("`")[1] == "nowhere"


def test_the_doubt_of_a_new_directive_is_a_warning_at_its_place(added: Add, checked: Check) -> None:
    added(doubt=lambda given, report: report((), "hardly meant", "leave it out"))
    mappings, problems = checked({"traits": {"tier": {"@new": 1}}})
    assert (len(mappings), problems) == (1, ["hardly meant"])


def test_the_branches_of_a_new_directive_are_seen_by_coverage_types_and_names(
    added: Add, checked: Check
) -> None:
    traits_of = {"@new": [{"a": 1}, {"b": 2}]}
    added(Items(Raw()))
    [mapping], _ = checked({"traits": traits_of})
    assert (passes_on(mapping, "traits"), traits(mapping), [*branches(mapping.fields)]) == (True, [], [])
    added(Items(Raw()), branches=Branches(items, lambda given, payload, resolver: 0))
    [mapping], _ = checked({"traits": traits_of})
    assert not passes_on(mapping, "traits")
    assert [written.name for written in traits(mapping)] == ["a", "b"]
    assert [keys for keys, _ in branches(mapping.fields)] == [("traits", "@new", 0), ("traits", "@new", 1)]


def test_the_merged_objects_of_a_new_directive_name_the_traits(added: Add, checked: Check) -> None:
    added(Items(Raw()), result="object", merges=items)
    fields = {"traits": {"@new": [{"tier": "gold"}, {"b": 2}]}}, {"traits": {"tier": 3}}
    [mapping, _], problems = checked(fields[0], {"traits": {"b": 3}})
    assert [written.name for written in traits(mapping)] == ["tier", "b"]
    assert any("`tier` is number here and text in" in problem for problem in checked(*fields)[1])
    assert not any("here and" in problem for problem in problems)


def test_the_table_of_a_new_look_up_must_be_there_and_gives_the_names_of_events(
    added: Add, checked: Check
) -> None:
    shape = Options({"table": Option(Plain(), required=True), "value": Option(Raw(), required=True)})
    added(shape, looks_up=True)
    name = {"@new": {"table": "names", "value": {"@path": "$.userId"}}}
    [mapping], _ = checked({"name": name})
    assert [*event_names(mapping).names] == ["paid"]
    name["@new"]["table"] = "other"
    assert any("there is no table `other`" in problem for problem in checked({"name": name})[1])

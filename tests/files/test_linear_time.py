"""A file of twice the size takes twice the work: no form of mapping, rule or model file makes a check slow.

Work is counted in calls; of the templates, whose searches are single calls, in characters that they pass.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapter import mapping as language
from adapter.files.places import inside
from adapter.files.problems import Mark, did_you_mean
from adapter.mapping import mapping_set as mappings
from adapter.mapping.directives import _templates
from adapter.mapping.files.fields import problems
from adapter.mapping.testing import case_files
from adapter.rules.engine import ruleset as rules
from adapter.rules.testing import cases as rule_cases
from adapter.settings import load as settings

pytestmark = pytest.mark.slow

#: A work that grows with the size, and not with its square, grows by less than this when the size doubles.
MOST = 2.5
Files = dict[str, str]
FIELDS: dict[str, Any] = {"source_id": {"@path": "$.userId"}, "name": "ordered"}
WHOLE = ("template", "liquid", "path", "array path", "text", "key", "name", "subscription", "value", "row")
UNITS = (
    "{{", "{{{", "}}", "{{a}", '"', "'", "[", "(", "!", "!contains(", "and ", "type = x or ", "AND ", "#",
    "\\", ".", "$.", "-", "\n", "*a ", "&a ", "a.", "['", "[0]", "9", "{", "|", ",", ": ", "%",
    "{% if a %}", "é", "😀", " ",
)  # fmt: skip


def entry(number: int, subscribe: str, fields: dict[str, Any], action: str = "event") -> str:
    written = {"name": f"M{number}", "subscribe": subscribe, "action": action, "fields": fields}
    return f"  - {json.dumps(written, ensure_ascii=False)}\n"


def mapping(*entries: str, tables: Any = None) -> Files:
    head = f"source: segment\ntables: {json.dumps(tables)}\n" if tables else "source: segment\n"
    return {"shop.yaml": f"{head}mappings:\n{''.join(entries)}"}


def one(form: str, text: str) -> Files:
    """A mapping file that holds a long text in one place."""
    if form == "value":
        return {"shop.yaml": f"source: segment\nmappings: {text}\n"}
    if form == "row":
        return {"shop.yaml": text}
    if form == "subscription":
        return mapping(entry(1, f'type = "track" and {text}', FIELDS))
    if form == "name":
        return mapping(entry(1, 'type = "track"', FIELDS | {"name": text}))
    attributes: dict[str, dict[str, Any]] = {
        "template": {"a": {"@template": text}},
        "liquid": {"a": {"@liquid": text}},
        "path": {"a": {"@path": text}},
        "array path": {"a": {"@arrayPath": [text, {"b": {"@path": text}}]}},
        "text": {"a": text},
        "key": {text: 1},
    }
    return mapping(entry(1, 'type = "track"', FIELDS | {"attributes": attributes[form]}))


def repeated(form: str, unit: str, size: int) -> Files:
    return one(form, unit * size)


def entries(make: Callable[[int], str]) -> Callable[[int], Files]:
    return lambda size: mapping(*map(make, range(size)))


def upsert(number: int, trait: str) -> str:
    fields = {"source_id": {"@path": "$.userId"}, "traits": {trait: number}}
    return entry(number, 'type = "identify"', fields, "customer.upsert")


def joined(test: str) -> Callable[[int], Files]:
    return lambda size: mapping(entry(1, " and ".join(test.format(number) for number in range(size)), FIELDS))


def missing_tables(size: int) -> Files:
    lookups = [
        entry(at, f'event = "E{at}"', FIELDS | {"name": {"@lookup": {"table": f"t{at}", "value": "x"}}})
        for at in range(size)
    ]
    return mapping(*lookups, tables={"names": {"a": "b"}})


MAPPINGS: dict[str, Callable[[int], Files]] = {
    "names from messages": entries(
        lambda at: entry(at, 'type = "track"', FIELDS | {"name": {"@path": "$.event"}})
    ),
    "one name": entries(lambda at: entry(at, 'type = "track"', FIELDS)),
    "many names": entries(lambda at: entry(at, 'type = "track"', FIELDS | {"name": f"n{at}"})),
    "many traits": entries(lambda at: upsert(at, f"t{at}")),
    "one trait": entries(lambda at: upsert(at, "plan")),
    "bad subscriptions": entries(lambda at: entry(at, "type = track event", FIELDS)),
    "warned subscriptions": entries(lambda at: entry(at, 'type = "track" AND event = "x"', FIELDS)),
    "escaped subscriptions": entries(lambda at: entry(at, '"' * at + "\u00e9", FIELDS)),
    "missing tables": missing_tables,
    "tests of numbers": joined("properties.a >{}"),
    "tests of texts": joined('contains(properties.a, "x{}")'),
    "tests of one field": joined('properties.a != "x{}"'),
    "tests of many fields": joined("properties.a{} = 1"),
    "aliases": lambda size: {"shop.yaml": f"tables: &a {{x: 1}}\nmappings: [{'*a, ' * size}1]\n"},
    "aliases of aliases": lambda size: {
        "shop.yaml": "a0: &a0 [1, 1]\n" + "".join(f"a{at}: &a{at} [*a{at - 1}, 1]\n" for at in range(1, size))
    },
    "duplicate keys": lambda size: {"shop.yaml": "source: segment\n" * size},
    "deep lists": lambda size: {"shop.yaml": "[" * size},
    "deep objects": lambda size: {"shop.yaml": '{"a":' * size},
    "deep blocks": lambda size: {"shop.yaml": "".join(f"{' ' * at}a:\n" for at in range(size))},
    "types of the model": lambda size: {
        **mapping(entry(1, 'type = "track"', FIELDS)),
        "model.yaml": "traits:\n" + "".join(f"  t{at}: {{type: txt}}\n" for at in range(size)),
    },
}


def cases(line: str) -> Callable[[int], Files]:
    def files(size: int) -> Files:
        lines = "".join(f"  - {line.format(at)}\n" for at in range(size))
        return {"a.test.yaml": f"source: segment\ncases:\n{lines}"}

    return files


CASES: dict[str, Callable[[int], Files]] = {
    "cases": cases("{{name: c{0}, payload: {{type: track, userId: u}}, expect: []}}"),
    "cases of one name": cases("{{name: c, payload: {{type: track, userId: u}}, expect: []}}"),
    "keys of cases": cases("{{nme: c{0}, paylod: {{}}, expct: []}}"),
    "parts of cases": cases("{{name: c{0}, payload: {{}}, ignore: [evnt.a{0}], expect: []}}"),
    "files of cases": cases("{{name: c{0}, file: missing{0}.json, expect: []}}"),
}
RULE_CASES: dict[str, Callable[[int], Files]] = {
    "cases": cases("{{name: c{0}, event: {{name: bought, attributes: {{a: 1}}}}, expect: {{r{0}: issued}}}}"),
    "cases of one name": cases("{{name: c, event: {{name: bought}}, expect: {{r: issued}}}}"),
    "keys of cases": cases("{{nme: c{0}, evnt: {{}}, expct: {{}}}}"),
}
SETTINGS: dict[str, Callable[[int], str]] = {
    "keys": lambda size: "[ingest]\n" + "".join(f"a{at} = 1\n" for at in range(size)),
    "sections": lambda size: "".join(f"[s{at}]\n" for at in range(size)),
    "blanks": lambda size: "[ingest]\na" + " " * size * 20 + "b",
    "brackets": lambda size: "[" * size,
    "quotes": lambda size: 'a = "' + '"' * size,
    "comments": lambda size: "#" * size + "\n" + "# a\n" * size,
    "lists": lambda size: "a = " + "[" * size + "]" * size,
}


def rule(*conditions: str, **others: Any) -> str:
    action = {"type": "percentage_off", "value": 10}
    written = {"name": "a", "description": "a", "trigger": "bought", "conditions": {"all": conditions}}
    return json.dumps(written | {"action": action} | others)


def defined(expression: Callable[[int], str]) -> Callable[[int], Files]:
    def files(size: int) -> Files:
        definitions = {f"d{at}": expression(at) for at in range(size)}
        return {"a.yaml": rule("d1"), "definitions.yaml": json.dumps({"definitions": definitions})}

    return files


RULES: dict[str, Callable[[int], Files]] = {
    "rules": lambda size: {f"r{at}.yaml": rule("a == 1", name=f"r{at}") for at in range(size)},
    "rules with faults in one file": lambda size: {
        "a.yaml": "rules:\n"
        + "".join(f"  - {{nme: a{at}, triger: b, conditions: [a ==]}}\n" for at in range(size))
    },
    "rules of one name": lambda size: {f"r{at}.yaml": rule("a == 1") for at in range(size)},
    "conditions": lambda size: {"a.yaml": rule(*[f"a > {at}" for at in range(size)])},
    "bad conditions": lambda size: {"a.yaml": rule(*["a =="] * size)},
    "quotes": lambda size: {"a.yaml": rule('"a" ' * size)},
    "brackets": lambda size: {"a.yaml": rule("(" * size * 10)},
    "operators": lambda size: {"a.yaml": rule("a == 1 && " * size)},
    "negations": lambda size: {"a.yaml": rule("!" * size * 10)},
    "comments": lambda size: {"a.yaml": rule("//" * size * 10)},
    "unknown keys": lambda size: {"a.yaml": rule("a == 1", **{f"k{at}": 1 for at in range(size)})},
    "definitions in a row": defined(lambda at: f"d{at - 1}" if at else "a == 1"),
    "definitions of one": defined(lambda at: "d0" if at else "a == 1"),
    "definitions in a circle": defined(lambda at: f"d{at - 1}" if at else "d9"),
    "definitions twice": defined(lambda at: f"d{at - 1} && d{at - 1}" if at else "a == 1"),
}


def work(load: Callable[[Path], Any], files: Files, folder: Path) -> int:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return counted(lambda: load(folder))


def counted(run: Callable[[], Any]) -> int:
    """Return how many calls something makes."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(None)
    return calls


def grows_with_the_size(
    load: Callable[[Path], Any], make: Callable[[int], Files], size: int, at: Path
) -> None:
    work(load, make(1), at / "first")  # fills what is made once
    before, after = work(load, make(size), at / "half"), work(load, make(2 * size), at / "whole")
    assert after < MOST * max(before, 2000), f"{before} calls, of twice the size {after}"


@pytest.mark.parametrize("form", WHOLE)
def test_a_long_text_takes_work_that_grows_with_its_length(form: str, tmp_path: Path) -> None:
    for number, unit in enumerate(UNITS):
        at = tmp_path / str(number)
        at.mkdir()
        grows_with_the_size(mappings.load, partial(repeated, form, unit), 600, at)


@pytest.mark.parametrize("name", MAPPINGS)
def test_many_entries_of_mappings_take_work_that_grows_with_their_number(name: str, tmp_path: Path) -> None:
    grows_with_the_size(mappings.load, MAPPINGS[name], 80, tmp_path)


@pytest.mark.parametrize("name", RULES)
def test_many_entries_of_rules_take_work_that_grows_with_their_number(name: str, tmp_path: Path) -> None:
    grows_with_the_size(rules.load, RULES[name], 80, tmp_path)


@pytest.mark.parametrize("name", CASES)
def test_many_cases_of_mappings_take_work_that_grows_with_their_number(name: str, tmp_path: Path) -> None:
    grows_with_the_size(case_files.load, CASES[name], 80, tmp_path)


@pytest.mark.parametrize("name", RULE_CASES)
def test_many_cases_of_rules_take_work_that_grows_with_their_number(name: str, tmp_path: Path) -> None:
    grows_with_the_size(rule_cases.load, RULE_CASES[name], 80, tmp_path)


@pytest.mark.parametrize("name", SETTINGS)
def test_long_settings_take_work_that_grows_with_their_length(name: str, tmp_path: Path) -> None:
    def files(size: int) -> Files:
        return {"adapter.toml": SETTINGS[name](size)}

    grows_with_the_size(lambda folder: settings.read(folder / "adapter.toml", {}), files, 80, tmp_path)


PATH: dict[str, Any] = {"@path": "$.a"}
#: Each puts a directive into another.
NESTING: dict[str, Callable[[Any], Any]] = {
    "case": lambda inner: {"@case": {"operator": "lower", "value": inner}},
    "replace": lambda inner: {"@replace": {"pattern": "a", "replacement": "b", "value": inner}},
    "json": lambda inner: {"@json": {"mode": "decode", "value": inner}},
    "flatten": lambda inner: {"@flatten": {"separator": ".", "value": inner}},
    "merge": lambda inner: {"@merge": {"direction": "right", "objects": [{"x": inner}, {}]}},
    "exists": lambda inner: {"@if": {"exists": inner, "then": 1}},
    "then": lambda inner: {"@if": {"exists": PATH, "then": inner, "else": 1}},
    "first": lambda inner: {"@first": [PATH, inner]},
    "array path": lambda inner: {"@arrayPath": ["$.a", {"x": inner}]},
    "apply": lambda inner: {"@transform": {"apply": {"x": inner}, "mapping": {"y": PATH}}},
    "mapping": lambda inner: {"@transform": {"apply": {"x": PATH}, "mapping": {"y": inner}}},
    "map": lambda inner: {"@map": {"items": PATH, "to": inner}},
    "money": lambda inner: {"@money": {"amount": inner, "currency": "EUR"}},
    "lookup": lambda inner: {"@lookup": {"table": "t", "value": PATH, "default": inner}},
    "objects": lambda inner: {"x": inner},
}


@pytest.mark.parametrize("name", NESTING)
def test_nested_directives_do_not_double_the_work_with_each_level(name: str) -> None:
    """A file nests 64 levels at most, and each directive is checked once on each level above it."""

    def calls(depth: int) -> int:
        value: Any = PATH
        for _ in range(depth):
            value = NESTING[name](value)
        fields = {"v": value}
        checked = counted(lambda: problems(fields, {"t": {}}))
        return checked + counted(lambda: language.compile(fields, tables={"t": {"a": "b"}}))

    calls(1)
    assert calls(16) < 5 * calls(8)


class Counted(str):
    """Text that counts the characters which searches in it pass."""

    __slots__ = ("passed",)
    passed: int

    def find(self, sought: str, start: Any = 0, end: Any = None) -> int:
        stop = len(self) if end is None else min(end, len(self))
        found = super().find(sought, start, stop)
        self.passed = getattr(self, "passed", 0) + max((found if found >= 0 else stop) - start, 0) + 1
        return found


@pytest.mark.parametrize("unit", ["{{", "{{{", "{{a}", "{{a}}", "}}", "{", "{{ }", "{{{a}}"])
def test_placeholders_are_found_in_one_pass(unit: str) -> None:
    for braces in (2, 3):
        text = Counted(unit * 5000)
        list(_templates.pieces(text, braces))
        assert text.passed <= 3 * len(text)


def test_a_place_is_found_near_the_one_before_it() -> None:
    text = Counted("a: " + "\\u00e9" * 2000)
    inside(text, Mark("a", 1, 4), "\u00e9" * 2000, 2000)
    assert text.passed <= 250 * 2000


def test_a_word_is_compared_with_some_of_very_many() -> None:
    def calls(known: int) -> int:
        words = {f"word{number}" for number in range(known)}
        return counted(lambda: did_you_mean("other", words))

    assert calls(20_000) < 2 * calls(1000)

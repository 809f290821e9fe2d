"""Everything that is wrong with a mapping's fields, with its place, for those who write files.

Stricter than the reference, which validates no list, stops a directive at its first fault, ignores options
that it does not know, and finds some faults only when a payload arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from adapter.files.problems import did_you_mean
from adapter.mapping.directives import DIRECTIVES
from adapter.mapping.engine.interpret import ROOT_DIRECTIVE
from adapter.mapping.engine.javascript import length
from adapter.mapping.engine.options import (
    Flag,
    Items,
    Members,
    Options,
    PathAndShape,
    Plain,
    Raw,
    Shape,
    Text,
    ValueWithOptions,
    Whatever,
    Whole,
    has_options,
)
from adapter.mapping.engine.values import type_of
from adapter.model.spelling import spelling

Path = tuple[str | int, ...]
#: Path below the fields, message, remedy.
Finding = tuple[Path, str, str]


def problems(fields: Any, tables: Mapping[str, Mapping[str, Any]] | None = None) -> list[Finding]:
    """Return every fault in the fields; paths lead from the fields to the faulty value.

    Faults found: unknown directives and options, options missing or of the wrong kind, values that can
    never work (paths that find nothing, an `else` that is dropped, Liquid that does not parse), and tables
    that `@lookup` asks for in vain.
    """
    walk = _Walk(tables or {})
    if type(fields) is dict and ROOT_DIRECTIVE in fields:
        beside = {key: value for key, value in fields.items() if key != ROOT_DIRECTIVE}
        walk.root(fields[ROOT_DIRECTIVE], beside)
        walk.value(beside, ())
    else:
        walk.value(fields, ())
    return walk.found


def portable_problems(fields: Any) -> list[Finding]:
    """Return the places of directives that are ours alone, so that Segment would refuse the mapping."""
    return [
        (
            path,
            f"`{name}` is an extension that Segment does not know",
            "leave it out where the mapping must run there",
        )
        for path, name in _names(fields, ())
        if name in DIRECTIVES and not DIRECTIVES[name].portable
    ]


def _names(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if type(value) is dict:
        for key, item in value.items():
            if key[:1] == "@":
                yield (*path, key), key
            yield from _names(item, (*path, key))
    elif type(value) is list:
        for index, item in enumerate(value):
            yield from _names(item, (*path, index))


class _Walk:
    def __init__(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        self.tables = tables
        self.found: list[Finding] = []

    def report(self, path: Path, message: str, remedy: str) -> None:
        self.found.append((path, message, remedy))

    def root(self, directive: Any, beside: dict[str, Any]) -> None:
        """Check the directive that Segment writes beside the fields, which are then its `mapping`."""
        path = (ROOT_DIRECTIVE,)
        name = next(iter(directive), "") if type(directive) is dict and len(directive) == 1 else ""
        if name[:1] != "@" or type(directive[name]) not in (dict, list):
            self.report(path, f"`{ROOT_DIRECTIVE}` holds one directive with options", _ROOT)
        elif name != "@transform" or type(directive[name]) is not dict:
            self.value(directive, path)
            for key in beside:
                self.report((key,), f"`{name}` as the root directive drops the fields beside it", _ROOT)
        elif "mapping" in directive[name]:
            replaced = "the fields beside it take the place of `mapping`"
            self.report((*path, name, "mapping"), replaced, "leave it out")
        else:
            self.value({name: {**directive[name], "mapping": {}}}, path)

    def value(self, value: Any, path: Path) -> None:
        if type(value) is dict:
            names = [key for key in value if key[:1] == "@"]
            if names:
                self.directive(value, names, path)
            else:
                for key, item in value.items():
                    self.value(item, (*path, key))
        elif type(value) is list:
            for index, item in enumerate(value):
                self.value(item, (*path, index))
        elif type(value) is str:
            self.text(value, path)

    def text(self, value: str, path: Path) -> None:
        if value.startswith("$."):
            self.report(path, f"`{value}` is text, not a path", f'write {{"@path": "{value}"}}; {_AS_TEXT}')
        elif "{{" in value:
            self.report(
                path, "a template outside `@template` is text", f'write {{"@template": "…"}}; {_AS_TEXT}'
            )

    def directive(self, value: dict[str, Any], names: list[str], path: Path) -> None:
        others = [key for key in value if key not in (*names, "_metadata")]
        for key in names[1:] + others:
            self.report(
                (*path, key), f"`{key}` is next to `{names[0]}`", "a directive is the only key of its object"
            )
        for name in names:
            directive = DIRECTIVES.get(name)
            below = (*path, name)
            if directive is None:
                self.report(below, f"`{name}` is not a directive", did_you_mean(name, DIRECTIVES))
                continue
            before = len(self.found)
            self.shape(directive.shape, value[name], below, literal=directive.literal)
            if directive.lint is not None and len(self.found) == before:
                directive.lint(value[name], self.below(below))
            if directive.looks_up and len(self.found) == before:
                self.table(value[name], below)

    def below(self, path: Path) -> Callable[[Path, str, str], None]:
        return lambda inner, message, remedy: self.report((*path, *inner), message, remedy)

    def table(self, options: dict[str, Any], path: Path) -> None:
        if options["table"] not in self.tables:
            remedy = (
                did_you_mean(options["table"], self.tables) or "add it to `tables:` at the top of the file"
            )
            self.report((*path, "table"), f"there is no table `{options['table']}`", remedy)
        elif options.get("spelling") == "any":
            self.spelled_twice(self.tables[options["table"]], (*path, "table"))

    def spelled_twice(self, table: Mapping[str, Any], path: Path) -> None:
        first: dict[str, str] = {}
        for key in table:
            other = first.setdefault(spelling(key), key)
            if table[other] != table[key]:
                message = (
                    f"its entries `{other}` and `{key}` differ in spelling alone, and say different things"
                )
                self.report(path, message, "keep one of the two")

    def shape(self, shape: Shape, value: Any, path: Path, *, literal: bool = False) -> None:
        kind = type_of(value)
        match shape:
            case ValueWithOptions():
                self.shape(shape.options if has_options(value) else Raw(), value, path, literal=literal)
            case Options():
                self.options(shape, value, path)
            case PathAndShape():
                self.path_and_shape(value, path)
            case Items() if kind != "array":
                self.wrong(path, "a list", kind)
            case Items():
                for index, item in enumerate(value):
                    self.shape(shape.of, item, (*path, index))
            case Plain() | Flag() | Whole():
                self.plain(shape, value, path)
            case Members() if kind != "object":
                self.wrong(path, "an object or a directive", kind)
            case Text() if kind == "string":
                pass
            case Text() if not (kind == "object" and any(key[:1] == "@" for key in value)):
                self.wrong(path, "text or a directive", kind)
            case Raw() | Whatever() if literal and kind == "string":
                pass
            case Raw() | Whatever() | Text() | Members():
                self.value(value, path)

    def wrong(self, path: Path, wanted: str, kind: str) -> None:
        self.report(path, f"expected {wanted}, not {_WITH_ARTICLE.get(kind, kind)}", f"write {wanted}")

    def plain(self, shape: Plain | Flag | Whole, value: Any, path: Path) -> None:
        if isinstance(shape, Flag):
            if type(value) is not bool:
                self.wrong(path, "true or false", type_of(value))
        elif isinstance(shape, Whole):
            if type(value) is not int or not shape.least <= value <= shape.most:
                self.wrong(path, f"a whole number from {shape.least} to {shape.most}", type_of(value))
        elif type(value) is not str:
            self.wrong(path, "plain text", type_of(value))
        elif shape.choices and value not in shape.choices:
            choices = " or ".join(f"`{choice}`" for choice in shape.choices)
            self.report(path, f"`{value}` is not known here", f"write {choices}")
        elif shape.least is not None and length(value) < shape.least:
            self.report(path, "the text is too short", f"at least {shape.least} character")
        elif shape.most is not None and length(value) > shape.most:
            self.report(path, "the text is too long", f"at most {shape.most} characters")

    def options(self, shape: Options, value: Any, path: Path) -> None:
        name = path[-1]
        if type(value) is not dict:
            self.wrong(path, "an object of options", type_of(value))
            return
        for key in value:
            if key[:1] == "@":
                self.report((*path, key), f"`{name}` takes options, not a directive", _options(shape))
            elif key not in shape.named:
                self.report((*path, key), f"`{name}` has no option `{key}`", did_you_mean(key, shape.named))
            else:
                self.shape(shape.named[key].shape, value[key], (*path, key))
        if any(key[:1] == "@" for key in value):
            return
        for key, option in shape.named.items():
            if (option.required or option.needed) and key not in value:
                self.report(path, f"`{name}` needs `{key}`", _options(shape))
        if shape.one_of and not any(key in value for key in shape.one_of):
            self.report(
                path,
                f"`{name}` needs one of {', '.join(f'`{key}`' for key in shape.one_of)}",
                _options(shape),
            )

    def path_and_shape(self, value: Any, path: Path) -> None:
        if type(value) is not list or not value:
            self.wrong(path, "a list of a path and a shape", "empty list" if value == [] else type_of(value))
            return
        self.shape(Text(), value[0], (*path, 0))
        for index, shape in enumerate(value[1:], start=1):
            if index == 1 and type(shape) is dict:
                self.value(shape, (*path, index))
            else:
                self.report((*path, index), "this is ignored: the shape is one object", "write [path, {…}]")


def _options(shape: Options) -> str:
    return f"its options are {', '.join(f'`{key}`' for key in shape.named)}"


_ROOT = 'write {"@transform": {"apply": {…}}}'
_AS_TEXT = 'for the text itself write {"@literal": "…"}'
_WITH_ARTICLE = {"object": "an object", "array": "a list", "string": "text", "number": "a number",
                 "boolean": "true or false", "empty list": "an empty list"}  # fmt: skip

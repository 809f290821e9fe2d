"""Validation as the reference does it, message for message.

Follows packages/core/src/mapping-kit/validate.ts of segmentio/action-destinations: objects collect
their members' errors, directives stop at their first, arrays are not looked into. What authors of
files need beyond that is in `adapter.mapping.files.fields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, Protocol

from adapter.mapping.engine.errors import InvalidMapping
from adapter.mapping.engine.javascript import keys, length, stringify
from adapter.mapping.engine.options import (
    Flag,
    Items,
    Members,
    Option,
    Options,
    PathAndShape,
    Plain,
    Raw,
    Shape,
    Text,
    ValueWithOptions,
    Whole,
    has_options,
)
from adapter.mapping.engine.values import UNDEFINED, type_of

Stack = tuple[str, ...]


class Shaped(Protocol):
    """What validation needs of a directive."""

    @property
    def shape(self) -> Shape:
        """Return the shape of its options."""
        ...


def kind_of(value: Any) -> str:
    """Return `directive` for an object with any `@` key, else its type's name."""
    if type(value) is dict and any(key[:1] == "@" for key in value):
        return "directive"
    return type_of(value)


def indefinite(kind: str) -> str:
    """Return the name with its article: `a string`, `an undefined`."""
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


class _Invalid(Exception):
    def __init__(self, *messages: str) -> None:
        self.messages = messages


def _fail(text: str, stack: Stack) -> NoReturn:
    raise _Invalid(f"/{'/'.join(stack)} {text}.")


def validate(mapping: Any, directives: Mapping[str, Shaped]) -> None:
    """Raise InvalidMapping with the reference's messages if the mapping is wrong."""
    try:
        _Checker(directives).value(mapping, ())
    except _Invalid as invalid:
        raise InvalidMapping(invalid.messages) from None


class _Checker:
    """Checks one mapping. The reference checks options twice, and so what is deep in them very often.

    What has passed passes again, so `passed` keeps the identities of directives and objects that have.
    """

    def __init__(self, directives: Mapping[str, Shaped]) -> None:
        self.directives = directives
        self.passed: set[int] = set()

    def value(self, value: Any, stack: Stack) -> None:
        kind = kind_of(value)
        if kind == "directive":
            self.directive(value, stack)
        elif kind == "object":
            self.object(value, stack)

    def directive(self, value: dict[str, Any], stack: Stack) -> None:
        if id(value) not in self.passed:
            self.fresh_directive(value, stack)
            self.passed.add(id(value))

    def fresh_directive(self, value: dict[str, Any], stack: Stack) -> None:
        names = [key for key in value if key[:1] == "@"]
        if len(names) > 1:
            _fail(f"should only have one @-prefixed key but it has {len(names)} keys", stack)
        if any(key[:1] != "@" and key != "_metadata" for key in value):
            _fail(f"should only have one @-prefixed key but it has {len(value)} keys", stack)
        directive = self.directives.get(names[0])
        if directive is None:
            _fail(f"has an invalid directive: {names[0]}", stack)
        below = (*stack, names[0])
        self.shape(directive.shape, value[names[0]], below)
        if isinstance(directive.shape, Items):
            items = enumerate(value[names[0]])
            self.collect(
                (self.item, (directive.shape.of, item), (*below, str(index))) for index, item in items
            )

    def item(self, item: tuple[Raw | Text | Members | Plain, Any], stack: Stack) -> None:
        self.nested(item[0], item[1], kind_of(item[1]), stack)

    def shape(self, shape: Shape, value: Any, stack: Stack) -> None:
        kind = kind_of(value)
        match shape:
            case ValueWithOptions():
                self.shape(shape.options if has_options(value) else Raw(), value, stack)
            case Options():
                self.options(shape, value, stack)
            case PathAndShape():
                self.path_and_shape(value, stack)
            case Plain():
                _check_plain(shape, value, kind, stack)
            case Flag() if kind != "boolean":
                _fail(f"should be a boolean but it is {indefinite(kind)}", stack)
            case Whole() if type(value) is not int or not shape.least <= value <= shape.most:
                _fail(f"should be a whole number but it is {indefinite(kind)}", stack)
            case Items():
                _check_array(value, stack)
            case Raw() | Text() | Members():
                self.nested(shape, value, kind, stack)

    def nested(self, shape: Raw | Text | Members | Plain, value: Any, kind: str, stack: Stack) -> None:
        if kind == "directive":
            self.directive(value, stack)
        elif isinstance(shape, Text) and kind != "string":
            _fail(f"should be a string or a mapping directive but it is {indefinite(kind)}", stack)
        elif isinstance(shape, Members):
            if kind != "object":
                _fail(f"should be a object or a mapping directive but it is {indefinite(kind)}", stack)
            self.object(value, stack)

    def object(self, value: Any, stack: Stack) -> None:
        kind = kind_of(value)
        if kind != "object":
            _fail(f"should be an object but it is {indefinite(kind)}", stack)
        if id(value) not in self.passed:
            self.collect((self.value, value[key], (*stack, key)) for key in keys(value))
            self.passed.add(id(value))

    def options(self, shape: Options, value: Any, stack: Stack) -> None:
        self.object(value, stack)
        self.collect(
            (self.option, (name, option, value), stack)
            for name, option in shape.named.items()
            if option.checked
        )
        for name, option in shape.named.items():
            if isinstance(option.shape, Items) and isinstance(option.shape.of, Members) and name in value:
                for item in value[name]:  # the reference loses the place here
                    self.nested(option.shape.of, item, kind_of(item), ())

    def option(self, option: tuple[str, Option, dict[str, Any]], stack: Stack) -> None:
        name, wanted, options = option
        given = options.get(name, UNDEFINED)
        if given is not UNDEFINED:
            self.shape(wanted.shape, given, (*stack, name))
        elif wanted.required:
            _fail(f"should have field {stringify(name)} but it doesn't", stack)

    def path_and_shape(self, value: Any, stack: Stack) -> None:
        _check_array(value, stack)
        path = value[0] if value else UNDEFINED
        self.nested(Text(), path, kind_of(path), stack)
        if len(value) > 1:
            self.value(value[1], stack)

    def collect(self, checks: Any) -> None:
        messages: list[str] = []
        for check, value, stack in checks:
            try:
                check(value, stack)
            except _Invalid as invalid:
                messages += invalid.messages
        if messages:
            raise _Invalid(*messages)


def _check_array(value: Any, stack: Stack) -> None:
    if type(value) is not list:
        _fail(f"should be an array but it is {indefinite(type_of(value))}", stack)


def _check_plain(shape: Plain, value: Any, kind: str, stack: Stack) -> None:
    if kind != "string":
        _fail(f"should be a string but it is {indefinite(kind)}", stack)
    if shape.choices and value.lower() not in shape.choices:
        _fail(f"should be one of {', '.join(shape.choices)} but it is {stringify(value)}", stack)
    if shape.least is not None and length(value) < shape.least:
        _fail(f"should be a string of length {shape.least} or greater", stack)
    if shape.most is not None and length(value) > shape.most:
        _fail(f"should be a string of length {shape.most} or less", stack)

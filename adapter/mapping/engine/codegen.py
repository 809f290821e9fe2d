"""Python source written from a mapping, so that the hot path walks no mapping.

Only our own names get into the source: whatever an author wrote (keys, paths, text) is handed to it as a
constant, or put in the place of a name of ours once the source is compiled. One pass over the mapping writes
statements; paths that share their beginning are walked once, directives that occur twice run once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, NoReturn, Protocol

from adapter.errors import MappingError
from adapter.mapping.engine import paths
from adapter.mapping.engine.directive_object import is_directive, name_of
from adapter.mapping.engine.errors import InvalidMapping
from adapter.mapping.engine.interpret import Resolver, Runnable
from adapter.mapping.engine.javascript import is_array_index, keys
from adapter.mapping.engine.segment_validate import validate
from adapter.mapping.engine.values import UNDEFINED, as_json, type_of

_NEVER = frozenset[str]()


class Value(NamedTuple):
    """An expression that yields a value.

    `misses`: it may be UNDEFINED; `holed`: it may hold UNDEFINED inside; `simple`: a name, cheap to repeat.
    """

    text: str
    misses: bool = True
    holed: bool = False
    simple: bool = False


class Scope:
    """What is known of one payload: the names that hold the values at its paths."""

    def __init__(self, payload: str, *, is_object: bool, holed: bool) -> None:
        self.payload = payload
        self.holed = holed
        #: By path, and by the text of a directive: both are resolved once.
        self.values: dict[tuple[str, ...] | str, Value] = {
            (): Value(payload, not is_object, holed, simple=True)
        }
        self.members: dict[tuple[str, ...], str] = {(): payload} if is_object else {}
        self.present = _NEVER


class Emittable(Runnable, Protocol):
    """What writing source needs of a directive."""

    @property
    def emit(self) -> Callable[[Any, Emitter, bool], Value] | None:
        """Return the function that writes source, or None where a directive is always interpreted."""
        ...


class Emitter:
    """Collects the source of one function; directives write themselves through it."""

    def __init__(self, directives: Mapping[str, Emittable], resolver: Resolver) -> None:
        self.directives = directives
        self.resolver = resolver
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        #: The placeholder in the source for each text of the author's.
        self.texts: dict[str, str] = {}
        self.scope = Scope("p", is_object=True, holed=False)
        self.depth = 2
        #: While true, what has no such member may raise KeyError or TypeError instead of yielding UNDEFINED.
        self.hopeful = False
        #: Whether a loop over items is being written: only the outermost is written twice.
        self.looping = False
        self._known: dict[tuple[type, Any], str] = {}
        self._names = 0

    def line(self, text: str) -> None:
        """Write one statement."""
        self.lines.append("    " * self.depth + text)

    def name(self) -> str:
        """Return a name that nothing has yet."""
        self._names += 1
        return f"v{self._names}"

    def constant(self, value: Any) -> str:
        """Return the name under which the source sees a constant."""
        key = (type(value), value) if isinstance(value, str | int | float | None) or callable(value) else None
        if key is not None and key in self._known:
            return self._known[key]
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        if key is not None:
            self._known[key] = name
        return name

    def text(self, text: str) -> str:
        """Return the placeholder for an author's text between quotes; compiling replaces it by the text."""
        return self.texts.setdefault(text, f"t{len(self.texts)}")

    def quoted(self, text: str) -> str:
        """Return the literal of an author's text."""
        return f"'{self.text(text)}'"

    @contextmanager
    def block(self, opening: str) -> Iterator[None]:
        """Write an indented block; what it finds out about the payload holds only inside."""
        self.line(opening)
        values, members, present = dict(self.scope.values), dict(self.scope.members), self.scope.present
        self.depth += 1
        yield
        self.depth -= 1
        self.scope.values, self.scope.members, self.scope.present = values, members, present

    @contextmanager
    def hoping(self) -> Iterator[None]:
        """Write what takes members as present; what is written around it catches KeyError and TypeError."""
        self.hopeful = True
        yield
        self.hopeful = False

    @contextmanager
    def within(self, scope: Scope) -> Iterator[None]:
        """Resolve against another payload."""
        before, self.scope = self.scope, scope
        yield
        self.scope = before

    def call(self, function: Callable[..., Any], *arguments: str) -> str:
        """Return the call of one of our functions."""
        return f"{self.constant(function)}({', '.join(arguments)})"

    def stored(self, value: Value) -> Value:
        """Return the value under a name of its own."""
        if value.simple:
            return value
        name = self.name()
        self.line(f"{name} = {value.text}")
        kept = value._replace(text=name, simple=True)
        for place, known in self.scope.values.items():
            if known.text == value.text:  # a member taken as present, which was not worth a name at first
                self.scope.values[place] = kept
        return kept

    def failing(self, message: str) -> Value:
        """Return a value that is never there: its place raises MappingError."""
        return Value(self.call(_fail, self.constant(message)))

    # Reading the payload

    def read(self, path: str) -> Value:
        """Return the value at a path of the payload (without its `$.`)."""
        return self._value_at(paths.split(path))

    def _value_at(self, keys: tuple[str, ...]) -> Value:
        known = self.scope.values.get(keys)
        if known is None:
            known = self._member(keys[:-1], keys[-1])
            if not self.hopeful or known.misses:
                known = self.stored(known)
            self.scope.values[keys] = known
        return known._replace(misses=known.misses and known.text not in self.scope.present)

    def _member(self, above: tuple[str, ...], key: str) -> Value:
        named, holed = self.quoted(key), self.scope.holed
        if is_array_index(key) or key == "length":
            return Value(self.call(paths.step, self._value_at(above).text, named), holed=holed)
        members = self._members_at(above)
        if self.hopeful and not holed:
            return Value(f"{members}[{named}]", misses=False)
        return Value(f"{members}.get({named}, U)", holed=holed)

    def _members_at(self, keys: tuple[str, ...]) -> str:
        known = self.scope.members.get(keys)
        if known is None:
            value = self.stored(self._value_at(keys)).text
            if self.hopeful and not self.scope.holed:
                return value
            known = self.scope.members[keys] = self.name()
            other = self.call(reader, value)
            self.line(f"{known} = {value} if type({value}) is dict else E if {value} is U else {other}")
        return known

    # Resolving mappings

    def value(self, mapping: Any, *, final: bool) -> Value:
        """Write what resolves a mapping; where `final`, nothing inside is UNDEFINED."""
        if type(mapping) is dict and is_directive(mapping):
            return self.directive(mapping, final=final)
        if type(mapping) is dict:
            return self._object(mapping, final=final)
        if type(mapping) is list:
            return self._list(mapping, final=final)
        return Value(self.constant(mapping), misses=False, simple=True)

    def directive(self, mapping: dict[str, Any], *, final: bool) -> Value:
        """Write a directive, or the call that interprets it where it cannot be written."""
        name = name_of(mapping)
        if name == "@path" and self.writes(mapping):
            value = self._written(name, mapping, final)
        else:
            said = f"{final} {mapping}"
            known = self.scope.values.get(said)
            # Stored at once, so that of two faults the same one is met as when interpreted.
            value = self.stored(self._written(name, mapping, final)) if known is None else known
            self.scope.values[said] = value
        return self.finished(value) if final else value

    def writes(self, mapping: dict[str, Any]) -> bool:
        """Tell whether the directive can be written, or must be interpreted."""
        directive = self.directives.get(name_of(mapping))
        if directive is None or directive.emit is None:
            return False
        try:
            validate(mapping, self.directives)
        except InvalidMapping:
            return False
        return True

    def _written(self, name: str, mapping: dict[str, Any], final: bool) -> Value:
        if self.writes(mapping) and (emit := self.directives[name].emit) is not None:
            return emit(mapping[name], self, final)
        run = self.resolver.resolve
        return Value(self.call(run, self.constant(mapping), self.scope.payload), holed=True)

    def finished(self, value: Value) -> Value:
        """Return the value without UNDEFINED inside."""
        return Value(self.call(_finish, value.text), value.misses) if value.holed else value

    def _list(self, mapping: list[Any], *, final: bool) -> Value:
        items = [self.stored(self.value(item, final=final)) for item in mapping]
        if final:
            shown = [
                f"(None if {item.text} is U else {item.text})" if item.misses else item.text for item in items
            ]
            return Value(f"[{', '.join(shown)}]", misses=False)
        holed = any(item.misses or item.holed for item in items)
        return Value(f"[{', '.join(item.text for item in items)}]", misses=False, holed=holed)

    def fields(self, mapping: dict[str, Any], *, final: bool) -> list[tuple[str, Value]]:
        """Write the members of an object; return the names of their keys and their values."""
        return [(self.quoted(key), self.value(mapping[key], final=final)) for key in keys(mapping)]

    def _object(self, mapping: dict[str, Any], *, final: bool) -> Value:
        fields = self.fields(mapping, final=final)
        if final:
            fields = [(key, self.stored(value) if value.misses else value) for key, value in fields]
        whole = f"{{{', '.join(f'{key}: {value.text}' for key, value in fields)}}}"
        missing = [(key, value) for key, value in fields if value.misses]
        if not final:
            return Value(whole, misses=False, holed=bool(missing) or any(value.holed for _, value in fields))
        if not missing:
            return Value(whole, misses=False)
        name = self.name()
        self.line(
            f"{name} = {whole}"
        )  # made whole, because a dict that grows is slower than one that shrinks
        for key, value in missing:
            self.line(f"if {value.text} is U: del {name}[{key}]")
        return Value(name, misses=False, simple=True)

    def put(self, members: str, key: str, value: Value, *, otherwise: str = "") -> None:
        """Write the assignment of a member, left out when there is no value."""
        if not value.misses:
            self.line(f"{members}[{key}] = {value.text}")
            return
        value = self.stored(value)
        self.line(f"if {value.text} is not U: {members}[{key}] = {value.text}")
        if otherwise:
            self.line(f"else: {otherwise}")


def reader(value: Any) -> Any:
    """Return something whose `get` reads members as JavaScript does, for a value that is no dict."""
    return _Reader(value)


class _Reader:
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def get(self, key: str, default: Any) -> Any:
        return paths.step(self.value, key)

    def __getitem__(self, key: str) -> Any:
        value = paths.step(self.value, key)
        if value is UNDEFINED:
            raise KeyError(key)
        return value


def _finish(value: Any) -> Any:
    return value if value is UNDEFINED else as_json(value)


def _fail(message: str) -> NoReturn:
    raise MappingError(message)


def object_payload(value: Any) -> dict[str, Any]:
    """Return the payload of a `@transform`; raises MappingError when it is no object."""
    if type(value) is dict:
        return value
    if value is UNDEFINED:
        return {}
    raise MappingError(f"data must be an object, got {type_of(value)}")

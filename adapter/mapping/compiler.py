"""Mappings compiled once, for the hot path."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from types import CodeType
from typing import Any

from adapter.errors import MappingError
from adapter.mapping.directives import DIRECTIVES
from adapter.mapping.engine.codegen import Emitter, Value
from adapter.mapping.engine.interpret import Resolver, Tables, root_of
from adapter.mapping.engine.segment_validate import validate
from adapter.mapping.engine.values import UNDEFINED, as_json, type_of

#: A compiled mapping: from a payload to what it becomes.
Transform = Callable[[dict[str, Any]], Any]

_NESTED = "the payload or the mapping is nested too deeply"
_BUILTINS = {
    word.__name__: word
    for word in (bool, dict, float, int, list, str, type, KeyError, RecursionError, TypeError)
}  # fmt: skip


def compile(mapping: Any, *, tables: Tables | None = None) -> Transform:  # noqa: A001 - the verb is right
    """Return the mapping as a function of the payload, which raises MappingError.

    Raises InvalidMapping when the mapping is wrong. The mapping must not be changed afterwards.
    """
    root = root_of(mapping)
    validate(root, DIRECTIVES)
    resolver = Resolver(DIRECTIVES, tables)
    emitter = Emitter(DIRECTIVES, resolver)
    try:
        return _made(emitter, emitter.value(root, final=True))
    except (SyntaxError, RecursionError, MemoryError):  # too deep for Python's own compiler
        return _interpreting(root, resolver)


def source_of(emitter: Emitter, result: Value) -> str:
    """Return the Python source of a function `make`, which returns the mapping as a function."""
    if result.misses:
        result = emitter.stored(result)
    there = f"None if {result.text} is U else " if result.misses else ""
    constants = ", ".join(["U", "E", "refused", "nested", *emitter.constants])
    return "\n".join([
        f"def make({constants}):",
        "  def transform(p):",
        "   if type(p) is not dict: refused(p)",
        "   try:",
        *emitter.lines,
        f"        return {there}{result.text}",
        "   except RecursionError:",
        "        nested()",
        "  return transform",
    ])  # fmt: skip


def _made(emitter: Emitter, result: Value) -> Transform:
    code = builtins.compile(source_of(emitter, result), "<mapping>", "exec")
    texts = {name: text for text, name in emitter.texts.items()}
    space: dict[str, Any] = {"__builtins__": _BUILTINS}
    exec(_with_texts(code, texts), space)  # noqa: S102 - our own source; authors' text comes as constants
    made: Transform = space["make"](UNDEFINED, {}, _refused, _nested, *emitter.constants.values())
    return made


def _with_texts(code: CodeType, texts: dict[str, str]) -> CodeType:
    """Return the code with the authors' texts among its constants, which is where they are read fastest."""

    def put(constant: Any) -> Any:
        if isinstance(constant, CodeType):
            return _with_texts(constant, texts)
        if isinstance(constant, tuple):
            return tuple(map(put, constant))
        return texts.get(constant, constant) if isinstance(constant, str) else constant

    return code.replace(co_consts=tuple(map(put, code.co_consts)))


def _interpreting(root: Any, resolver: Resolver) -> Transform:
    def transform(payload: dict[str, Any]) -> Any:
        if type(payload) is not dict:
            _refused(payload)
        try:
            return as_json(resolver.resolve(root, payload))
        except RecursionError:
            _nested()

    return transform


def _refused(payload: Any) -> None:
    raise MappingError(f"data must be an object, got {type_of(payload)}")


def _nested() -> None:
    raise MappingError(_NESTED) from None

"""Mappings compiled once, for the hot path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.errors import MappingError
from adapter.mapping.directives import DIRECTIVES
from adapter.mapping.emit import Emitter
from adapter.mapping.interpret import Resolver, Tables, root_of
from adapter.mapping.reference import validate
from adapter.mapping.values import UNDEFINED, as_json, type_of

#: A compiled mapping: from a payload to what it becomes.
Transform = Callable[[dict[str, Any]], Any]

_NESTED = "the payload or the mapping is nested too deeply"
_BUILTINS = {"dict": dict, "list": list, "str": str, "type": type, "KeyError": KeyError,
             "RecursionError": RecursionError}  # fmt: skip


def compile(mapping: Any, *, tables: Tables | None = None) -> Transform:  # noqa: A001 - the verb is right
    """Return the mapping as a function of the payload, which raises MappingError.

    Raises InvalidMapping when the mapping is wrong. The mapping must not be changed afterwards.
    """
    root = root_of(mapping)
    validate(root, DIRECTIVES)
    resolver = Resolver(DIRECTIVES, tables)
    emitter = Emitter(DIRECTIVES, resolver)
    try:
        return _made(emitter, emitter.value(root, final=True).text)
    except (SyntaxError, RecursionError, MemoryError):  # too deep for Python's own compiler
        return _interpreting(root, resolver)


def source(mapping: Any) -> str:
    """Return the Python source that `compile` makes, for those who want to see it."""
    emitter = Emitter(DIRECTIVES, Resolver(DIRECTIVES))
    return _source(emitter, emitter.value(root_of(mapping), final=True).text)


def _source(emitter: Emitter, result: str) -> str:
    constants = ", ".join(["U", "refused", "nested", *emitter.constants])
    return "\n".join([
        f"def make({constants}):",
        "  def transform(p):",
        "   if type(p) is not dict: refused(p)",
        "   try:",
        "        pass",
        *emitter.lines,
        f"        r = {result}",
        "        return None if r is U else r",
        "   except RecursionError:",
        "        nested()",
        "  return transform",
    ])  # fmt: skip


def _made(emitter: Emitter, result: str) -> Transform:
    space: dict[str, Any] = {"__builtins__": _BUILTINS}
    exec(_source(emitter, result), space)  # noqa: S102 - our own source; authors' text comes as constants
    made: Transform = space["make"](UNDEFINED, _refused, _nested, *emitter.constants.values())
    return made


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

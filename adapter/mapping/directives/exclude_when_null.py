"""`@excludeWhenNull`: null removed, also from nested objects, not from lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive
from adapter.mapping.engine.options import Raw
from adapter.mapping.engine.values import UNDEFINED

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    return without_nulls(resolver.resolve(options, payload))


def without_nulls(value: Any) -> Any:
    """Return the value with UNDEFINED for null: itself, and members of objects at any depth."""
    if value is None:
        return UNDEFINED
    if type(value) is not dict:
        return value
    return {key: without_nulls(item) for key, item in value.items()}


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    value = emitter.value(options, final=False)
    return Value(emitter.call(without_nulls, value.text), holed=True)


EXCLUDE_WHEN_NULL = Directive("@excludeWhenNull", Raw(), _run, _emit, removes=True)

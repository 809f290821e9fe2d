"""`@literal`: the value itself; directives inside it run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive
from adapter.mapping.engine.options import Raw

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    return resolver.resolve(options, payload)


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    return emitter.value(options, final=final)


LITERAL = Directive("@literal", Raw(), _run, _emit, literal=True)

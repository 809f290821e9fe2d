"""`@literal`: the value itself; directives inside it run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.mapping.directive import Directive
from adapter.mapping.emit import Value
from adapter.mapping.shapes import Raw

if TYPE_CHECKING:
    from adapter.mapping.emit import Emitter
    from adapter.mapping.interpret import Resolver


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    return resolver.resolve(options, payload)


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    return emitter.value(options, final=final)


LITERAL = Directive("@literal", Raw(), _run, _emit)

"""`@transform`: a mapping over the result of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.engine.codegen import Scope, Value, object_payload
from adapter.mapping.engine.directive import Directive
from adapter.mapping.engine.directive_object import is_directive
from adapter.mapping.engine.interpret import ROOT_DIRECTIVE
from adapter.mapping.engine.options import Members, Option, Options
from adapter.mapping.engine.values import is_truthy, remove_undefined

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not dict:
        raise MappingError('@transform requires an object with an "apply" key and a "mapping" key')
    for key in ("mapping", "apply"):
        if not is_truthy(options.get(key)):
            raise MappingError(f'@transform requires a "{key}" key')
    if type(options["apply"]) is not dict:
        raise MappingError('@transform "apply" key should be an object')
    applied = resolver.transform(options["apply"], payload)
    return resolver.resolve(options["mapping"], applied)


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    apply = options["apply"]
    if ROOT_DIRECTIVE in apply:
        mapping = emitter.constant({"@transform": options})
        return Value(emitter.call(emitter.resolver.resolve, mapping, emitter.scope.payload), holed=True)
    payload = emitter.name()
    emitter.line(f"{payload} = {emitter.call(object_payload, emitter.scope.payload)}")
    with emitter.within(Scope(payload, is_object=True, holed=emitter.scope.holed)):
        applied = emitter.stored(emitter.value(apply, final=False))
    if applied.holed:
        applied = emitter.stored(
            Value(emitter.call(remove_undefined, applied.text), applied.misses, holed=True)
        )
    with emitter.within(Scope(applied.text, is_object=not is_directive(apply), holed=applied.holed)):
        return emitter.value(options["mapping"], final=final)


_OPTIONS = {
    "apply": Option(Members(), required=True),
    "mapping": Option(Members(), required=True),
}

TRANSFORM = Directive("@transform", Options(_OPTIONS), _run, _emit, scopes=("mapping",))

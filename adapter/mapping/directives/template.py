"""`@template`: text with `{{placeholders}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.directives import _templates
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive, Report
from adapter.mapping.engine.options import Text
from adapter.mapping.engine.values import type_of

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver


def _run(options: Any, payload: Any, resolver: Resolver) -> str:
    template = resolver.resolve(options, payload)
    if type(template) is not str:
        raise MappingError(f"@template: expected string, got {type_of(template)}")
    return _templates.render(template, payload, resolver.read)


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    if type(options) is not str:
        value = emitter.value(options, final=False)
        text = emitter.call(_rendered, value.text, emitter.scope.payload)
        return Value(text, misses=False)
    if _templates.has_triple(options):
        text = emitter.call(_templates.render, emitter.constant(options), emitter.scope.payload)
        return Value(text, misses=False)
    shown = [_piece(piece, holds, emitter) for piece, holds in _templates.pieces(options) if piece]
    return Value(f"f'{''.join(shown)}'", misses=False)


def _piece(piece: str, is_placeholder: bool, emitter: Emitter) -> str:
    if not is_placeholder:
        return emitter.text(piece)
    value = emitter.stored(emitter.read(_templates.key_of(piece))).text
    return f"{{{value} if type({value}) is str else {emitter.call(_templates.shown, value)}}}"


def _rendered(template: Any, payload: Any) -> str:
    if type(template) is not str:
        raise MappingError(f"@template: expected string, got {type_of(template)}")
    return _templates.render(template, payload)


def _lint(options: Any, report: Report) -> None:
    if type(options) is not str:
        return
    for key in _templates.placeholders(options):
        if key.startswith("$."):
            report(
                (), f"`{{{{{key}}}}}` is never filled: templates do not drop `$.`", f"write {{{{{key[2:]}}}}}"
            )
        elif "|" in key or key.startswith(("#", "/", "%")):
            report(
                (),
                f"`{{{{{key}}}}}` is no path: `@template` knows neither filters nor blocks",
                "use `@liquid`",
            )
    if options.count("{{") != options.count("}}"):
        report((), "braces do not close", "write {{path}}")


def _reads(options: Any) -> list[str]:
    return _templates.placeholders(options) if isinstance(options, str) else []


TEMPLATE = Directive("@template", Text(), _run, _emit, _lint, result="text", reads=_reads)

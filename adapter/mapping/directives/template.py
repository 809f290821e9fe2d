"""`@template`: text with `{{placeholders}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping import templates
from adapter.mapping.directive import Directive, Report
from adapter.mapping.emit import Value
from adapter.mapping.shapes import Text
from adapter.mapping.values import type_of

if TYPE_CHECKING:
    from adapter.mapping.emit import Emitter
    from adapter.mapping.interpret import Resolver


def _run(options: Any, payload: Any, resolver: Resolver) -> str:
    template = resolver.resolve(options, payload)
    if type(template) is not str:
        raise MappingError(f"@template: expected string, got {type_of(template)}")
    return templates.render(template, payload, resolver.read)


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    if type(options) is not str:
        value = emitter.value(options, final=False)
        text = emitter.call(_rendered, value.text, emitter.scope.payload)
        return Value(text, misses=False)
    if templates.has_triple(options):
        text = emitter.call(templates.render, emitter.constant(options), emitter.scope.payload)
        return Value(text, misses=False)
    shown = [_piece(piece, holds, emitter) for piece, holds in templates.pieces(options) if piece]
    return Value(f"f'{''.join(shown)}'", misses=False)


def _piece(piece: str, is_placeholder: bool, emitter: Emitter) -> str:
    if not is_placeholder:
        return emitter.text(piece)
    value = emitter.stored(emitter.read(templates.key_of(piece))).text
    return f"{{{value} if type({value}) is str else {emitter.call(templates.shown, value)}}}"


def _rendered(template: Any, payload: Any) -> str:
    if type(template) is not str:
        raise MappingError(f"@template: expected string, got {type_of(template)}")
    return templates.render(template, payload)


def _lint(options: Any, report: Report) -> None:
    if type(options) is not str:
        return
    for key in templates.placeholders(options):
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


TEMPLATE = Directive("@template", Text(), _run, _emit, _lint)

"""`@liquid`: a Liquid template over the payload's members; always text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.files.problems import did_you_mean
from adapter.mapping import liquid
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive, Report
from adapter.mapping.engine.options import Plain

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver


def _run(options: Any, payload: Any, resolver: Resolver) -> str:
    if type(options) is not str:
        raise MappingError("liquid template value must be a string")
    return liquid.render(options, payload)


def _lint(options: Any, report: Report) -> None:
    if message := liquid.problem(options):
        report((), f"the Liquid template does not parse: {message}", "mend the template")
        return
    for doubt, remedy in liquid.doubts(options):
        report((), doubt, remedy)
    known = liquid.usable()
    for name in liquid.filters_of(options):
        if name in liquid.DISABLED_FILTERS:
            report((), f"the Liquid filter `{name}` is switched off, here and at Segment", "leave it out")
        elif name in liquid.RANDOM_FILTERS:
            report(
                (), f"the Liquid filter `{name}` picks at random: a mapping has one result", "leave it out"
            )
        elif name not in known:
            report((), f"no Liquid at Segment knows a filter `{name}`", did_you_mean(name, known))


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    return Value(emitter.call(liquid.render, emitter.constant(options), emitter.scope.payload), misses=False)


LIQUID = Directive("@liquid", Plain(), _run, _emit, _lint, result="text")

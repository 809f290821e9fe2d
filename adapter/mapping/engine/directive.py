"""What a directive is: a name, the shape of its options, and how it runs and compiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapter.mapping.engine.codegen import Emitter, Value
from adapter.mapping.engine.interpret import Resolver
from adapter.mapping.engine.options import Shape

#: Reports a finding at a path below the directive: path, message, remedy.
Report = Callable[[tuple[str | int, ...], str, str], None]


@dataclass(frozen=True)
class Directive:
    """One `@`-word.

    `run(options, payload, resolver)` yields the raw value, UNDEFINED included; `emit(options, emitter,
    final)` writes Python source that yields the same; where it is None the compiled mapping calls `run`.
    Where `final`, the value goes straight to the output, and UNDEFINED inside may be left out already.
    `lint(options, report)` finds what the shape cannot say; it sees only well-shaped options.
    `portable` is False for our extensions, which Segment does not know.
    """

    name: str
    shape: Shape
    run: Callable[[Any, Any, Resolver], Any]
    emit: Callable[[Any, Emitter, bool], Value] | None = None
    lint: Callable[[Any, Report], None] | None = None
    portable: bool = True

"""What a directive is: a name, the shape of its options, and how it runs and compiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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


def is_directive(value: Any) -> bool:
    """Tell whether every key starts with `@` or is `_metadata`, and at least one with `@`."""
    if type(value) is not dict:
        return False
    found = False
    for key in value:
        if key[:1] == "@":
            found = True
        elif key != "_metadata":
            return False
    return found


def name_of(value: Mapping[str, Any]) -> str:
    """Return the first `@` key of a directive object."""
    return next(key for key in value if key[:1] == "@")

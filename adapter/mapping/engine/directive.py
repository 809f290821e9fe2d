"""What a directive is: a name, its options, how it runs and compiles, and what checks know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from adapter.mapping.engine.codegen import Emitter, Value
from adapter.mapping.engine.interpret import Resolver
from adapter.mapping.engine.options import Shape

Keys = tuple[str | int, ...]
#: Reports a finding at a path below the directive: path, message, remedy.
Report = Callable[[Keys, str, str], None]
#: Values inside the options, each with the keys that lead to it; none where the options are ill-shaped.
Parts = Callable[[Any], Iterable[tuple[Keys, Any]]]
ResultType = Literal["text", "number", "boolean", "datetime", "money", "object", "list"]


class Branches(NamedTuple):
    """Values of which a directive yields one.

    `taken(options, payload, resolver)` is the last of the keys that lead to the one that it yields, None
    where there is none.
    """

    of: Parts
    taken: Callable[[Any, Any, Resolver], str | int | None]


@dataclass(frozen=True)
class Directive:
    """One `@`-word.

    `run(options, payload, resolver)` yields the raw value, UNDEFINED included; `emit(options, emitter,
    final)` writes Python source that yields the same; where it is None the compiled mapping calls `run`.
    Where `final`, the value goes straight to the output, and UNDEFINED inside may be left out already.
    `lint(options, report)` finds what the shape cannot say; it sees only well-shaped options.
    `portable` is False for our extensions, which Segment does not know.

    The others are what the checks of files know of it; their functions see ill-shaped options too.
    `result` is the type of every value that it yields, other than null and UNDEFINED.
    `scopes` are the options (by name, or index in a list) that read another document, as an item of a list.
    `branches` and `merges` are the values that it chooses from, or whose members it joins.
    `reads(options)` are the paths that it reads itself. `doubt(options, report)` warns of what works and is
    hardly meant.
    One that `looks_up` has the options `table`, `spelling`, `value` and `default` of `@lookup`.
    One that is `literal` yields its options, in which no text is taken for a path. A member with one that
    `removes` is not written.
    """

    name: str
    shape: Shape
    run: Callable[[Any, Any, Resolver], Any]
    emit: Callable[[Any, Emitter, bool], Value] | None = None
    lint: Callable[[Any, Report], None] | None = None
    portable: bool = True
    result: ResultType | None = None
    scopes: tuple[str | int, ...] = ()
    branches: Branches | None = None
    merges: Parts | None = None
    reads: Callable[[Any], list[str]] | None = None
    doubt: Callable[[Any, Report], None] | None = None
    looks_up: bool = False
    literal: bool = False
    removes: bool = False

    @property
    def parts(self) -> Parts | None:
        """The values inside the options of which the result is made as they are."""
        return self.merges if self.branches is None else self.branches.of

    def unscoped(self, options: Any) -> Any:
        """Return the options with null for those that read another document."""
        if self.scopes and isinstance(options, dict):
            return {key: None if key in self.scopes else inner for key, inner in options.items()}
        if self.scopes and isinstance(options, list):
            return [None if index in self.scopes else item for index, item in enumerate(options)]
        return options

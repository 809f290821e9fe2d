"""`@path`: the value at a path."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.engine import paths
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive, Report
from adapter.mapping.engine.options import Text
from adapter.mapping.engine.values import type_of

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver


_UNQUOTED = re.compile(r"\[[A-Za-z_$]")
_QUOTED = re.compile(r"""\[(["'])([^"']*)\1\]""")
_NEGATIVE = re.compile(r"\[-[0-9]+\]|\[0[0-9]+\]")


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    path = as_path(resolver.resolve(options, payload))
    return resolver.read(payload, path)


def as_path(value: Any) -> str:
    """Return the path without its `$.`; raises MappingError when it is no text."""
    if type(value) is not str:
        raise MappingError(f"@path: expected string, got {type_of(value)}")
    return paths.without_root(value)


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    if type(options) is str:
        return emitter.read(paths.without_root(options))
    path = emitter.call(as_path, emitter.value(options, final=False).text)
    found = Value(emitter.call(paths.get, emitter.scope.payload, path), holed=emitter.scope.holed)
    return emitter.stored(found)


def _lint(options: Any, report: Report) -> None:
    if type(options) is str:
        lint_path(options, lambda message, remedy: report((), message, remedy))


def lint_path(path: str, report: Callable[[str, str], None]) -> None:
    """Report what makes a path find nothing, or something else than it says."""
    if path == "$":
        report("`$` alone finds nothing", "write `$.` for the whole message")
    elif path != path.strip():
        report("the path has spaces around it, and finds nothing", f"write `{path.strip()}`")
    elif path.startswith("$") and path[1:2] == "[":
        report("`$[` finds nothing", "write `$.` and the name")
    elif "*" in path or "?(" in path:
        report("wildcards and filters are not known in paths", "use `@arrayPath` or `@map` over the list")
    elif _UNQUOTED.search(path):
        report("a name in brackets needs quotes", "write `.name` or `['name']`")
    elif any("." in name for _, name in _QUOTED.findall(path)):
        report(
            "quotes do not protect a dot: the path is split there all the same",
            "such a key cannot be reached",
        )
    elif _NEGATIVE.search(path):
        report("an index counts from 0 and is not negative", "write `[0]` for the first item")


def reads(options: Any) -> list[str]:
    """Return the path in a list; none where a directive yields it."""
    return [paths.without_root(options)] if isinstance(options, str) else []


PATH = Directive("@path", Text(), _run, _emit, _lint, reads=reads)

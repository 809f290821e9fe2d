"""`@replace`: one piece of text for another, twice if wanted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive, Report
from adapter.mapping.engine.javascript import code_units, joined_units, length, text
from adapter.mapping.engine.options import Flag, Option, Options, Plain, Text, Whatever
from adapter.mapping.engine.values import UNDEFINED, is_number, is_truthy

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver

MOST = 10
_REFERENCE = re.compile(r"\$[$&`']")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not dict:
        raise MappingError('@replace requires an object with a "pattern" key')
    if not is_truthy(options.get("pattern")):
        raise MappingError('@replace requires a "pattern" key')
    if not is_truthy(options.get("value")):
        return UNDEFINED
    return replacer(options)(resolver.resolve(options["value"], payload))


def replacer(options: dict[str, Any]) -> Callable[[Any], str]:
    """Return the function from a value to its text with the replacements made; '' for no text."""
    pattern, replacement = options["pattern"], _or(options.get("replacement"), "")
    everywhere, folded = _or(options.get("global"), True), _or(options.get("ignorecase"), False)
    if (
        type(pattern) is not str
        or type(replacement) is not str
        or bool is not type(everywhere)
        or (type(folded) is not bool)
    ):
        return lambda value: ""
    passes = [(pattern, replacement), *_second(options)]
    steps = [_step(wanted, given, everywhere, folded) for wanted, given in passes]

    def replaced(value: Any) -> str:
        if type(value) is not str:
            if type(value) is not bool and not is_number(value):
                return ""
            value = text(value)
        for step in steps:
            value = step(value)
        return str(value)

    return replaced


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _second(options: dict[str, Any]) -> list[tuple[str, str]]:
    pattern, replacement = options.get("pattern2"), _or(options.get("replacement2"), "")
    return [(pattern, replacement)] if type(pattern) is str and pattern and type(replacement) is str else []


def _step(pattern: str, replacement: str, everywhere: bool, folded: bool) -> Callable[[str], str]:
    for name, given in (("pattern", pattern), ("replacement", replacement)):
        if length(given) > MOST:
            return _refusing(f'@replace requires a "{name}" less than {MOST} characters')
    count = -1 if everywhere else 1
    if not folded and "$" not in replacement and not _SURROGATE.search(pattern):
        return lambda value: value.replace(pattern, replacement, count)
    return lambda value: _replace(value, pattern, replacement, count, folded)


def _refusing(message: str) -> Callable[[str], str]:
    def refuse(value: str) -> str:
        raise MappingError(message)

    return refuse


def _replace(value: str, pattern: str, replacement: str, count: int, folded: bool) -> str:
    units, wanted = code_units(value), code_units(pattern)
    searched = _fold(units) if folded else units
    if folded:
        wanted = _fold(wanted)
    pieces: list[str] = []
    end = 0
    while count and (start := searched.find(wanted, end)) >= 0:
        after = start + len(wanted)
        pieces += units[end:start], _expanded(replacement, units, start, after)
        end = after
        count -= 1
    return joined_units("".join(pieces) + units[end:])


def _expanded(replacement: str, units: str, start: int, after: int) -> str:
    means = {"$$": "$", "$&": units[start:after], "$`": units[:start], "$'": units[after:]}
    return _REFERENCE.sub(lambda found: means[found[0]], code_units(replacement))


def _fold(units: str) -> str:
    """Fold case as a JavaScript `i` flag without `u` does (ECMA-262 §22.2.2.7.3)."""
    return "".join(map(_fold_unit, units))


def _fold_unit(unit: str) -> str:
    upper = unit.upper()
    if len(upper) != 1 or ord(upper) > 0xFFFF or (ord(unit) >= 128 > ord(upper)):
        return unit
    return upper


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    if not is_truthy(options.get("value")):
        return Value("U")
    value = emitter.stored(emitter.value(options["value"], final=False))
    changed = emitter.call(replacer(options), value.text)
    pattern, replacement = options["pattern"], options.get("replacement", "")
    if _is_plain(options) and not options.get("pattern2"):
        plain = f"{value.text}.replace({emitter.quoted(pattern)}, {emitter.quoted(replacement)})"
        changed = f"({plain} if type({value.text}) is str else {changed})"
    return Value(changed, misses=False)


def _is_plain(options: dict[str, Any]) -> bool:
    special = options.get("ignorecase") or options.get("global") is False
    return (
        not special
        and "$" not in options.get("replacement", "")
        and not _SURROGATE.search(options["pattern"])
    )


def _lint(options: Any, report: Report) -> None:
    for name in ("pattern2", "replacement2"):
        given = options.get(name, "")
        if type(given) is not str:
            report((name,), f"`{name}` is not text, and is ignored", "write plain text")
        elif length(given) > MOST:
            report((name,), "the text is too long", f"at most {MOST} characters")


_OPTIONS = {
    "pattern": Option(Plain(least=1, most=MOST), required=True),
    "replacement": Option(Plain(least=0, most=MOST)),
    "value": Option(Text(), required=True),
    "ignorecase": Option(Flag()),
    "global": Option(Flag()),
    "pattern2": Option(Whatever(), checked=False),
    "replacement2": Option(Whatever(), checked=False),
}

REPLACE = Directive("@replace", Options(_OPTIONS), _run, _emit, _lint, result="text")

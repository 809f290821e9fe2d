"""`@regex`: what a regular expression finds in text, or replaces. Ours; Segment does not know it.

The expressions are RE2's, whose time grows with the text alone: no expression can hold up the server.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import Any

from adapter.errors import MappingError
from adapter.mapping.directives._conversions import absent, is_absent
from adapter.mapping.directives._converting import Conversion, converting, refuse_kind
from adapter.mapping.engine.directive import Report
from adapter.mapping.engine.javascript import text
from adapter.mapping.engine.options import Option, Options, Plain, Raw
from adapter.mapping.engine.values import UNDEFINED, is_number
from adapter.model.patterns import pattern

_MODES = ("match", "extract", "replace")
#: Longer text is refused: replacing each character of it would make a message very large.
_LONGEST = 20_000
_REFERENCE = re.compile(r"\\([0-9])")
_EXPRESSION = Plain(least=1, most=500)
_OPTIONS = {
    "value": Option(Raw(), required=True),
    **{mode: Option(_EXPRESSION) for mode in _MODES},
    "with": Option(Plain(most=100)),
    "default": Option(Raw()),
}
_compiled = lru_cache(maxsize=512)(pattern)


def _conversion(options: Any) -> Conversion:
    modes = [mode for mode in _MODES if mode in options] if type(options) is dict else []
    if len(modes) != 1 or "value" not in options or type(options[modes[0]]) is not str:
        raise MappingError('@regex requires a "value" key and one of "match", "extract" and "replace"')
    expression = _compiled(options[modes[0]])
    if expression is None:
        raise MappingError("@regex requires a regular expression that RE2 can read")
    if modes[0] == "match":
        return Conversion((options["value"],), partial(found, expression=expression))
    if modes[0] == "extract":
        arguments = (options["value"], options.get("default", UNDEFINED))
        taken = partial(extracted, expression=expression, needed="default" not in options)
        return Conversion(arguments, taken)
    by = options.get("with", "")
    if type(by) is not str or _beyond(by, expression):
        raise MappingError('@regex requires text under "with", with groups that "replace" has')
    return Conversion((options["value"],), partial(replaced, expression=expression, by=by))


def _beyond(by: str, expression: Any) -> list[str]:
    return [digit for digit in _REFERENCE.findall(by.replace("\\\\", "")) if int(digit) > expression.groups]


def _text_of(value: Any) -> str:
    """Return the text to search; raises MappingError for what is no text, number or boolean."""
    if type(value) is bool or is_number(value):
        return text(value) if type(value) is not int else str(value)
    if type(value) is not str:
        refuse_kind("@regex", value, "text")
    try:
        value.encode()
    except UnicodeEncodeError:
        refuse_kind("@regex", value, "text of whole characters")
    return value if len(value) <= _LONGEST else refuse_kind("@regex", value, f"text of at most {_LONGEST}")


def found(value: Any, *, expression: Any) -> Any:
    """Return whether the expression is found anywhere in the text."""
    return absent(value) if is_absent(value) else expression.search(_text_of(value)) is not None


def extracted(value: Any, default: Any, *, expression: Any, needed: bool) -> Any:
    """Return the named groups as an object, else the first group, else the whole that was found.

    Where nothing is found, `default`, or MappingError where a match is `needed`.
    """
    if is_absent(value):
        return absent(value)
    match = expression.search(_text_of(value))
    if match is None:
        return refuse_kind("@regex", value, "of the form that `extract` wants") if needed else default
    if expression.groupindex:
        return {name: part for name, part in match.groupdict().items() if part is not None}
    part = match.group(1 if expression.groups else 0)
    return UNDEFINED if part is None else part


def replaced(value: Any, *, expression: Any, by: str) -> Any:
    """Return the text with every occurrence replaced; UNDEFINED where nothing but blanks is left."""
    if is_absent(value):
        return absent(value)
    left = expression.sub(by, _text_of(value))
    return left if left.strip() else UNDEFINED


def _lint(options: Any, report: Report) -> None:
    modes = [mode for mode in _MODES if mode in options]
    if len(modes) != 1:
        message = f"`@regex` does one thing, and is asked for {' and '.join(modes) or 'none'}"
        report((), message, "write one of `match`, `extract` and `replace`")
        return
    (mode,) = modes
    expression = pattern(options[mode])
    if expression is None:
        remedy = "write it in the syntax of RE2, which has no lookaround and no backreferences"
        report((mode,), f"`{options[mode]}` is not a regular expression that RE2 can read", remedy)
        return
    for option, owner in (("with", "replace"), ("default", "extract")):
        if option in options and owner != mode:
            report((option,), f"`{option}` belongs to `{owner}`", f"leave it out of `{mode}`")
    if mode == "extract" and expression.groups > 1 and len(expression.groupindex) < expression.groups:
        message = "several groups give an object, in which each needs a name"
        report((mode,), message, "write (?P<name>…), or (?:…) for a group that is not wanted")
    if mode == "replace" and (beyond := _beyond(options.get("with", ""), expression)):
        report(("with",), f"`replace` has no group {beyond[0]}", "write \\1 for the first group, \\0 for all")


REGEX = converting("@regex", Options(_OPTIONS, one_of=_MODES), _conversion, _lint)

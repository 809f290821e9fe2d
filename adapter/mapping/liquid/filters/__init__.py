"""Liquid's filters by their names, each as a function of the context, the value and the arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from functools import wraps
from typing import Any, NoReturn

from adapter.mapping.engine import javascript
from adapter.mapping.liquid.context import Context, Failed
from adapter.mapping.liquid.filters import dates, encoding, lists, numbers, text
from adapter.mapping.liquid.values import Literal, plain

#: A filter, as templates call it.
Run = Callable[..., Any]

#: Filters that mapping-kit's liquid-directive.ts (segmentio/action-destinations) switches off.
DISABLED_FILTERS = (
    "array_to_sentence_string", "concat", "find", "find_exp", "find_index", "find_index_exp", "group_by",
    "group_by_exp", "has", "has_exp", "map", "newline_to_br", "reject", "reject_exp", "reverse", "sort",
    "sort_natural", "uniq", "where_exp", "type",
)  # fmt: skip
#: Filters that Segment runs, and whose results depend on more than the message.
RANDOM_FILTERS = ("sample",)
_RUN: dict[str, Run] = {
    **text.FILTERS, **numbers.FILTERS, **lists.FILTERS, **dates.FILTERS, **encoding.FILTERS,
}  # fmt: skip
_MANY = inspect.Parameter.VAR_POSITIONAL
#: Filters that keep literals such as `empty` apart from the values that they mean.
_OF_LITERALS = frozenset({"push", "unshift", "where", "json", "jsonify", "inspect"})


#: Filters that may hand on the value that they are given.
_PASSING = frozenset({"raw", "truncate", *dates.FILTERS})
#: Filters that ask whether an argument is there, which such a word always is to liquidjs.
_TESTING = frozenset({"strip", "lstrip", "rstrip", "sum", "slugify"})


def usable() -> list[str]:
    """Return the names of the filters that templates can use."""
    return sorted(_RUN)


def find(name: str) -> Run:
    """Return the filter of a name; one that no Liquid knows leaves the value as it is, as at Segment."""
    return _FILTERS.get(name, _unchanged)


def doubts(name: str, written: list[Any], named: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the written value and arguments of a filter, and the remedy."""
    if name in _RUN and set(named) - ({"allow_false"} if name == "default" and len(written) > 1 else set()):
        yield f"the Liquid filter `{name}` takes no argument by the name `{min(named)}`", "leave the name out"
    if name in _TESTING and any(type(part) is Literal for part in written[1:]):
        yield f"the Liquid filter `{name}` takes no such word as `empty` here", "write text in quotes"
    if name in dates.FILTERS:
        yield from dates.doubts(written)
    if name in encoding.OF_JSON and len(written) > 1:
        yield f"the Liquid filter `{name}` takes no argument here", "leave the argument out"


def _counted(name: str, run: Run) -> Run:
    kinds = [one.kind for one in inspect.signature(run).parameters.values()]
    taken = None if _MANY in kinds else kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD) - 2
    literals, tests, passes = name in _OF_LITERALS, name in _TESTING, name in _PASSING

    @wraps(run)
    def counted(context: Context, value: Any, *arguments: Any, **named: Any) -> Any:
        if named and (name != "default" or not arguments or named.keys() - {"allow_false"}):
            raise Failed(f'filter "{name}" takes no argument by the name `{min(named)}` here')
        if tests and any(type(argument) is Literal for argument in arguments):
            raise Failed(f'filter "{name}" takes no such word as `empty` here')
        given = value
        if not literals:
            value, arguments = plain(value), tuple(map(plain, arguments))
        context.walk(value)
        made = run(context, value, *arguments[:taken], **named)
        context.walk(made)
        if passes and type(given) is Literal and made == plain(given):
            return given
        return javascript.joined_units(made) if type(made) is str and not made.isascii() else made

    return counted


def _unchanged(context: Context, value: Any, *arguments: Any, **named: Any) -> Any:
    return value


def _refusing(message: str) -> Run:
    def refuse(context: Context, value: Any, *arguments: Any, **named: Any) -> NoReturn:
        raise Failed(message)

    return refuse


_FILTERS: dict[str, Run] = {
    **{name: _counted(name, run) for name, run in _RUN.items()},
    **{name: _refusing(f'filter "{name}" is disabled') for name in DISABLED_FILTERS},
    **{name: _refusing(f'filter "{name}" picks at random') for name in RANDOM_FILTERS},
}

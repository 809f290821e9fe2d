"""Liquid templates through python-liquid, with mapping-kit's limits.

The same tags and filters are disabled as in packages/core/src/mapping-kit/liquid-directive.ts of
segmentio/action-destinations, unknown filters are ignored, values print as JavaScript prints them, and a
template has at most 1,000 characters. The reference stops a template after 100 MB or half a second. We count
what it does instead, so that the same template on the same payload always ends alike: each character that is
made, and by their weights each that a filter walks and each item of a list or a range. With loops disabled
`MOST_MADE` of these bound the time too, to about a second. Nor does a date come from the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any, NoReturn, TextIO

from dateutil import parser
from liquid import BoundTemplate, Environment, Mode, RenderContext, Undefined
from liquid.ast import Node
from liquid.builtin.expressions.filtered import FilteredExpression
from liquid.builtin.expressions.primitive import RangeLiteral, StringLiteral
from liquid.builtin.illegal import Illegal
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.exceptions import LiquidError, LiquidSyntaxError
from liquid.expression import Expression
from liquid.filter import with_context
from liquid.tag import Tag

from adapter.errors import MappingError
from adapter.mapping import javascript
from adapter.mapping.values import UNDEFINED

LONGEST = 1000
MOST_MADE = 100_000_000

#: What a character costs that a filter walks, and an item: so many times longer than making one takes it.
_WALKED, _ITEM = 20, 100
#: No date is longer; what parses them takes its time over text that is none.
_LONGEST_DATE = 100

DISABLED_TAGS = ("case", "for", "include", "layout", "render", "tablerow")
DISABLED_FILTERS = (
    "array_to_sentence_string", "concat", "find", "find_exp", "find_index", "find_index_exp", "group_by",
    "group_by_exp", "has", "has_exp", "map", "newline_to_br", "reject", "reject_exp", "reverse", "sort",
    "sort_natural", "uniq", "where_exp", "type",
)  # fmt: skip
#: Filters whose text arguments python-liquid would print its own way.
_OF_TEXT = (
    "append", "capitalize", "downcase", "escape", "escape_once", "lstrip", "prepend", "remove",
    "remove_first", "remove_last", "replace", "replace_first", "replace_last", "rstrip", "slice",
    "split", "squish", "strip", "strip_html", "strip_newlines", "truncate", "truncatewords", "upcase",
    "url_decode", "url_encode", "base64_decode", "base64_encode",
)  # fmt: skip
_REPLACING = frozenset({"replace", "replace_first", "replace_last"})
_MADE = "characters_made"
#: What the filter `date` takes for the moment of its call elsewhere.
_CLOCK = frozenset({"now", "today"})
#: Of these a date has what it leaves out, as in JavaScript: `May 5` is one of 2001.
_LEFT_OUT = datetime(2001, 1, 1)  # noqa: DTZ001 - a text without a zone has none


def render(template: str, payload: Any) -> str:
    """Return the template filled from the payload, its members as the top names; raises MappingError."""
    if not template:
        return ""
    try:
        return parsed(template).render(payload if type(payload) is dict else {})
    except LiquidError as error:
        raise MappingError(_message(error, template)) from None
    except (ArithmeticError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise MappingError(f"liquid template failed: {error}") from None


@lru_cache(maxsize=1024)
def parsed(template: str) -> BoundTemplate:
    """Return the template parsed; raises LiquidError, and MappingError over 1,000 characters."""
    if javascript.length(template) > LONGEST:
        raise MappingError(f"liquid template values are limited to {LONGEST} characters")
    made = _ENVIRONMENT.from_string(template)
    context = RenderContext(made)
    for node in made.nodes:
        for expression in _expressions(node, context):
            _bound_ranges(expression)
    return made


def problem(template: str) -> str | None:
    """Return what is wrong with a template as its author wrote it, if anything."""
    try:
        if template:
            parsed(template)
    except LiquidError as error:
        return _message(error, template)
    except MappingError as error:
        return error.message
    return None


def filters_of(template: str) -> list[str]:
    """Return the filters that a template which parses names, each once, in the order of their names."""
    return sorted(parsed(template).analyze(include_partials=False).filters) if template else []


def reads_clock(template: str) -> bool:
    """Say whether a template which parses writes `now` or `today` where the filter `date` takes it."""
    made = parsed(template)
    context = RenderContext(made)
    return any(_dates_clock(expression) for node in made.nodes for expression in _expressions(node, context))


def _dates_clock(expression: Expression) -> bool:
    if not isinstance(expression, FilteredExpression) or all(
        one.name != "date" for one in expression.filters or ()
    ):
        return False
    return any(isinstance(part, StringLiteral) and part.value in _CLOCK for part in expression.children())


def usable_filters() -> list[str]:
    """Return the names of the filters that there are, without those that are disabled."""
    return sorted(_ENVIRONMENT.filters.keys() - set(DISABLED_FILTERS))


def _message(error: LiquidError, template: str) -> str:
    token = error.token
    start = max(token.start_index, 0) if token else 0
    opening = max(template.rfind("{%", 0, start + 2), template.rfind("{{", 0, start + 2), 0)
    line = template.count("\n", 0, opening) + 1
    column = opening - (template.rfind("\n", 0, opening) + 1) + 1
    return f"{_text(str(error.message), template[opening:])}, line:{line}, col:{column}"


def _text(message: str, rest: str) -> str:
    if "found end of file" in message and rest.startswith("{{"):
        return f'output "{rest}" not closed'
    if "delimiter" in message and rest.startswith("{%"):
        return f'tag "{rest}" not closed'
    if message.startswith("expected tag") and "found end" in message and rest.startswith("{%"):
        return f"tag {rest[: rest.find('%}') + 2]} not closed"
    return message


class _Node(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(_counted(self.expression.evaluate(context), context))


class _EchoNode(EchoNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(_counted(self.expression.evaluate(context), context))


class _Range(RangeLiteral):
    """A range whose items count when it is made, whatever is done with it."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> range:
        made = super().evaluate(context)
        _count(context, (made.stop - made.start) * _ITEM)
        return made


def _expressions(node: Node, context: RenderContext) -> Iterator[Expression]:
    yield from node.expressions()
    for child in node.children(context, include_partials=False):
        yield from _expressions(child, context)


def _bound_ranges(expression: Expression) -> None:
    if type(expression) is RangeLiteral:
        expression.__class__ = _Range  # the parser makes its own kind, and asks nobody
    for child in expression.children():
        _bound_ranges(child)


class _Output(Output):
    node_class = _Node


class _Echo(EchoTag):
    node_class = _EchoNode


class _Unknown(Illegal):
    def parse(self, stream: Any) -> NoReturn:
        token = stream.current
        raise LiquidSyntaxError(f'tag "{token.value}" not found', token=token)


class _Disabled(Tag):
    def parse(self, stream: Any) -> NoReturn:
        token = stream.current
        raise LiquidSyntaxError(f'tag "{token.value}" is disabled', token=token)


def _counted(value: Any, context: RenderContext) -> str:
    if isinstance(value, list):
        _count(context, _items(value) * _ITEM)
    return _shown(value)


def _items(value: Any) -> int:
    if isinstance(value, range):
        return value.stop - value.start
    return len(value) + sum(map(_items, value)) if isinstance(value, list) else 0


def _shown(value: Any) -> str:
    """Return a value as liquidjs prints it: arrays run together, objects as `[object Object]`."""
    if type(value) is str:
        return value
    if value is None or value is UNDEFINED or isinstance(value, Undefined):
        return ""
    if isinstance(value, list):
        return "".join(map(_shown, value))
    if isinstance(value, range):
        return f"{value.start}..{value.stop - 1}"
    return javascript.text(value) if isinstance(value, bool | int | float | dict) else str(value)


def _disabled(name: str) -> Callable[..., NoReturn]:
    def refuse(value: object, *arguments: object, **options: object) -> NoReturn:
        raise LiquidError(f'filter "{name}" is disabled', token=None)

    return refuse


def _of_text(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    @with_context
    @wraps(run)
    def wrapped(value: Any, *arguments: Any, context: RenderContext, **options: Any) -> Any:
        value = _counted(value, context)
        _count(context, _cost(name, value))
        shown = [_shown(item) if isinstance(item, float | dict | list) else item for item in arguments]
        if name in _REPLACING and len(shown) == 2:
            found = value.count(str(shown[0]))
            _count(context, found * len(str(shown[1])))
        result = run(value, *shown, **options)
        _count(context, len(result) if hasattr(result, "__len__") else 0)
        return result

    return wrapped


def _cost(name: str, value: str) -> int:
    if name == "strip_html":  # the parser may look ahead to the end from every bracket
        return len(value) * (value.count("<") + 1) // 10
    return len(value) * _WALKED


def _of_items(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter of lists, numbers or dates, which counts what it goes through."""

    @with_context
    @wraps(run)
    def wrapped(value: Any, *arguments: Any, context: RenderContext, **options: Any) -> Any:
        items = _items(value)
        _count(context, items * _ITEM)
        if name == "join":
            _count(context, items * (len(_shown(arguments[0])) if arguments else 1))
        if name == "date" and isinstance(value, str) and len(value) > _LONGEST_DATE:
            return value
        result = run(value, *arguments, **options)
        _count(context, len(result) * _WALKED if isinstance(result, str) else 0)
        return result

    return wrapped


def _dated(run: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(run)
    def dated(value: Any, form: Any, **options: Any) -> Any:
        return run(_moment(value) if isinstance(form, str) else value, form, **options)

    return dated


def _moment(value: Any) -> Any:
    """Return the moment that a text names, else what came; python-liquid would fill it up from the clock."""
    if not isinstance(value, str) or value.isdigit():
        return value
    if value in _CLOCK:
        raise LiquidError(f"`{value}` is no date here: a mapping reads no clock", token=None)
    try:
        return parser.parse(value, default=_LEFT_OUT)
    except parser.ParserError:
        return value


def _count(context: RenderContext, made: int) -> None:
    space = context.tag_namespace
    space[_MADE] = space.get(_MADE, 0) + made
    if space[_MADE] > MOST_MADE:
        raise LiquidError("memory alloc limit exceeded", token=None)


def _json(value: Any, *_: Any) -> Any:
    text = javascript.stringify(None if isinstance(value, Undefined) else value)
    return "" if text is UNDEFINED else text


class _Environment(Environment):
    local_namespace_limit = MOST_MADE
    output_stream_limit = MOST_MADE


def _environment() -> Environment:
    made = _Environment(tolerance=Mode.STRICT, strict_filters=False)
    for tag in (_Output, _Echo, _Unknown):
        made.add_tag(tag)
    for name in DISABLED_TAGS:
        made.tags[name] = _Disabled(made)
    for name in _OF_TEXT:
        made.add_filter(name, _of_text(name, made.filters[name]))
    made.add_filter("date", _dated(made.filters["date"]))
    for name in ("json", "jsonify"):
        made.add_filter(name, _json)
    for name in set(made.filters) - {*_OF_TEXT, *DISABLED_FILTERS}:
        made.add_filter(name, _of_items(name, made.filters[name]))
    for name in DISABLED_FILTERS:
        made.add_filter(name, _disabled(name))
    return made


_ENVIRONMENT = _environment()

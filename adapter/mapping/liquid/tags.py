"""Liquid's tags, without those that Segment switches off."""

from __future__ import annotations

import re
from typing import NoReturn

from adapter.mapping.engine import javascript
from adapter.mapping.engine.values import UNDEFINED, is_number, is_truthy
from adapter.mapping.liquid.context import Context
from adapter.mapping.liquid.expressions import filtered
from adapter.mapping.liquid.operands import Expression, value
from adapter.mapping.liquid.parsing import Node, Parser, Run, Tag, run_all
from adapter.mapping.liquid.reading import Unreadable, shortened
from adapter.mapping.liquid.splitting import Token, delimited, named
from adapter.mapping.liquid.values import is_false, own, plain

#: Tags that packages/core/src/mapping-kit/liquid-directive.ts of segmentio/action-destinations switches off.
DISABLED_TAGS = ("case", "for", "include", "layout", "render", "tablerow")
_LINE_WITHOUT_HASH = re.compile(rf"\n[{javascript.WHITESPACE}]*[^#{javascript.WHITESPACE}]")


def _disabled(parser: Parser, token: Token) -> NoReturn:
    raise Unreadable(f'tag "{token.name}" is disabled', token.begin)


def _block(parser: Parser, token: Token) -> NoReturn:
    raise Unreadable('tag "block" has no use here: there are no layouts', token.begin)


def _assign(parser: Parser, token: Token) -> Run:
    reader = parser.reader(token)
    name = reader.name()
    if not name:
        raise reader.fail("expected variable name")
    if not reader.blanks() or not reader.next("="):
        raise reader.fail('expected "="')
    made = filtered(reader, parser.found)

    def assign(context: Context, pieces: list[str]) -> None:
        context.assigned[name] = made(context)

    return assign


def _capture(parser: Parser, token: Token) -> Run:
    reader = parser.reader(token)
    name = reader.name() or reader.quoted()
    if not name:
        raise reader.fail("invalid capture name")
    nodes, _ = parser.block(token, "endcapture")

    def capture(context: Context, pieces: list[str]) -> None:
        captured: list[str] = []
        run_all(nodes, context, captured)
        context.assigned[name] = "".join(captured)

    return capture


def _echo(parser: Parser, token: Token) -> Run:
    reader = parser.reader(token)
    if not reader.blanks():
        return _nothing
    made = filtered(reader, parser.found)
    return lambda context, pieces: context.write(made(context), pieces)


def _if(parser: Parser, token: Token) -> Run:
    return _branches(parser, token, "endif", unless=False)


def _unless(parser: Parser, token: Token) -> Run:
    return _branches(parser, token, "endunless", unless=True)


def _branches(parser: Parser, token: Token, end: str, *, unless: bool) -> Run:
    condition, inverted = filtered(parser.reader(token), parser.found), unless
    branches: list[tuple[Expression, bool, list[Node]]] = []
    otherwise: list[Node] = []
    while True:
        nodes, closing = parser.block(token, "elsif", "else", end)
        branches.append((condition, inverted, nodes))
        if closing.name != "elsif":
            break
        condition, inverted = filtered(parser.reader(closing), parser.found), False
    if closing.name == "else":
        _refuse_content(parser, closing)
        otherwise, closing = parser.block(token, "elsif", "else", end)
        if closing.name != end:
            wrong = "duplicated else" if closing.name == "else" else "unexpected elsif after else"
            raise Unreadable(wrong, token.begin)
    _refuse_content(parser, closing)
    return _chosen(branches, otherwise)


def _refuse_content(parser: Parser, token: Token) -> None:
    content = parser.text[token.start : token.stop]
    if content:
        raise Unreadable(f"unexpected {shortened(content)}", token.begin)


def _chosen(branches: list[tuple[Expression, bool, list[Node]]], otherwise: list[Node]) -> Run:
    def run(context: Context, pieces: list[str]) -> None:
        for condition, inverted, nodes in branches:
            if is_false(condition(context)) == inverted:
                run_all(nodes, context, pieces)
                return
        run_all(otherwise, context, pieces)

    return run


def _counting(step: int) -> Tag:
    def counter(parser: Parser, token: Token) -> Run:
        reader = parser.reader(token)
        name = reader.name()
        if not name or reader.blanks():
            raise reader.fail("expected one variable name")

        def count(context: Context, pieces: list[str]) -> None:
            held = context.counters[name] if name in context.counters else own(context.payload, name)
            before = held if is_number(held) else 0
            context.counters[name] = before + step
            context.write(before if step > 0 else before + step, pieces)

        return count

    return counter


def _cycle(parser: Parser, token: Token) -> Run:
    reader = parser.reader(token)
    group = None
    choices = [value(reader)]
    if reader.blanks() and reader.next(":"):
        group = choices.pop()
        choices.append(value(reader))
    while reader.blanks():
        if not reader.next(","):
            raise reader.fail(f"unexpected character {reader.rest()}")
        choices.append(value(reader))

    def cycle(context: Context, pieces: list[str]) -> None:
        key = f"{len(choices)}:{javascript.text(plain(group(context) if group else UNDEFINED))}"
        turn = context.cycles.get(key, 0)
        context.cycles[key] = (turn + 1) % len(choices)
        made = choices[turn](context)
        context.write(made if is_truthy(plain(made)) else "", pieces)

    return cycle


def _comment(parser: Parser, token: Token) -> Run:
    while (inner := parser.take()) is not None:
        if inner.name == "endcomment":
            return _nothing
    raise parser.unclosed(token)


def _inline_comment(parser: Parser, token: Token) -> Run:
    if _LINE_WITHOUT_HASH.search(parser.text, token.start, token.stop):
        raise Unreadable("every line of an inline comment must start with a '#' character", token.begin)
    return _nothing


def _raw(parser: Parser, token: Token) -> Run:
    inner: list[str] = []
    while (part := parser.take()) is not None:
        if part.name == "endraw":
            text = "".join(inner)
            return lambda context, pieces: context.write(text, pieces)
        inner.append(parser.text[part.begin : part.end])
    raise parser.unclosed(token)


def _liquid(parser: Parser, token: Token) -> Run:
    tokens: list[Token] = []
    reader = parser.reader(token)
    while reader.blanks():
        line = reader.at
        ending = parser.text.find("\n", line, token.stop)
        reader.at = token.stop if ending < 0 else ending + 1
        tokens.append(
            named(parser.text, delimited(parser.text, line, reader.at, 0, 0), "illegal liquid tag syntax")
        )
    nodes = parser.inner(token, tokens).all()
    return lambda context, pieces: run_all(nodes, context, pieces)


def _stop(parser: Parser, token: Token) -> Run:
    def stop(context: Context, pieces: list[str]) -> None:
        context.stopped = True

    return stop


def _nothing(context: Context, pieces: list[str]) -> None:
    """Write nothing."""


TAGS: dict[str, Tag] = {
    "assign": _assign, "capture": _capture, "echo": _echo, "if": _if, "unless": _unless,
    "increment": _counting(1), "decrement": _counting(-1), "cycle": _cycle, "comment": _comment,
    "#": _inline_comment, "raw": _raw, "liquid": _liquid, "break": _stop, "continue": _stop,
    "block": _block, **dict.fromkeys(DISABLED_TAGS, _disabled),
}  # fmt: skip

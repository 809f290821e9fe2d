"""Splits a template into text, outputs and tags, with liquidjs's rules for white space and `raw`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapter.mapping.liquid.reading import Reader, Unreadable, shortened
from adapter.mapping.liquid.values import BLANKS

_OPENING = re.compile(r"\{[{%]")
_OUTPUT = re.compile(r"""\}\}|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?""", re.DOTALL)


@dataclass(slots=True)
class Token:
    """A stretch of a template: text, or an output or a tag with its content between `start` and `stop`.

    `name` is the name of a tag; empty for outputs and for text.
    """

    begin: int
    end: int
    start: int
    stop: int
    name: str = ""
    output: bool = False
    trims_left: bool = False
    trims_right: bool = False

    @property
    def is_text(self) -> bool:
        """Tell whether the token is text."""
        return not self.name and not self.output


def split(template: str) -> list[Token]:
    """Return the tokens of a template in their order; raises Unreadable."""
    tokens: list[Token] = []
    at = 0
    raw: int | None = None
    while at < len(template):
        if raw is not None:
            token = _raw(template, at, raw)
        elif template.startswith("{%", at):
            token = _tag(template, at)
        elif template.startswith("{{", at):
            token = _output(template, at)
        else:
            token = _text(template, at)
        if token.name == "raw" and raw is None:
            raw = at
        elif token.name == "endraw":
            raw = None
        tokens.append(token)
        at = token.end
    _trim(template, tokens)
    return tokens


def _text(template: str, at: int) -> Token:
    opening = _OPENING.search(template, at)
    end = opening.start() if opening else len(template)
    return Token(at, end, at, end)


def _output(template: str, at: int) -> Token:
    for found in _OUTPUT.finditer(template, at + 2):
        if found[0] == "}}":
            token = delimited(template, at, found.end(), 2, 2)
            token.output = True
            return token
    raise Unreadable(f"output {shortened(template[at:])} not closed", at)


def _tag(template: str, at: int) -> Token:
    end = template.find("%}", at + 1)
    if end < 0:
        raise Unreadable(f"tag {shortened(template[at:])} not closed", at)
    return named(template, delimited(template, at, end + 2, 2, 2), "illegal tag syntax, tag name expected")


def delimited(template: str, begin: int, end: int, opening: int, closing: int) -> Token:
    """Return a token without its delimiters, hyphens and blanks."""
    start, stop = begin + opening, end - closing
    left, right = template[start : start + 1] == "-", template[stop - 1 : stop] == "-"
    start, stop = start + left, stop - right
    inner = template[start:stop]
    start += len(inner) - len(inner.lstrip(BLANKS))
    stop = max(start, stop - (len(inner) - len(inner.rstrip(BLANKS))))
    return Token(begin, end, start, stop, trims_left=left, trims_right=right)


def named(template: str, token: Token, problem: str) -> Token:
    """Return the tag with its name read, its content what follows the name; raises Unreadable without one."""
    reader = Reader(template, token.start, token.stop)
    token.name = "#" if reader.next("#") else reader.name()
    if not token.name:
        raise Unreadable(problem, reader.at)
    reader.blanks()
    token.start = reader.at
    return token


def _raw(template: str, at: int, raw: int) -> Token:
    """Return what is raw before `endraw`, or the tag `endraw` itself where it comes first."""
    reader = Reader(template, at, len(template))
    while (opening := template.find("{%", reader.at)) >= 0:
        reader.at = opening + 2
        if reader.name() != "endraw":
            continue
        closing = template.find("%}", reader.at)
        again = template.find("{%", reader.at)
        if closing < 0 or 0 <= again < closing:
            continue
        if opening == at:
            token = delimited(template, at, closing + 2, 2, 2)
            token.name = "endraw"
            return token
        return Token(at, opening, at, opening)
    raise Unreadable(f"raw {shortened(template[raw:])} not closed", at)


def _trim(template: str, tokens: list[Token]) -> None:
    raw = False
    for place, token in enumerate(tokens):
        if token.trims_left and not raw and place and tokens[place - 1].is_text:
            before = tokens[place - 1]
            before.stop = before.start + len(template[before.start : before.stop].rstrip(BLANKS))
        raw = token.name == "raw" or (raw and token.name != "endraw")
        if token.trims_right and not raw and place + 1 < len(tokens) and tokens[place + 1].is_text:
            after = tokens[place + 1]
            after.start = after.stop - len(template[after.start : after.stop].lstrip(BLANKS))

"""Text to tokens, by the lexical grammar of CEL (cel-spec, doc/langdef.md, "Syntax")."""

from __future__ import annotations

import re
from typing import Any, Literal

from msgspec import Struct

from adapter.rules.expressions.durations import duration_text, parse_window
from adapter.rules.expressions.errors import ExpressionError

#: The longest expression, in characters: rule authors are not trusted with the server's time.
MAX_TEXT = 2048

TokenKind = Literal["name", "number", "text", "operator", "end"]

_SPACE = re.compile(r"(?:[ \t\n\f\r]+|//[^\n]*)*")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTE = re.compile(r"""([rRbB]{0,2})(\"\"\"|'''|"|')""")
_OPERATOR = re.compile(r"<=|>=|==|!=|&&|\|\||[-+*/%<>!?:.,()\[\]{}]")
#: Operators of other languages; those that begin as one of ours must be looked for first.
_FOREIGN = re.compile(r"===|!==|=>|=<|<>")
_MEANT = {"===": "`==`", "!==": "`!=`", "=<": "`<=`", "<>": "`!=`",
          "=>": "`>=` to compare, or a comma after a name: `items.exists(item, item.qty > 1)`"}  # fmt: skip
_ESCAPE = re.compile(
    r"""\\(?:([abfnrtv\\?"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))"""
)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_REMEDIES = {
    "=": "write `==` to compare",
    "&": "write `&&` for both",
    "|": "write `||` for either",
    "“": 'use plain quotes: "…"',
    "”": 'use plain quotes: "…"',
    "‘": 'use plain quotes: "…"',
    "’": 'use plain quotes: "…"',
    "≥": "write `>=`",
    "≤": "write `<=`",
    "≠": "write `!=`",
    "$": 'write the amount as a plain number, such as 120 or "$" in quotes for text',
}


class Token(Struct, frozen=True):
    """One word of an expression; `value` is its number, its text or its spelling."""

    kind: TokenKind
    value: Any
    offset: int


def tokens(text: str) -> list[Token]:
    """Return the tokens of an expression, the last one of kind `end`; raises ExpressionError."""
    if len(text) > MAX_TEXT:
        remedy = "split it into several conditions, or move parts into rules/definitions.yaml"
        raise ExpressionError(f"the expression is longer than {MAX_TEXT} characters", remedy, MAX_TEXT)
    found: list[Token] = []
    at = _skip(text, 0)
    while at < len(text):
        token, at = _token(text, at)
        found.append(token)
        at = _skip(text, at)
    found.append(Token("end", "", at))
    return found


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _token(text: str, at: int) -> tuple[Token, int]:
    quote = _QUOTE.match(text, at)
    if quote:
        return _quoted(text, at, quote.group(1).lower(), quote.group(2))
    name = _NAME.match(text, at)
    if name:
        return Token("name", name.group(), at), name.end()
    number = _NUMBER.match(text, at)
    if number:
        return _number(text, at, number.group(), number.end())
    foreign = _FOREIGN.match(text, at)
    if foreign:
        written = foreign.group()
        raise ExpressionError(f"`{written}` has no meaning here", f"write {_MEANT[written]}", at)
    operator = _OPERATOR.match(text, at)
    if operator:
        return Token("operator", operator.group(), at), operator.end()
    raise ExpressionError(f"`{text[at]}` has no meaning here", _REMEDIES.get(text[at], ""), at)


def _number(text: str, at: int, digits: str, end: int) -> tuple[Token, int]:
    if digits[:2] == "0X":
        raise ExpressionError(f"`{digits}` is not a number", f"write 0x{digits[2:]}", at)
    tail = _NAME.match(text, end)
    if tail:
        wrong = digits + tail.group()
        if tail.group() in ("u", "U"):
            raise ExpressionError(f"`{wrong}` is not a number here", f"write {digits}", at)
        window = parse_window(wrong)
        length = f'`duration("{duration_text(window)}")` for a length of time, ' if window else ""
        remedy = f'write {length}{digits}, or "{wrong}" in quotes for text'
        raise ExpressionError(f"`{wrong}` is not a number", remedy, at)
    if digits[:2] == "0x":
        value: int | float = int(digits, 16)
    else:
        value = float(digits) if any(mark in digits for mark in ".eE") else int(digits)
    if abs(value) >= 2**63:
        raise ExpressionError(f"`{digits}` is too large", "numbers end at 9223372036854775807", at)
    return Token("number", value, at), end


def _quoted(text: str, at: int, prefix: str, quote: str) -> tuple[Token, int]:
    if "b" in prefix or prefix == "rr":
        raise ExpressionError("bytes cannot be written here", 'write text in quotes: "…"', at)
    start = at + len(prefix) + len(quote)
    end = start
    while not text.startswith(quote, end):
        if end >= len(text) or (len(quote) == 1 and text[end] in "\r\n"):
            raise ExpressionError(
                "the text that starts here has no closing quote", f"end it with {quote}", at
            )
        end += 2 if text[end] == "\\" and not prefix else 1
    body = text[start:end]
    return Token("text", body if prefix else _unescaped(body, start), at), end + len(quote)


def _unescaped(body: str, start: int) -> str:
    parts: list[str] = []
    at = 0
    while (slash := body.find("\\", at)) >= 0:
        match = _ESCAPE.match(body, slash)
        character = _character(match) if match else None
        if match is None or character is None:
            remedy = r"write \\ for a backslash"
            raise ExpressionError(f"`{body[slash : slash + 2]}` is not an escape", remedy, start + slash)
        parts += (body[at:slash], character)
        at = match.end()
    return "".join((*parts, body[at:]))


def _character(match: re.Match[str]) -> str | None:
    letter, *codes, octal = match.groups()
    if letter:
        return _LETTERS.get(letter, letter)
    code = int(octal, 8) if octal else int(next(filter(None, codes)), 16)
    return None if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF else chr(code)

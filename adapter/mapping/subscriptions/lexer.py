"""The words of a subscription, with their places.

Takes what npm @segment/fql-ts takes, on its well-formed subset, and refuses what that reads in some
other way than it is written (glued operators, single quotes, exponents).
"""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from adapter.mapping.engine.errors import SubscriptionError

Kind = Literal["word", "keyword", "null", "number", "string", "operator", "not", "(", ")", ",", ".", "end"]

_SPACE = " \t\n"
_WORD = re.compile(r"(?:[A-Za-z_]|\\.)(?:[A-Za-z0-9_-]|\\.)*", re.DOTALL)
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_OPERATOR = re.compile(r"!=|<=|>=|=|<|>")
_NEGATED = re.compile(r"!(contains|match)\b")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
#: What may follow a word, a string, and an operator of two characters.
_AFTER_WORD = _SPACE + ",]).(=!"
_ENDS = _SPACE + ",])"
_KEYWORDS = {"and": "nd", "or": "r", "null": "ull"}


class Token(Struct, frozen=True):
    """One word: `text` as meant (quotes and escapes gone), `start` and `end` as written."""

    kind: Kind
    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Return the words, the last of kind `end`; raises SubscriptionError."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] in _SPACE:
            at += 1
            continue
        token = _token(text, at)
        found.append(token)
        at = token.end
    return [*found, Token("end", "", len(text), len(text))]


def _token(text: str, at: int) -> Token:
    char = text[at]
    if char in "(),.":
        return Token(char, char, at, at + 1)  # type: ignore[arg-type]
    if char == '"':
        return _string(text, at)
    if char in "+-" or (char.isascii() and char.isdigit()):
        return _number(text, at)
    if char == "!" and text[at + 1 : at + 2] != "=":
        return _not(text, at)
    if operator := _OPERATOR.match(text, at):
        return _operator(text, at, operator[0])
    if word := _WORD.match(text, at):
        return _word(text, at, word.end())
    raise _unknown(text, at)


def _follows(text: str, at: int, allowed: str) -> bool:
    return at == len(text) or text[at] in allowed


def _string(text: str, at: int) -> Token:
    end = text.find('"', at + 1)
    if end < 0:
        raise SubscriptionError(
            "a string is not closed", position=at, trap="unclosed_string", remedy='end it with `"`'
        )
    if not _follows(text, end + 1, _ENDS):
        raise SubscriptionError(
            "there is text right behind the closing quote",
            position=end + 1,
            trap="glued_string",
            remedy='put a space behind the quote; a `"` cannot be inside a string, nor be escaped',
        )
    return Token("string", text[at + 1 : end], at, end + 1)


def _number(text: str, at: int) -> Token:
    number = _NUMBER.match(text, at)
    if number is None or not _follows(text, number.end(), _ENDS):
        raise SubscriptionError(
            "not a number",
            position=at,
            trap="bad_number",
            remedy="write it as 5, -3 or 5.25, with a space behind it",
        )
    return Token("number", number[0], at, number.end())


def _not(text: str, at: int) -> Token:
    behind = text[at + 1 : at + 2]
    if behind == "(":
        raise SubscriptionError(
            "`!` before a parenthesis is ignored by Segment",
            position=at,
            trap="negated_group",
            remedy='turn the conditions round: `!(a = "x" or b = "y")` is `a != "x" and b != "y"`',
        )
    if not _NEGATED.match(text, at):
        raise SubscriptionError(
            "`!` is allowed only before contains( and match(",
            position=at,
            trap="stray_not",
            remedy="write `!=`, or `!contains(...)` without a space",
        )
    return Token("not", "!", at, at + 1)


def _operator(text: str, at: int, operator: str) -> Token:
    end = at + len(operator)
    if len(operator) == 2 and not _follows(text, end, _ENDS):
        raise SubscriptionError(
            f"a value follows `{operator}` without a space",
            position=end,
            trap="glued_operator",
            remedy=f"put a space behind it: `{operator} 1`",
        )
    return Token("operator", operator, at, end)


def _word(text: str, at: int, end: int) -> Token:
    written = text[at:end]
    behind = text[end : end + 1]
    if written in ("and", "or") and behind and behind in "(.=!":
        raise SubscriptionError(
            f"`{written}{behind}` is not read as `{written}`",
            position=at,
            trap="glued_connector",
            remedy=f"put a space behind it: `{written} {behind}`",
        )
    if behind and behind not in _AFTER_WORD:
        raise SubscriptionError(
            f"`{behind}` is not allowed in or right behind a name",
            position=end,
            trap="glued_name",
            remedy="put a space before an operator, escape other signs with \\",
        )
    if written in _KEYWORDS and _follows(text, end, _ENDS):
        return Token("null" if written == "null" else "keyword", written, at, end)
    if end == len(text) and any(
        keyword[0] == written[0] and keyword[1:].startswith(written[1:]) and written[1:]
        for keyword in _KEYWORDS
    ):
        raise SubscriptionError(
            f"Segment reads `{written}` at the end as `{written[0]}`",
            position=at,
            trap="cut_word",
            remedy=f'quote it: "{written}"',
        )
    return Token("word", _ESCAPE.sub(r"\1", written), at, end)


def _unknown(text: str, at: int) -> SubscriptionError:
    char = text[at]
    if char == "'":
        return SubscriptionError(
            "single quotes become part of the value, so it never matches",
            position=at,
            trap="single_quotes",
            remedy='write "double quotes"',
        )
    if text[at : at + 2] in ("&&", "||"):
        return SubscriptionError(
            f"`{text[at : at + 2]}` is not known here",
            position=at,
            trap="foreign_operator",
            remedy="write `and` or `or`",
        )
    if char in "[]":
        return SubscriptionError(
            "array indexes are not supported in subscriptions",
            position=at,
            trap="array_index",
            remedy="test a field that is no array",
        )
    remedy = "names take letters, digits, _ and -; escape other signs with \\, as in properties.\\$a"
    return SubscriptionError(
        f"`{char}` is not allowed here", position=at, trap="unknown_character", remedy=remedy
    )

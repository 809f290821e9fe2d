"""The words of a date as V8's parser of dates reads them (src/date/dateparser.h)."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from adapter.mapping.engine.javascript import WHITESPACE

Kind = Literal["number", "symbol", "month", "half", "zone", "time", "word", "space", "other", "end"]

#: Numbers keep nine digits, their leading zeros apart.
_DIGITS = 9
_TOKEN = re.compile(rf"([0-9]+)|([:+.)-])|([^{WHITESPACE}\x00-@]+)|([{WHITESPACE}])|(\()|(.)", re.DOTALL)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_HALVES = {"am": 0, "pm": 12}
_ZONES = {"ut": 0, "utc": 0, "z": 0, "gmt": 0, "cdt": -5, "cst": -6, "edt": -4, "est": -5, "mdt": -6,
          "mst": -7, "pdt": -7, "pst": -8}  # fmt: skip


class Token(Struct, frozen=True):
    """One word; `value` is a number's or a keyword's, `text` as it is written, in small letters."""

    kind: Kind
    text: str = ""
    value: int = 0

    def is_symbol(self, *signs: str) -> bool:
        """Tell whether it is one of some signs."""
        return self.kind == "symbol" and self.text in signs

    def fixed(self, length: int, least: int = 0, most: int = 10**_DIGITS) -> bool:
        """Tell whether it is a number of so many digits within bounds."""
        return self.kind == "number" and len(self.text) == length and least <= self.value <= most


END = Token("end")


class Scanner:
    """The words of a text, read from the front."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.peek = self._scan()

    def next(self) -> Token:
        """Return the next word, and go on."""
        token, self.peek = self.peek, self._scan()
        return token

    def skip(self, sign: str) -> bool:
        """Step over a sign if it comes next."""
        found = self.peek.is_symbol(sign)
        if found:
            self.next()
        return found

    def _scan(self) -> Token:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            return END
        self._at = found.end()
        digits, sign, word, space, bracket, _ = found.groups()
        if digits:
            return Token("number", digits, int(digits.lstrip("0")[:_DIGITS] or "0"))
        if sign:
            return Token("symbol", sign)
        if word:
            return _keyword(word.lower())
        if bracket:
            self._at = _behind_brackets(self._text, found.start())
        return Token("space" if space else "other")


def _keyword(word: str) -> Token:
    if word[:3] in _MONTHS:
        return Token("month", word, _MONTHS.index(word[:3]) + 1)
    if word in _HALVES:
        return Token("half", word, _HALVES[word])
    if word in _ZONES:
        return Token("zone", word, _ZONES[word])
    return Token("time" if word == "t" else "word", word)


def _behind_brackets(text: str, at: int) -> int:
    depth = 0
    for place in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return place + 1
    return len(text)

"""Reads a template character by character, as liquidjs's tokenizer does, over one stretch of it."""

from __future__ import annotations

import json
import re

from adapter.mapping.liquid.values import BLANKS, WORD

_BLANK = re.compile(f"[{BLANKS}]*")
_NAME = re.compile(f"[{WORD}]*")
_OPERATOR = re.compile(f"==|!=|>=|<=|>|<|(?:contains|not|and|or)(?![{WORD}])")
_LITERAL = re.compile(f"(?:true|false|nil|null|empty|blank)(?![{WORD}])")
_NUMBER = re.compile(rf"[+-]?[0-9]+(?:\.(?!\.)[0-9]*)?(?!\.(?!\.))(?![{WORD}])")
_QUOTED = re.compile(r"""("|')((?:\\.|(?!\1)[^\\])*)\1""", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{0,4}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SHOWN = 32


class Unreadable(Exception):
    """A template that does not parse; `at` counts its characters from 0."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


class Reader:
    """A place in a stretch of a template, which moves on as it reads."""

    __slots__ = ("at", "end", "text")

    def __init__(self, text: str, at: int, end: int) -> None:
        self.text = text
        self.at = at
        self.end = end

    def fail(self, message: str, at: int | None = None) -> Unreadable:
        """Return the error that something is wrong here."""
        return Unreadable(message, self.at if at is None else at)

    def rest(self, start: int | None = None) -> str:
        """Return what follows, quoted and shortened, as messages show it."""
        return shortened(self.text[self.at if start is None else start : self.end])

    def blanks(self) -> bool:
        """Skip blanks; says whether anything follows."""
        self._match(_BLANK)
        return self.at < self.end

    def next(self, expected: str) -> bool:
        """Step over the expected text if it comes next."""
        if not self.text.startswith(expected, self.at, self.end):
            return False
        self.at += len(expected)
        return True

    def name(self) -> str:
        """Read a name after blanks; empty when there is none."""
        self.blanks()
        return self._match(_NAME) or ""

    def operator(self) -> str | None:
        """Read an operator after blanks."""
        self.blanks()
        return self._match(_OPERATOR)

    def literal(self) -> str | None:
        """Read a word that is a value, such as `true`."""
        return self._match(_LITERAL)

    def number(self) -> str | None:
        """Read a number."""
        return self._match(_NUMBER)

    def quoted(self) -> str | None:
        """Read text in quotes, its escapes undone; raises Unreadable where the quote does not end."""
        if not self.text.startswith(("'", '"'), self.at, self.end):
            return None
        found = self._match(_QUOTED)
        if found is None:
            raise self.fail(f"quote not closed: {self.rest()}")
        return _ESCAPE.sub(_unescaped, found[1:-1])

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.at, self.end)
        if found is None:
            return None
        self.at = found.end()
        return found[0]


def shortened(text: str) -> str:
    """Return the text quoted as JSON, with at most 32 of its characters."""
    return json.dumps(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...", ensure_ascii=False)


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] == "u":
        return chr(int(code[1:] or "0", 16))
    if code[0] in "01234567":
        return chr(int(code, 8))
    return _ESCAPED.get(code, code)

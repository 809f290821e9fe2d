"""Positions inside a value: the place of the n-th character of a scalar in its file."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache

from adapter.files.problems import Mark

#: Maximum number of characters of the file between two characters of a value.
_NEAR = 200
_NEWLINE = re.compile("\n")


def inside(text: str, start: Mark, value: str, offset: int) -> Mark:
    """Return the place of `value[offset]`, a scalar that starts at `start` of the file's `text`.

    Quotes, escapes, block indicators and folded lines are skipped by walking both texts: the file contains
    every character of the value, in order, with only these characters between. An offset past the end is the
    place after the last character.
    """
    starts = _line_starts(text)
    raw = starts[start.line - 1] + start.column - 1
    for index, character in enumerate(value[:offset]):
        if not character.isspace():
            raw = max(text.find(character, raw, raw + _NEAR), raw) + 1
        elif index == 0 or not value[index - 1].isspace():
            raw = _after_space(text, raw)
    if offset < len(value) and not value[offset].isspace():
        raw = max(text.find(value[offset], raw, raw + _NEAR), raw)
    line = bisect_right(starts, raw)
    return Mark(start.file, line, raw - starts[line - 1] + 1)


#: The remedy where `cut_by_comment` is true.
QUOTE_ALL = "YAML takes ` #` for a comment: put the whole condition into quotes"


def cut_by_comment(text: str, at: Mark, value: str, offset: int) -> bool:
    """Return whether the quote at `value[offset]`, at this place of the file, has no end because YAML read
    the rest of the line as a comment.
    """
    begun = value[offset:]
    starts = _line_starts(text)
    ended = text.find("\n", starts[at.line - 1])
    line = text[starts[at.line - 1] : ended if ended >= 0 else len(text)]
    rest = line[at.column - 1 :].removeprefix(begun)
    return begun[:1] in ('"', "'") and begun.count(begun[0]) == 1 and rest.lstrip(" \t")[:1] == "#"


def _after_space(text: str, raw: int) -> int:
    while raw < len(text) and not text[raw].isspace():
        raw += 1
    while raw < len(text) and text[raw].isspace():
        raw += 1
    return raw


@lru_cache(maxsize=8)
def _line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in _NEWLINE.finditer(text))]

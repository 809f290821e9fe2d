"""What is wrong with a file, where, and what to write instead."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

#: So many known words are listed.
_FEW = 12


class Mark(Struct, frozen=True, order=True):
    """A place in a file; `line` and `column` count from 1."""

    file: str
    line: int
    column: int


class Problem(Struct, frozen=True):
    """One finding: `file:line:column: message; remedy`.

    `message` is one lower-case sentence without a full stop, user input in backticks;
    `remedy` says what to write instead.
    """

    mark: Mark
    message: str
    remedy: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.mark.file}:{self.mark.line}:{self.mark.column}"
        warning = "warning: " if self.severity == "warning" else ""
        return f"{place}: {warning}{self.message}" + (f"; {self.remedy}" if self.remedy else "")


def errors(problems: Iterable[Problem]) -> int:
    """Return how many of the problems are errors."""
    return sum(problem.severity == "error" for problem in problems)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "did you mean `x`?" for the nearest known word, else the list of a few known ones."""
    words = sorted(known)
    near = get_close_matches(word, words, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    if not words:
        return ""
    more = f" and {len(words) - _FEW} more" if len(words) > _FEW else ""
    return "known are " + ", ".join(f"`{known_word}`" for known_word in words[:_FEW]) + more

"""Problems of files: a message, a place, and a remedy."""

from __future__ import annotations

import re
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

#: Maximum number of known words in a remedy.
_FEW = 12
#: Maximum number of known words that a word is compared with.
_MOST_COMPARED = 1000
#: Similarity from which a word is a typing error, which takes precedence over a word that it begins.
_SLIP = 0.85


#: Characters that would break a line, or cannot be encoded: controls, line ends, surrogates.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


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
        sentence = f"{place}: {warning}{self.message}" + (f"; {self.remedy}" if self.remedy else "")
        return sentence if sentence.isprintable() else _UNPRINTABLE.sub(_escaped, sentence)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def errors(problems: Iterable[Problem]) -> int:
    """Return how many of the problems are errors."""
    return sum(problem.severity == "error" for problem in problems)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return "did you mean `x`?" for the nearest known word, else the list of a few known ones.

    `expires_in` is rather the beginning of `expires_in_hours` than a misspelled `expires_at`.
    """
    words = sorted(islice(known, _MOST_COMPARED))
    near = (
        get_close_matches(word, words, n=1, cutoff=_SLIP)
        or _begun(word, words)
        or get_close_matches(word, words, n=1, cutoff=0.6)
    )
    if near:
        return meant(near[0])
    if not words:
        return ""
    more = f" and {len(known) - _FEW} more" if len(known) > _FEW else ""
    return "known are " + ", ".join(f"`{known_word}`" for known_word in words[:_FEW]) + more


def meant(word: str) -> str:
    """Return the remedy that names the one word to write instead."""
    return f"did you mean `{word}`?"


def _begun(word: str, words: Iterable[str]) -> list[str]:
    """Return the words that begin with `word` and `_`, the shortest first."""
    return sorted((known for known in words if word and known.startswith(f"{word}_")), key=len)

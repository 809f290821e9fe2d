"""Reads one block of a rule file key by key; what is wrong becomes a problem at its place.

A reader never raises: a value that does not check is reported and comes back as `None`, so that one
look at a file finds all of its problems.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, get_args

from adapter.files.places import QUOTE_ALL, cut_by_comment, inside
from adapter.files.problems import Problem, did_you_mean, meant
from adapter.files.yaml import Document, Keys

T = TypeVar("T")

DURATION = re.compile(r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")
_LONGEST = timedelta(days=3660)


def duration(text: str) -> timedelta | None:
    """Return the length of time that `30m`, `24h`, `7d`, `2w` or `1d12h` means, else None."""
    match = DURATION.fullmatch(text)
    if not text or match is None:
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return length if timedelta(0) < length <= _LONGEST else None


def decimal(number: float) -> Decimal:
    """Return a YAML number exactly as it was written; whole ones without digits after the point."""
    exact = Decimal(str(number))
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact


class Block:
    """One mapping of a document; `text` is the file's, `problems` is shared by all blocks of one file."""

    def __init__(self, document: Document, text: str, path: Keys, problems: list[Problem]) -> None:
        self.document = document
        self.text_of_file = text
        self.path = path
        self.problems = problems
        at = document.value
        for key in path:
            at = at[key]
        self.values: dict[str, Any] = at if isinstance(at, dict) else {}
        self._known: set[str] = set()
        self._missing: dict[str, Problem] = {}
        if not self.values:
            self.refuse((), "expected a block of `key: value` lines", "indent the keys under it")

    def refuse(self, below: Keys, message: str, remedy: str, *, at_key: bool = False) -> None:
        """Report a problem at a value below this block, or at its key."""
        self.problems.append(self.document.problem((*self.path, *below), message, remedy, key=at_key))

    def refuse_inside(self, below: Keys, value: str, offset: int, message: str, remedy: str) -> None:
        """Report a problem at the n-th character of a text below this block."""
        at = inside(self.text_of_file, self.document.mark(*self.path, *below), value, offset)
        cut = cut_by_comment(self.text_of_file, at, value, offset)
        self.problems.append(Problem(at, message, QUOTE_ALL if cut else remedy))

    def warn(self, below: Keys, message: str, remedy: str) -> None:
        """Warn of a value below this block."""
        at = self.document.mark(*self.path, *below)
        self.problems.append(Problem(at, message, remedy, "warning"))

    def warn_inside(self, below: Keys, value: str, offset: int, message: str, remedy: str) -> None:
        """Warn of the n-th character of a text below this block."""
        start = self.document.mark(*self.path, *below)
        place = inside(self.text_of_file, start, value, offset)
        self.problems.append(Problem(place, message, remedy, "warning"))

    def get(self, key: str, *others: str) -> Any:
        """Return the value under the key, or under another spelling of it; unknown keys are reported at
        `finish`.
        """
        self._known.update((key, *others))
        for spelling in (key, *others):
            if spelling in self.values:
                return self.values[spelling]
        return None

    def lacks(self, key: str, remedy: str) -> None:
        """Report a key that must be there; forgotten when `finish` finds it misspelled."""
        self._known.add(key)
        self.refuse((), f"`{key}` is missing", remedy)
        self._missing[key] = self.problems[-1]

    def finish(
        self, other_names: Mapping[str, str] | None = None, elsewhere: Callable[[str], str] | None = None
    ) -> None:
        """Report every unknown key; `other_names` are what people call known keys.

        `elsewhere` returns what to write for a key that belongs into another block, empty where it is none.
        """
        for key in self.values:
            if key in self._known:
                continue
            remedy = elsewhere(key) if elsewhere is not None else ""
            remedy = remedy or self._nearest(key, (other_names or {}).get(key))
            self.refuse((key,), f"`{key}` is not known here", remedy, at_key=True)
            found = next((name for name in self._missing if remedy == meant(name)), None)
            if found is not None:
                self.problems.remove(self._missing.pop(found))

    def _nearest(self, key: str, called: str | None) -> str:
        """Return the remedy for an unknown key; what it is `called` counts while that is not there too."""
        if called in self._known and called not in self.values:
            return meant(called)
        return did_you_mean(key, self._known)

    def _read(self, key: str, kind: type[T], what: str, check: Callable[[T], bool] = bool) -> T | None:
        value = self.get(key)
        if value is None:
            if key in self.values:
                self.refuse((key,), f"`{key}` is empty", f"write {what}, or leave the line out")
            return None
        if isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool) and check(value):
            return value
        self.refuse((key,), f"`{key}` is {shown(value)}", f"write {what}")
        return None

    def text(self, key: str, *, required: bool = False, longest: int = 500) -> str | None:
        """Return non-empty text."""
        if required and key not in self.values:
            self.lacks(key, f"add `{key}: ...`")
            return None
        return self._read(key, str, "text", lambda text: 0 < len(text) <= longest)

    def whole(self, key: str, lowest: int = 0, highest: int = 10**12) -> int | None:
        """Return a whole number within bounds."""
        what = f"a whole number from {lowest}" + (f" to {highest}" if highest < 10**12 else " up")
        return self._read(key, int, what, lambda number: lowest <= number <= highest)

    def number(self, key: str, *, above: Decimal | None = Decimal(0), highest: int = 10**12,
               required: bool = False) -> Decimal | None:  # fmt: skip
        """Return an exact number above a bound (0 by default; None allows 0 itself)."""
        value = self.get(key)
        if value is None:
            if key in self.values:
                self.refuse((key,), f"`{key}` is empty", "write a number, or leave the line out")
            elif required:
                self.lacks(key, f"add `{key}: 10`")
            return None
        lowest = "0 or more" if above is None else f"more than {above}"
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**15:
            exact = decimal(value)
            if (exact >= 0 if above is None else exact > above) and exact <= highest:
                return exact
        top = f", at most {highest}" if highest < 10**12 else ""
        self.refuse((key,), f"`{key}` is {shown(value)}", f"write a number, {lowest}{top}")
        return None

    def flag(self, key: str, what: str = "true or false") -> bool | None:
        """Return true or false; `what` is what to write instead of anything else."""
        return self._read(key, bool, what, lambda _: True)

    def one_of(self, key: str, kind: Any) -> Any:
        """Return one of the words of a Literal type."""
        words = get_args(kind)
        value = self._read(key, str, "one of " + ", ".join(words))
        if value is not None and value not in words:
            self.refuse((key,), f"`{key}` cannot be `{value}`", did_you_mean(value, words))
            return None
        return value

    def words(self, key: str, *others: str) -> tuple[str, ...]:
        """Return a list of texts; a single text is a list of one."""
        used = next((spelling for spelling in (key, *others) if spelling in self.values), key)
        value = self.get(key, *others)
        items = [value] if isinstance(value, str) else [] if used not in self.values else value
        if not isinstance(items, list):
            self.refuse((used,), f"`{used}` is {shown(value)}", "write a list such as [one, two]")
            return ()
        for index, item in enumerate(items):
            if not isinstance(item, str) or not item:
                self.refuse((used, index), f"{shown(item)} is not text", f'write "{item}"')
        return tuple(dict.fromkeys(item for item in items if isinstance(item, str)))

    def some_words(self, key: str, *others: str) -> tuple[str, ...]:
        """Return a list of texts, where an empty one is refused: it would let in what it was to keep out."""
        used = next((spelling for spelling in (key, *others) if spelling in self.values), key)
        found = self.words(key, *others)
        if self.values.get(used) == []:
            self.refuse((used,), f"`{used}` lists nothing", "name one, or leave it out where all are meant")
        return found

    def length(self, key: str) -> timedelta | None:
        """Return a length of time written as `30m`, `24h`, `7d`."""
        value = self._read(key, str, "a length of time such as 30m, 24h or 7d")
        length = duration(value) if value is not None else None
        if value is not None and length is None:
            self.refuse((key,), f"`{value}` is not a length of time",
                        "write 2w, 7d, 24h, 30m, 90s, or parts of them in that order: 1d12h")  # fmt: skip
        return length

    def moment(self, key: str) -> datetime | None:
        """Return a moment in ISO 8601 with an offset."""
        value = self._read(key, str, 'a moment such as "2026-12-24T18:00:00Z"')
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.refuse((key,), f"`{value}` is not a moment with its offset", 'write "2026-12-24T18:00:00Z"')
            return None
        return moment.astimezone(UTC)

    def block(self, key: str) -> Block | None:
        """Return the block under the key, when there is one."""
        if self.get(key) is None:
            return None
        return Block(self.document, self.text_of_file, (*self.path, key), self.problems)


def shown(value: Any) -> str:
    """Return a value as a problem names it."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return "a block"
    if isinstance(value, list):
        return "a list"
    return f"the text `{value[:60]}`" if isinstance(value, str) else f"`{value}`"

"""The lines of source that turn the value `v` into masks.

`Direct` takes the masks of one table at once. `Digit` only says which of a table's few cases the value is;
a `Combined` adds up the digits of several such tables, and remembers the masks of each sum that it met.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from adapter.rules.index.bitmaps import Masks, Table

Constant = Callable[[Any], str]
#: The most bytes that the masks remembered by one Combined may take.
_MAX_BYTES = 4_000_000
_MAX_CASES = 32
_LIMIT = 2**53
_MAX_SUMS = 512


class Lookup(Protocol):
    """How the lines for one table are written, by what `v` is."""

    def fixed(self, masks: Masks) -> list[str]:
        """Return the lines for masks known beforehand."""
        ...

    def texts(self, table: Table) -> list[str]:
        """Return the lines for a text."""
        ...

    def numbers(self, table: Table) -> list[str]:
        """Return the lines for a float, or an int that floats can tell apart."""
        ...

    def rare(self, table: Table) -> list[str]:
        """Return the lines for anything else."""
        ...


def dispatched(table: Table, lookup: Lookup) -> list[str]:
    """Return the lines that look `v` up by its class, the likeliest class first."""
    number = ("c is float or c is int and -LIMIT <= v <= LIMIT", lookup.numbers(table))
    text = ("c is str", lookup.texts(table))
    truths = [("v is True", lookup.fixed(table.true)), ("v is False", lookup.fixed(table.false))]
    if table.mentions_numbers:
        likely = [number, text, *truths]
    else:
        likely = [text, *truths, number] if table.mentions_texts else [*truths, text, number]
    lines = ["c = v.__class__"]
    for place, (condition, body) in enumerate([*likely, ("v is ABSENT", lookup.fixed(table.absent))]):
        lines += [f"{'el' if place else ''}if {condition}:", *(f" {line}" for line in body)]
    return [*lines, "else:", *(f" {line}" for line in lookup.rare(table))]


class Direct(Struct, frozen=True):
    """Takes masks as they are found; `into` says what each plane does: `mask &=`, `g0 |=`."""

    into: Sequence[str]
    everything: int
    constant: Constant

    def fixed(self, masks: Masks) -> list[str]:
        """Leave out what changes nothing."""
        pairs = zip(self.into, masks, strict=True)
        nothing = {"&": self.everything, "|": 0}
        lines = [f"{into} {self.constant(mask)}" for into, mask in pairs if mask != nothing[into[-2]]]
        return lines or ["pass"]

    def taken(self, found: str) -> list[str]:
        """Return the lines that take the masks that an expression gives as a tuple."""
        if len(self.into) == 1:
            return [f"{self.into[0]} {found}[0]"]
        names = [f"m{place}" for place in range(len(self.into))]
        each = [f"{one} {name}" for one, name in zip(self.into, names, strict=True)]
        return [f"{', '.join(names)} = {found}", *each]

    def texts(self, table: Table) -> list[str]:
        """Look into a dict, or where that would be too large into what it was made of."""
        masks = table.by_text()
        if masks is None:
            return self.taken(f"{self.constant(table.of_text)}(v)")
        if not masks:
            return self.fixed(table.unmentioned)
        return self.taken(f"{self.constant(masks.get)}(v, {self.constant(table.unmentioned)})")

    def numbers(self, table: Table) -> list[str]:
        """Find the stretch by bisection."""
        masks = table.by_stretch()
        place = f"upto({self.constant(table.points)}, v)"
        if masks is None:
            return self.taken(f"{self.constant(table.of_stretch)}({place})")
        if len(set(masks)) == 1:
            return self.fixed(masks[0])
        return self.taken(f"{self.constant(masks)}[{place}]")

    def rare(self, table: Table) -> list[str]:
        """Ask the table."""
        return self.taken(f"{self.constant(table.rare)}(v)")


class Digit:
    """Adds the number of a table's case, times `unit`, to `i`."""

    def __init__(self, cases: Sequence[Masks], unit: int, constant: Constant) -> None:
        self.numbers_of = {masks: number * unit for number, masks in enumerate(cases)}
        self.add = "i +=" if unit > 1 else "i ="
        self.constant = constant

    def fixed(self, masks: Masks) -> list[str]:
        """Add a number known beforehand."""
        return [f"{self.add} {self.numbers_of[masks]}"]

    def texts(self, table: Table) -> list[str]:
        """Look the number up by text."""
        found = {text: self.numbers_of[masks] for text, masks in (table.by_text() or {}).items()}
        default = self.numbers_of[table.unmentioned]
        return (
            [f"{self.add} {self.constant(found.get)}(v, {default})"]
            if found
            else self.fixed(table.unmentioned)
        )

    def numbers(self, table: Table) -> list[str]:
        """Find the stretch by bisection, and its number."""
        stretches = [self.numbers_of[masks] for masks in table.by_stretch() or []]
        if len(set(stretches)) == 1:
            return [f"{self.add} {stretches[0]}"]
        return [f"{self.add} {self.constant(stretches)}[upto({self.constant(table.points)}, v)]"]

    def rare(self, table: Table) -> list[str]:
        """Ask the table, and look its answer up."""
        return [f"{self.add} {self.constant(self.numbers_of)}[{self.constant(table.rare)}(v)]"]


class Part(Struct, frozen=True, eq=False):
    """One table of a Combined, with what its planes do, and its cases."""

    table: Table
    into: tuple[str, ...]
    cases: tuple[Masks, ...]


class Combined:
    """The masks of several small tables at once, by the sum of their digits."""

    def __init__(self, parts: Sequence[Part], width: int) -> None:
        self.parts = parts
        self.into = tuple(dict.fromkeys(into for part in parts for into in part.into))
        self.units = [1]
        for part in parts:
            self.units.append(self.units[-1] * len(part.cases))
        self.known: dict[int, Masks] = {}
        self.room = max(64, _MAX_BYTES * 8 // (width * len(self.into)))

    def fill(self, total: int) -> Masks:
        """Return the masks of a sum of digits, and remember them while there is room."""
        found: dict[str, int] = {}
        for part, unit in zip(self.parts, self.units, strict=False):
            masks = part.cases[total // unit % len(part.cases)]
            for into, mask in zip(part.into, masks, strict=True):
                before = found.get(into)
                combined = mask if before is None else before & mask if into[-2] == "&" else before | mask
                found[into] = combined
        answer = tuple(found[into] for into in self.into)
        if len(self.known) < self.room:
            self.known[total] = answer
        return answer


def combined(parts: Sequence[Part], width: int) -> list[Combined]:
    """Return the small tables in groups whose sums stay few; what is left over is looked up directly."""
    groups: list[list[Part]] = []
    sums: list[int] = []
    for part in sorted(parts, key=lambda part: len(part.cases)):
        size = len(part.cases)
        if sums and sums[-1] * size <= _MAX_SUMS:
            groups[-1].append(part)
            sums[-1] *= size
        else:
            groups.append([part])
            sums.append(size)
    return [Combined(group, width) for group in groups if len(group) > 1]


def small(table: Table, into: Sequence[str]) -> Part | None:
    """Return a table as a part of a Combined, None when it has too many cases.

    Among numbers that floats cannot tell apart there may be cases that no stretch has.
    """
    if any(abs(point) > _LIMIT for point in table.points[1:-1]):
        return None
    texts, stretches = table.by_text(), table.by_stretch()
    if texts is None or stretches is None or len(texts) + len(stretches) > 4 * _MAX_CASES:
        return None
    kinds = (
        table.true,
        table.false,
        table.null,
        table.absent,
        table.unusable,
        table.other,
        table.unmentioned,
    )
    cases = tuple(dict.fromkeys((*kinds, *texts.values(), *stretches)))
    return Part(table, tuple(into), cases) if len(cases) <= _MAX_CASES else None

"""What the index looks up: for each value an event can bring, the mask of the conditions that it satisfies.

A mask is an int with one bit for each condition. Along the numbers it changes only where a condition
mentions one; a sweep over them records the changes, and where too many masks would be kept, only every
few are, with the bits that change in between.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from msgspec import Struct

from adapter.rules.index.atoms import Member, Scalar, Test
from adapter.rules.language.values import ABSENT, MAX_ELEMENTS, UNUSABLE, exact, settled

#: The most bytes that the masks of one table may take.
_MAX_BYTES = 4_000_000
_FEW = 8


class Entry(Struct, frozen=True):
    """One condition's demand on one value; `bit` is the condition's."""

    bit: int
    numbers: tuple[Any, ...]
    texts: tuple[str, ...]
    test: Test


def entry(bit: int, alternatives: Sequence[Sequence[Scalar]]) -> Entry:
    """Return the demand that in each clause at least one of its atoms holds."""
    atoms = [atom for clause in alternatives for atom in clause]
    numbers = tuple({number: None for atom in atoms for number in atom.numbers})
    texts = tuple({text: None for atom in atoms for text in atom.texts})
    if len(atoms) == 1:
        return Entry(bit, numbers, texts, atoms[0].test)
    tests = [[atom.test for atom in clause] for clause in alternatives]
    return Entry(bit, numbers, texts, lambda value: all(any(test(value) for test in some) for some in tests))


def bits(found: Iterable[int], width: int) -> int:
    """Return the mask with these bits set."""
    packed = bytearray(width // 8 + 1)
    for bit in found:
        packed[bit >> 3] |= 1 << (bit & 7)
    return int.from_bytes(packed, "little")


class Texts:
    """Masks by text: one for any text not mentioned, and for each mentioned one its own."""

    def __init__(self, entries: Sequence[Entry], free: int, width: int) -> None:
        unmentioned = _unlike({text for entry in entries for text in entry.texts})
        others = {entry.bit: entry.test(unmentioned) for entry in entries}
        self.default = free | bits((bit for bit, holds in others.items() if holds), width)
        changes: dict[str, list[int]] = defaultdict(list)
        for one in entries:
            for text in one.texts:
                if one.test(text) is not others[one.bit]:
                    changes[text].append(one.bit)
        sparse = len(changes) * width // 8 > _MAX_BYTES
        self.few = {text: tuple(found) for text, found in changes.items() if sparse and len(found) <= _FEW}
        self.masks = {text: self.default ^ bits(found, width)
                      for text, found in changes.items() if text not in self.few}  # fmt: skip

    def get(self, text: str, default: int) -> int:
        """Return the mask of a text, as dict.get does where nothing is sparse."""
        mask = self.masks.get(text)
        if mask is None:
            mask = default
            for bit in self.few.get(text, ()):
                mask ^= 1 << bit
        return mask


class Numbers:
    """Masks by number: `masks[i]` for the i-th stretch, which are the points and the gaps between them."""

    def __init__(self, entries: Sequence[Entry], free: int, width: int) -> None:
        self.points = sorted({number for entry in entries for number in entry.numbers})
        places = {point: place for place, point in enumerate(self.points)}
        lowest = exact(self.points[0]) - 1 if self.points else 0
        changes: dict[int, list[int]] = defaultdict(list)
        start = bits((one.bit for one in entries if _follow(one, lowest, places, changes)), width)
        stretches = 2 * len(self.points) + 1
        self.stride = max(1, stretches * width // 8 // _MAX_BYTES)
        self.changes = changes
        self.masks: list[int] = []
        mask = free | start
        for stretch in range(stretches):
            if stretch in changes:
                mask ^= bits(changes[stretch], width)
            if stretch % self.stride == 0:
                self.masks.append(mask)

    def at(self, stretch: int) -> int:
        """Return the mask of a stretch where not all are kept."""
        kept = stretch // self.stride
        mask = self.masks[kept]
        for passed in range(kept * self.stride + 1, stretch + 1):
            for bit in self.changes.get(passed, ()):
                mask ^= 1 << bit
        return mask


def _follow(one: Entry, lowest: Any, places: dict[Any, int], changes: dict[int, list[int]]) -> bool:
    """Record where the demand changes along the numbers; return whether it holds below all of them."""
    points = sorted(one.numbers)
    first = state = one.test(lowest)
    for index, point in enumerate(points):
        above = points[index + 1] if index + 1 < len(points) else None
        for offset, value in ((1, point), (2, _between(point, above))):
            holds = one.test(value)
            if holds is not state:
                changes[2 * places[point] + offset].append(one.bit)
                state = holds
    return first


def _between(low: Any, high: Any) -> Any:
    if high is None:
        return exact(low) + 1
    middle = (low + high) / 2
    return middle if low < middle < high else Fraction(exact(low) + exact(high)) / 2


def _unlike(mentioned: set[str]) -> str:
    text = "\0"
    while text in mentioned:
        text += "\0"
    return text


class Table:
    """All the masks for one value: by text, by number, and by each of the few other things it can be."""

    def __init__(self, entries: Sequence[Entry], free: int, width: int) -> None:
        def mask(value: Any) -> int:
            return free | bits((one.bit for one in entries if one.test(value)), width)

        self.constrained = bits((one.bit for one in entries), width)
        self.texts = Texts(entries, free, width)
        self.numbers = Numbers(entries, free, width)
        self.true, self.false = mask(value=True), mask(value=False)
        self.null, self.absent, self.unusable = mask(None), mask(ABSENT), mask(UNUSABLE)
        self.other = mask([])

    def rare(self, value: Any) -> int:
        """Return the mask of anything that is not text, not a finite number and not a boolean."""
        if value is None:
            return self.null
        if value is ABSENT:
            return self.absent
        plain = settled(value)
        if plain is UNUSABLE:
            return self.unusable
        if plain.__class__ is int or plain.__class__ is float:
            points = self.numbers.points
            below = sum(point < plain for point in points)
            return self.numbers.at(2 * below + (plain in points))
        return self.other


class Members:
    """Masks of what arrays hold: `wanted` conditions need one of theirs in it, `denied` ones none."""

    def __init__(self, wanted: dict[int, list[Member]], denied: dict[int, list[Member]], width: int) -> None:
        everything = (1 << width) - 1
        self.constrained = bits((*wanted, *denied), width)
        self.free = everything ^ self.constrained
        self.unwanting = everything ^ bits(wanted, width)
        self.everything = everything
        self.found = _by_constant(wanted, width)
        self.killed = _by_constant(denied, width)

    def mask(self, value: Any) -> int:
        """Return the conditions that an array, or an object's keys, satisfies; anything else does none."""
        if value.__class__ not in (list, tuple, dict) or len(value) > MAX_ELEMENTS:
            return self.free
        found, killed = self.unwanting, 0
        for element in value:
            key = _constant_key(element)
            found |= self.found.get(key, 0)
            killed |= self.killed.get(key, 0)
        return found & (self.everything ^ killed)


def _constant_key(element: Any) -> Any:
    if element.__class__ is str:
        return element
    plain = settled(element)
    if plain.__class__ is bool:
        return (plain,)
    return plain if plain.__class__ in (int, float) else None


def _by_constant(wanted: dict[int, list[Member]], width: int) -> dict[Any, int]:
    found: dict[Any, list[int]] = defaultdict(list)
    for bit, members in wanted.items():
        for member in members:
            found[_constant_key(member.constant)].append(bit)
    return {constant: bits(some, width) for constant, some in found.items()}

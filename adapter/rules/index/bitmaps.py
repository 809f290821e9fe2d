"""What the index looks up: for each value an event can bring, the mask of the conditions that it satisfies.

A mask is an int with one bit for each condition. Along the numbers it changes only where a condition
mentions one; a sweep over them records the changes, and where too many masks would be kept, only every
few are, with the bits that change in between.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import inf, nextafter
from sys import float_info
from typing import Any

from msgspec import Struct

from adapter.rules.expressions.values import ABSENT, NUMBERS, UNUSABLE, settled
from adapter.rules.index.predicates import Member, Scalar, Test

#: The most bytes that the masks of one table may take.
_MAX_BYTES = 4_000_000
_FEW = 8
_LARGE = 2**63


Group = dict[int, list[Member]]
#: One mask for each plane of a table.
Masks = tuple[int, ...]


class Demand(Struct, frozen=True, gc=False):
    """One condition's demand on one value; `bit` is the condition's."""

    bit: int
    numbers: tuple[Any, ...]
    texts: tuple[str, ...]
    test: Test


def entry(bit: int, alternatives: Sequence[Sequence[Scalar]]) -> Demand:
    """Return the demand that in each clause at least one of its atoms holds."""
    atoms = [atom for clause in alternatives for atom in clause]
    if len(atoms) == 1:
        return Demand(bit, atoms[0].numbers, atoms[0].texts, atoms[0].test)
    numbers = tuple({number: None for atom in atoms for number in atom.numbers})
    texts = tuple({text: None for atom in atoms for text in atom.texts})
    tests = [[atom.test for atom in clause] for clause in alternatives]
    return Demand(bit, numbers, texts, lambda value: all(any(test(value) for test in some) for some in tests))


def bits(found: Iterable[int], width: int) -> int:
    """Return the mask with these bits set."""
    packed = bytearray(width // 8 + 1)
    for bit in found:
        packed[bit >> 3] |= 1 << (bit & 7)
    return int.from_bytes(packed, "little")


class Plane(Struct, frozen=True):
    """Demands whose masks are taken together, and the bits that are set whatever the value."""

    entries: Sequence[Demand]
    free: int


class Stretches:
    """Masks one after another, each differing from the one before in a few bits.

    Of very many wide ones only every `stride`-th is kept.
    """

    def __init__(self, start: int, changes: dict[int, list[int]], count: int, width: int) -> None:
        self.changes = changes
        self.stride = -(-count * width // 8 // _MAX_BYTES) or 1
        self.masks: list[int] = []
        for place in range(count):
            if place in changes:
                start ^= bits(changes[place], width)
            if place % self.stride == 0:
                self.masks.append(start)

    def at(self, place: int) -> int:
        """Return the mask at a place."""
        kept = place // self.stride
        mask = self.masks[kept]
        for passed in range(kept * self.stride + 1, place + 1):
            for bit in self.changes.get(passed, ()):
                mask ^= 1 << bit
        return mask


def boundaries(entries: Sequence[Demand]) -> list[Any]:
    """Return the numbers, sorted, at which a demand may change: each one mentioned, and the next float."""
    if len(entries) == 1 and len(entries[0].numbers) == 1:
        return [entries[0].numbers[0], _next(entries[0].numbers[0])]
    mentioned = {number for one in entries for number in one.numbers}
    return sorted(mentioned | {_next(number) for number in mentioned})


def _next(number: Any) -> float:
    near = float(number)
    return near if near > number else nextafter(near, inf)


def along(plane: Plane, points: Sequence[Any], width: int) -> Stretches:
    """Return a plane's masks for the numbers below `points[0]`, from there to below `points[1]`, and so on.

    That is for all floats, and for ints that floats can tell apart.
    """
    places = {point: place for place, point in enumerate(points, 1)}
    changes: dict[int, list[int]] = defaultdict(list)
    start = []
    for one in plane.entries:
        state = one.test(-inf)
        if state:
            start.append(one.bit)
        for point in boundaries([one]):
            holds = one.test(point)
            if holds is not state:
                changes[places[point]].append(one.bit)
                state = holds
    return Stretches(plane.free | bits(start, width), changes, len(points) + 1, width)


class Texts:
    """A plane's masks by text: for each mentioned one its own, and one for all the others."""

    def __init__(self, plane: Plane, width: int) -> None:
        unmentioned = _unlike({text for one in plane.entries for text in one.texts})
        others = {one.bit: one.test(unmentioned) for one in plane.entries}
        self.default = plane.free | bits((bit for bit, holds in others.items() if holds), width)
        changes: dict[str, list[int]] = defaultdict(list)
        for one in plane.entries:
            for text in one.texts:
                if one.test(text) is not others[one.bit]:
                    changes[text].append(one.bit)
        self.sparse = len(changes) * width // 8 > _MAX_BYTES
        few = {text for text, found in changes.items() if self.sparse and len(found) <= _FEW}
        self.few = {text: changes[text] for text in few}
        self.masks = {text: self.default ^ bits(changes[text], width) for text in changes.keys() - few}

    def at(self, text: str) -> int:
        """Return the mask of a text."""
        mask = self.masks.get(text)
        if mask is None:
            mask = self.default
            for bit in self.few.get(text, ()):
                mask ^= 1 << bit
        return mask


def _unlike(mentioned: set[str]) -> str:
    text = "\0"
    while text in mentioned:
        text += "\0"
    return text


class Table:
    """All the masks for one value, plane by plane: by number, by text, and by what else it can be."""

    def __init__(self, planes: Sequence[Plane], width: int) -> None:
        self.planes = planes
        self.width = width
        points = boundaries([one for plane in planes for one in plane.entries])
        self.numbers = [along(plane, points, width) for plane in planes]
        self.points = [-float_info.max, *points, inf]
        self.texts = [Texts(plane, width) for plane in planes]
        self.mentions_numbers = bool(points)
        self.mentions_texts = any(texts.masks or texts.few for texts in self.texts)
        self.unmentioned = tuple(texts.default for texts in self.texts)
        self.true, self.false = self.masks(value=True), self.masks(value=False)
        self.null, self.absent, self.unusable = self.masks(None), self.masks(ABSENT), self.masks(UNUSABLE)
        self.other = self.masks([])

    def masks(self, value: Any) -> Masks:
        """Return the masks of a value by asking every demand."""
        return tuple(
            plane.free | bits((one.bit for one in plane.entries if one.test(value)), self.width)
            for plane in self.planes
        )

    def by_text(self) -> dict[str, Masks] | None:
        """Return the masks of the texts mentioned, None when there are too many to keep."""
        if any(texts.sparse for texts in self.texts):
            return None
        mentioned = dict.fromkeys(text for texts in self.texts for text in texts.masks)
        return {text: self.of_text(text) for text in mentioned}

    def of_text(self, text: str) -> Masks:
        """Return the masks of a text."""
        return tuple(texts.at(text) for texts in self.texts)

    def by_stretch(self) -> list[Masks] | None:
        """Return the masks between the points, None when there are too many to keep.

        Below the first point is only minus infinity, beyond the last infinity and (to bisect_right) NaN.
        """
        if any(stretches.stride > 1 for stretches in self.numbers):
            return None
        finite = zip(*(stretches.masks for stretches in self.numbers), strict=True)
        return [self.unusable, *finite, self.unusable]

    def of_stretch(self, place: int) -> Masks:
        """Return the masks of the numbers from the point before that place to the point at it."""
        if place in (0, len(self.points)):
            return self.unusable
        return tuple(stretches.at(place - 1) for stretches in self.numbers)

    def rare(self, value: Any) -> Masks:
        """Return the masks of what is not text, a boolean, a float or an int of 53 bits.

        A fraction has those of its stretch, unless it is so near to a point that only exactness decides.
        """
        if value is None:
            return self.null
        if value is ABSENT:
            return self.absent
        plain = settled(value)
        if plain is UNUSABLE:
            return self.unusable
        if plain.__class__ is Fraction and abs(plain) < _LARGE:
            place = bisect_right(self.points, nextafter(float(plain), -inf))
            if place == bisect_right(self.points, nextafter(float(plain), inf)):
                return self.of_stretch(place)
        return self.masks(plain) if plain.__class__ in NUMBERS else self.other


class Members:
    """What arrays hold: of each `wanted` and `layered` group a condition needs one member, of `denied` none.

    An array is the set of its elements that some condition names, a bit each; the masks of every such set met
    are remembered while there is room.
    """

    def __init__(self, wanted: Sequence[Group], layered: Sequence[Group], denied: Group, width: int) -> None:
        everything = (1 << width) - 1
        self.wanted = [(everything ^ bits(group, width), _by_constant(group, width)) for group in wanted]
        self.layered = [_by_constant(group, width) for group in layered]
        self.denied = _by_constant(denied, width)
        self.everything = everything
        outside = everything ^ bits((bit for group in (*wanted, denied) for bit in group), width)
        self.outside: Masks = (outside, *(0 for _ in layered))
        named = (*(masks for _, masks in self.wanted), *self.layered, self.denied)
        self.constants = list(dict.fromkeys(constant for masks in named for constant in masks))
        self.places = {constant: 1 << place for place, constant in enumerate(self.constants)}
        self.known: dict[int, Masks] = {}
        self.room = max(64, _MAX_BYTES * 8 // (width * len(self.outside)))

    def place(self, element: Any) -> int:
        """Return the bit of an element that is not text, 0 when no condition names it."""
        return self.places.get(_constant_key(element), 0)

    def fill(self, total: int) -> Masks:
        """Return the masks of a set of elements, and remember them while there is room."""
        held = [constant for place, constant in enumerate(self.constants) if total >> place & 1]
        mask = self.everything
        for start, masks in self.wanted:
            mask &= _united(masks, held) | start
        mask &= self.everything ^ _united(self.denied, held)
        answer = (mask, *(_united(masks, held) for masks in self.layered))
        if len(self.known) < self.room:
            self.known[total] = answer
        return answer


def _united(masks: dict[Any, int], held: Sequence[Any]) -> int:
    united = 0
    for constant in held:
        united |= masks.get(constant, 0)
    return united


def _constant_key(element: Any) -> Any:
    if element.__class__ is str:
        return element
    plain = settled(element)
    if plain.__class__ is bool:
        return (plain,)
    return plain if plain.__class__ in (int, float) else None


def _by_constant(wanted: Group, width: int) -> dict[Any, int]:
    found: dict[Any, list[int]] = defaultdict(list)
    for bit, members in wanted.items():
        for member in members:
            found[_constant_key(member.constant)].append(bit)
    return {constant: bits(some, width) for constant, some in found.items()}

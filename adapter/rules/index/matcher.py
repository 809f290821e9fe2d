"""The plan as one Python function: every value read once, every mask combined.

    mask = all conditions
    for each value:     mask &= the conditions that it satisfies or that do not ask for it
                        layer |= the conditions of which it satisfies an alternative
    for each layer:     mask &= layer
    for each metric:    likewise, if a condition that is left asks for it
    the residue:        evaluated for what is left

A value that is missing or of the wrong type satisfies nothing, so the mask is that of the conditions that
do not ask for it. As in language/compiler.py, only our own names enter the source.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from adapter.rules.index.atoms import Key, Member, Scalar
from adapter.rules.index.plan import Demands, Plan
from adapter.rules.index.residue import Residue
from adapter.rules.index.tables import Group, Members, Plane, Table, bits, entry
from adapter.rules.language.nodes import Metric, Path
from adapter.rules.language.values import ABSENT, MAX_ELEMENTS
from adapter.rules.language.view import View

Match = Callable[[View], int]
#: The layers that a value takes part in: the layer's number, and each condition's atoms over the value.
Layered = list[tuple[int, dict[int, list[Any]]]]
_LETTERS = {"attributes": "A", "traits": "T", "context": "C"}


def compiled(plan: Plan, noted: tuple[Path, ...]) -> Match:
    """Return the function that says which conditions hold of a view; `noted` are the paths it reads."""
    return _Matcher(plan, noted).match


class _Matcher:
    def __init__(self, plan: Plan, noted: tuple[Path, ...]) -> None:
        self.plan = plan
        self.everything = (1 << plan.width) - 1
        self.namespace: dict[str, Any] = {
            "ABSENT": ABSENT, "LIMIT": 2**53, "ARRAYS": frozenset((list, tuple, dict)), "LONGEST": MAX_ELEMENTS,
            "upto": bisect_right, "noted": (noted,),
            "start": self.everything ^ bits(plan.never, plan.width),
        }  # fmt: skip
        self.lines: list[str] = []
        self._write()
        source = "\n ".join(("def match(view):", *self.lines))
        exec(source, self.namespace)  # noqa: S102 - our own code; constants are objects in its namespace
        self.match: Match = self.namespace["match"]

    def constant(self, value: Any) -> str:
        name = f"k{len(self.namespace)}"
        self.namespace[name] = value
        return name

    def _write(self) -> None:
        layered = self._layered()
        self.lines += ["view.noted += noted", "mask = start", "A = view.attributes", "T = view.traits",
                       "C = view.context"]  # fmt: skip
        for number, layer in enumerate(self.plan.layers):
            outside = self.everything ^ bits(layer, self.plan.width)
            self.lines.append(f"g{number} = {self.constant(outside)}")
        paths = dict.fromkeys((*self.plan.scalars, *layered, *self.plan.wanted, *self.plan.denied))
        for key in paths:
            if isinstance(key, Path):
                self._path(key, layered.get(key, []))
        self.lines += [f"mask &= g{number}" for number in range(len(self.plan.layers))]
        self.lines.append("if not mask: return 0")
        for key, demands in self.plan.scalars.items():
            if isinstance(key, Metric):
                self._metric(key, demands)
        residue = Residue(self.plan.residue, self.plan.width)
        if residue.bits:
            verify = self.constant(residue.verify)
            self.lines.append(f"if mask & {self.constant(residue.bits)}: mask = {verify}(mask, view)")
        self.lines.append("return mask")

    def _layered(self) -> dict[Key, Layered]:
        """Return by value the layers that it takes part in, with each condition's atoms over it."""
        found: dict[Key, Layered] = defaultdict(list)
        for number, layer in enumerate(self.plan.layers):
            by_key: dict[Key, dict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
            for bit, atoms in layer.items():
                for one in atoms:
                    by_key[one.key][bit].append(one)
            for key, demands in by_key.items():
                found[key].append((number, demands))
        return found

    def _plane(self, demands: Demands) -> Plane:
        free = self.everything ^ bits(demands, self.plan.width)
        return Plane([entry(bit, found) for bit, found in demands.items()], free)

    def _path(self, key: Path, layered: Layered) -> None:
        self._read(key)
        into = ["mask &="]
        planes = [self._plane(self.plan.scalars.get(key, {}))]
        for number, atoms in layered:
            entries = [
                entry(bit, [scalars])
                for bit, found in atoms.items()
                if (scalars := [one for one in found if isinstance(one, Scalar)])
            ]
            if entries:
                planes.append(Plane(entries, 0))
                into.append(f"g{number} |=")
        if any(plane.entries for plane in planes):
            self.lines += self._dispatched(into, Table(planes, self.plan.width))
        self._members(key, layered)

    def _read(self, key: Path) -> None:
        if len(key.fields) != 1 or key.root not in ("", *_LETTERS):
            self.lines.append(f"v = view.values[{self.constant(key)}]")
            return
        name = self.constant(key.fields[0])
        places = [_LETTERS[key.root]] if key.root else ["A", "T", "C"]
        found = " else ".join(f"{place}[{name}] if {name} in {place}" for place in places)
        self.lines.append(f"v = {found} else ABSENT")

    def _metric(self, key: Metric, demands: Demands) -> None:
        self.lines.append(f"if mask & {self.constant(bits(demands, self.plan.width))}:")
        table = Table([self._plane(demands)], self.plan.width)
        body = [f"v = view.values[{self.constant(key)}]", *self._dispatched(["mask &="], table)]
        self.lines += [f" {line}" for line in body]

    def _dispatched(self, into: list[str], table: Table) -> list[str]:
        """Return the lines that take the masks of `v` by its class, the likeliest class first."""
        number = (
            "c is float or c is int and -LIMIT <= v <= LIMIT",
            self._number(into, table),
        )
        text = ("c is str", self._text(into, table))
        truths = [
            ("v is True", self._fixed(into, table.true)),
            ("v is False", self._fixed(into, table.false)),
        ]
        likely = [number, text, *truths] if len(table.points) > 2 else [text, number, *truths]
        if len(table.points) == 2 and not any(texts.masks or texts.few for texts in table.texts):
            likely = [*truths, text, number]
        lines = ["c = v.__class__"]
        for place, (condition, body) in enumerate(
            [*likely, ("v is ABSENT", self._fixed(into, table.absent))]
        ):
            lines += [f"{'el' if place else ''}if {condition}:", *(f" {line}" for line in body)]
        return [
            *lines,
            "else:",
            *(f" {line}" for line in self._taken(into, f"{self.constant(table.rare)}(v)")),
        ]

    def _fixed(self, into: list[str], masks: tuple[int, ...]) -> list[str]:
        """Return the lines that take masks known beforehand; those that change nothing are left out."""
        lines = [
            f"{one} {self.constant(mask)}"
            for one, mask in zip(into, masks, strict=True)
            if mask != (0 if one.startswith("g") else self.everything)
        ]
        return lines or ["pass"]

    def _taken(self, into: list[str], found: str) -> list[str]:
        """Return the lines that take the masks that an expression gives as a tuple."""
        if len(into) == 1:
            return [f"{into[0]} {found}[0]"]
        names = [f"m{place}" for place in range(len(into))]
        return [
            f"{', '.join(names)} = {found}",
            *(f"{one} {name}" for one, name in zip(into, names, strict=True)),
        ]

    def _text(self, into: list[str], table: Table) -> list[str]:
        masks = table.by_text()
        if masks is None:
            return self._taken(into, f"{self.constant(table.of_text)}(v)")
        default = tuple(texts.default for texts in table.texts)
        if not masks:
            return self._fixed(into, default)
        return self._taken(into, f"{self.constant(masks.get)}(v, {self.constant(default)})")

    def _number(self, into: list[str], table: Table) -> list[str]:
        masks = table.by_stretch()
        place = f"upto({self.constant(table.points)}, v)"
        if masks is None:
            return self._taken(into, f"{self.constant(table.of_stretch)}({place})")
        if len(set(masks)) == 1:
            return self._fixed(into, masks[0])
        return self._taken(into, f"{self.constant(masks)}[{place}]")

    def _members(self, key: Path, layered: Layered) -> None:
        """Write the pass over an array: `aN` collects a wanted group, `gN` a layer, `x` what is denied."""
        wanted, denied = self.plan.wanted.get(key, []), self.plan.denied.get(key, {})
        groups: dict[str, Group] = {}
        for number, atoms in layered:
            members = {bit: [one for one in found if isinstance(one, Member)] for bit, found in atoms.items()}
            if any(members.values()):
                groups[f"g{number}"] = {bit: found for bit, found in members.items() if found}
        if not (wanted or denied or groups):
            return
        table = Members(wanted, list(groups.values()), denied, self.plan.width)
        starts = {f"a{place}": start for place, start in enumerate(table.starts)}
        into = [*starts, *groups, *(["x"] if denied else [])]
        names = [f"m{place}" for place in range(len(into))]
        get, rare = self.constant(table.found.get), self.constant(table.of_rare)
        self.lines += [
            "if v.__class__ in ARRAYS and len(v) <= LONGEST:",
            *(f" {name} = {self.constant(start)}" for name, start in starts.items()),
            *([" x = 0"] if denied else []),
            " for e in v:",
            f"  m = {get}(e) if e.__class__ is str else {rare}(e)",
            "  if m is not None:",
            f"   {', '.join(names)}, = m",
            *(f"   {one} |= {name}" for one, name in zip(into, names, strict=True)),
            *(f" mask &= {name}" for name in starts),
            *([f" mask &= {self.constant(self.everything)} ^ x"] if denied else []),
            f"else: mask &= {self.constant(table.outside)}",
        ]

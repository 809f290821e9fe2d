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
from collections.abc import Callable, Sequence
from typing import Any

from adapter.rules.expressions.evaluation_context import EvaluationContext
from adapter.rules.expressions.typed_tree import Metric, Path
from adapter.rules.expressions.values import ABSENT, MAX_ELEMENTS
from adapter.rules.index.bitmaps import Group, Members, Plane, Table, bits, entry
from adapter.rules.index.codegen_lookup import Combined, Digit, Direct, Part, combined, dispatched, small
from adapter.rules.index.fallback import Residue
from adapter.rules.index.order import window
from adapter.rules.index.plan import Demands, Plan
from adapter.rules.index.predicates import Key, Member, Scalar

Match = Callable[[EvaluationContext], int]
#: The layers that a value takes part in: the layer's number, and each condition's atoms over the value.
Layered = list[tuple[int, dict[int, list[Any]]]]
_LETTERS = {"attributes": "A", "traits": "T", "context": "C"}


def compiled(plan: Plan) -> Match:
    """Return the function that says which conditions hold in an evaluation context."""
    return _Matcher(plan).match


class _Matcher:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.everything = (1 << plan.width) - 1
        self.namespace: dict[str, Any] = {
            "ABSENT": ABSENT, "LIMIT": 2**53, "LONGEST": MAX_ELEMENTS,
            "ARRAYS": frozenset((list, tuple, dict)), "upto": bisect_right,
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
        self.lines += ["mask = start", "A = view.attributes", "T = view.traits",
                       "C = view.context"]  # fmt: skip
        windows = [window(layer, self.plan.width) for layer in self.plan.layers]
        for number, (layer, (start, end)) in enumerate(zip(self.plan.layers, windows, strict=True)):
            outside = (1 << end - start) - 1 ^ bits((bit - start for bit in layer), end - start)
            self.lines.append(f"g{number} = {self.constant(outside)}")
        self._paths(layered)
        self.lines += [self._put(f"g{number}", *bounds) for number, bounds in enumerate(windows)]
        self.lines.append("if not mask: return 0")
        for key, demands in self.plan.scalars.items():
            if isinstance(key, Metric):
                self._metric(key, demands)
        residue = Residue(self.plan.residue, self.plan.width)
        if residue.bits:
            verify = self.constant(residue.verify)
            self.lines.append(f"if mask & {self.constant(residue.bits)}: mask = {verify}(mask, view)")
        self.lines.append("return mask")

    def _put(self, layer: str, start: int, end: int) -> str:
        """Return the line that takes a layer's mask of a window, and leaves what is outside of it."""
        outside = self.everything ^ (1 << end) - (1 << start)
        placed = f"{layer} << {start}" if start else layer
        return f"mask &= {placed} | {self.constant(outside)}" if outside else f"mask &= {layer}"

    def _layered(self) -> dict[Key, Layered]:
        """Return by value the layers that it takes part in, with each condition's atoms over it.

        Bits count from where the layer's window starts.
        """
        found: dict[Key, Layered] = defaultdict(list)
        for number, layer in enumerate(self.plan.layers):
            start, _ = window(layer, self.plan.width)
            by_key: dict[Key, dict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
            for bit, atoms in layer.items():
                for one in atoms:
                    by_key[one.key][bit - start].append(one)
            for key, demands in by_key.items():
                found[key].append((number, demands))
        return found

    def _plane(self, demands: Demands) -> Plane:
        free = self.everything ^ bits(demands, self.plan.width)
        return Plane([entry(bit, found) for bit, found in demands.items()], free)

    def _tabled(self, key: Path, layered: Layered) -> tuple[tuple[str, ...], Table] | None:
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
        used = any(plane.entries for plane in planes)
        return (tuple(into), Table(planes, self.plan.width)) if used else None

    def _paths(self, layered: dict[Key, Layered]) -> None:
        paths = dict.fromkeys((*self.plan.scalars, *layered, *self.plan.wanted, *self.plan.denied))
        parts: dict[Part, Path] = {}
        for key in paths:
            if not isinstance(key, Path):
                continue
            found = self._tabled(key, layered.get(key, []))
            part = small(found[1], found[0]) if found else None
            if part is not None:
                parts[part] = key
            elif found:
                self._read(key)
                self.lines += dispatched(found[1], self._direct(found[0]))
            self._members(key, layered.get(key, []))
        for group in combined(list(parts), self.plan.width):
            self._combined(group, [parts.pop(part) for part in group.parts])
        for part, key in parts.items():
            self._read(key)
            self.lines += dispatched(part.table, self._direct(part.into))

    def _combined(self, group: Combined, keys: list[Path]) -> None:
        for part, unit, key in zip(group.parts, group.units, keys, strict=False):
            self._read(key)
            self.lines += dispatched(part.table, Digit(part.cases, unit, self.constant))
        self._remembered(group, group.into)

    def _remembered(self, group: Combined, into: Sequence[str]) -> None:
        self.lines.append(f"m = {self.constant(group.known.get)}(i)")
        self.lines.append(f"if m is None: m = {self.constant(group.fill)}(i)")
        self.lines += self._direct(into).taken("m")

    def _direct(self, into: Sequence[str]) -> Direct:
        return Direct(into, self.everything, self.constant)

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
        body = [f"v = view.values[{self.constant(key)}]", *dispatched(table, self._direct(("mask &=",)))]
        self.lines += [f" {line}" for line in body]

    def _members(self, key: Path, layered: Layered) -> None:
        wanted, denied = self.plan.wanted.get(key, []), self.plan.denied.get(key, {})
        groups: dict[str, Group] = {}
        for number, atoms in layered:
            members = {bit: [one for one in found if isinstance(one, Member)] for bit, found in atoms.items()}
            if any(members.values()):
                groups[f"g{number} |="] = {bit: found for bit, found in members.items() if found}
        if not (wanted or denied or groups):
            return
        table = Members(wanted, list(groups.values()), denied, self.plan.width)
        get, place = self.constant(table.places.get), self.constant(table.place)
        self._read(key)
        self.lines += [
            "if v.__class__ in ARRAYS and len(v) <= LONGEST:",
            " i = 0",
            f" for e in v: i |= {get}(e, 0) if e.__class__ is str else {place}(e)",
            f" m = {self.constant(table.known.get)}(i)",
            f" if m is None: m = {self.constant(table.fill)}(i)",
            f"else: m = {self.constant(table.outside)}",
            *self._direct(("mask &=", *groups)).taken("m"),
        ]

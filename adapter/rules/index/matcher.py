"""The plan as one Python function: every value read once, every mask combined.

    mask = all conditions
    for each value:     mask &= the conditions that it satisfies or that do not ask for it
                        layer |= the conditions of which it satisfies an alternative
    for each layer:     mask &= layer, or not in the layer
    for each metric:    likewise, if a condition that is left asks for it
    the residue:        evaluated for what is left

A value that is missing or of the wrong type satisfies nothing, so the mask is that of the conditions that
do not ask for it. As in language/compiler.py, only our own names enter the source.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from adapter.rules.index.atoms import Key, Member, Scalar
from adapter.rules.index.plan import Plan
from adapter.rules.index.residue import Residue
from adapter.rules.index.tables import Entry, Members, Table, bits, entry
from adapter.rules.language.nodes import Metric, Path
from adapter.rules.language.values import ABSENT
from adapter.rules.language.view import View

Match = Callable[[View], int]
_LETTERS = {"attributes": "A", "traits": "T", "context": "C"}


def matcher(plan: Plan, noted: tuple[Path, ...]) -> Match:
    """Return the function that says which conditions hold of a view; `noted` are the paths it reads."""
    return _Matcher(plan, noted).match


class _Matcher:
    def __init__(self, plan: Plan, noted: tuple[Path, ...]) -> None:
        self.plan = plan
        self.everything = (1 << plan.width) - 1
        self.namespace: dict[str, Any] = {
            "ABSENT": ABSENT, "below": bisect_left, "upto": bisect_right, "noted": (noted,),
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
                       "C = view.context", "V = view.values"]  # fmt: skip
        self.lines += [f"g{number} = 0" for number in range(len(self.plan.layers))]
        paths = dict.fromkeys((*self.plan.scalars, *layered, *self.plan.wanted, *self.plan.denied))
        for key in paths:
            if isinstance(key, Path):
                self._path(key, layered.get(key, []))
        for number, layer in enumerate(self.plan.layers):
            outside = self.everything ^ bits(layer, self.plan.width)
            self.lines.append(f"mask &= g{number} | {self.constant(outside)}")
        self.lines.append("if not mask: return 0")
        for key, demands in self.plan.scalars.items():
            if isinstance(key, Metric):
                self._metric(key, self._table([entry(bit, found) for bit, found in demands.items()]))
        residue = Residue(self.plan.residue, self.plan.width)
        if residue.bits:
            verify = self.constant(residue.verify)
            self.lines.append(f"if mask & {self.constant(residue.bits)}: mask = {verify}(mask, view)")
        self.lines.append("return mask")

    def _layered(self) -> dict[Key, list[tuple[int, dict[int, list[Any]]]]]:
        """Return by value the layers that it takes part in, with each condition's atoms over it."""
        found: dict[Key, list[tuple[int, dict[int, list[Any]]]]] = defaultdict(list)
        for number, layer in enumerate(self.plan.layers):
            by_key: dict[Key, dict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
            for bit, atoms in layer.items():
                for one in atoms:
                    by_key[one.key][bit].append(one)
            for key, demands in by_key.items():
                found[key].append((number, demands))
        return found

    def _table(self, entries: list[Entry]) -> Table:
        free = self.everything ^ bits((one.bit for one in entries), self.plan.width)
        return Table(entries, free, self.plan.width)

    def _path(self, key: Path, layered: list[tuple[int, dict[int, list[Any]]]]) -> None:
        self._read(key)
        tables: list[tuple[str, Table]] = []
        if key in self.plan.scalars:
            demands = self.plan.scalars[key]
            tables.append(("mask &=", self._table([entry(bit, found) for bit, found in demands.items()])))
        for number, atoms in layered:
            entries = [
                entry(bit, [scalars])
                for bit, found in atoms.items()
                if (scalars := [one for one in found if isinstance(one, Scalar)])
            ]
            if entries:
                tables.append((f"g{number} |=", Table(entries, 0, self.plan.width)))
        if tables:
            self.lines += self._dispatched(tables)
        self._members(key, layered)

    def _read(self, key: Path) -> None:
        if len(key.fields) != 1 or key.root not in ("", *_LETTERS):
            self.lines.append(f"v = V[{self.constant(key)}]")
            return
        name = self.constant(key.fields[0])
        places = [_LETTERS[key.root]] if key.root else ["A", "T", "C"]
        found = " else ".join(f"{place}[{name}] if {name} in {place}" for place in places)
        self.lines.append(f"v = {found} else ABSENT")

    def _metric(self, key: Metric, table: Table) -> None:
        self.lines.append(f"if mask & {self.constant(table.constrained)}:")
        body = [f"v = V[{self.constant(key)}]", *self._dispatched([("mask &=", table)])]
        self.lines += [f" {line}" for line in body]

    def _dispatched(self, tables: list[tuple[str, Table]]) -> list[str]:
        """Return the lines that take the masks of `v` by its class."""
        branches: list[tuple[str, list[str]]] = [
            ("c is str", [f"{into} {self._text(table)}" for into, table in tables]),
            ("c is int or (c is float and v - v == 0.0)",
             [f"{into} {self._number(table)}" for into, table in tables]),
            ("v is True", [f"{into} {self.constant(table.true)}" for into, table in tables]),
            ("v is False", [f"{into} {self.constant(table.false)}" for into, table in tables]),
            ("v is ABSENT", [f"{into} {self.constant(table.absent)}" for into, table in tables]),
        ]  # fmt: skip
        lines = ["c = v.__class__"]
        for number, (condition, body) in enumerate(branches):
            lines += [f"{'el' if number else ''}if {condition}:", *(f" {line}" for line in body)]
        return [*lines, "else:", *(f" {into} {self.constant(table.rare)}(v)" for into, table in tables)]

    def _text(self, table: Table) -> str:
        texts = table.texts
        if not (texts.masks or texts.few):
            return self.constant(texts.default)
        get = texts.get if texts.few else texts.masks.get
        return f"{self.constant(get)}(v, {self.constant(texts.default)})"

    def _number(self, table: Table) -> str:
        numbers = table.numbers
        if not numbers.points:
            return self.constant(numbers.masks[0])
        points = self.constant(numbers.points)
        place = f"below({points}, v) + upto({points}, v)"
        if numbers.stride > 1:
            return f"{self.constant(numbers.at)}({place})"
        return f"{self.constant(numbers.masks)}[{place}]"

    def _members(self, key: Path, layered: list[tuple[int, dict[int, list[Any]]]]) -> None:
        groups, denied = self.plan.wanted.get(key, []), self.plan.denied.get(key, {})
        for number, group in enumerate(groups or ([{}] if denied else [])):
            table = Members(group, {} if number else denied, self.plan.width)
            self.lines.append(f"mask &= {self.constant(table.mask)}(v)")
        for number, atoms in layered:
            members = {bit: [one for one in found if isinstance(one, Member)] for bit, found in atoms.items()}
            wanted = {bit: found for bit, found in members.items() if found}
            if wanted:
                table = Members(wanted, {}, self.plan.width)
                inside = self.constant(table.constrained)
                self.lines.append(f"g{number} |= {self.constant(table.mask)}(v) & {inside}")

"""Which clause of which condition is looked up where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeVar

from adapter.rules.expressions.typed_tree import Metric, Node, Path
from adapter.rules.index.cnf import Clause, clauses
from adapter.rules.index.predicates import Atom, Key, Member, Scalar, atom

#: The most clauses over several values ("any" groups) of one condition that are looked up.
_MAX_LAYERS = 4

T = TypeVar("T")
Demands = dict[int, list[list[Scalar]]]


class Plan:
    """The clauses of all conditions, sorted by how they are looked up.

    `scalars[key]` gives by bit the clauses over that value alone. `layers[i]` holds each condition's i-th
    clause over several values, as its atoms. `wanted[key][i]` and `denied[key]` are the arrays' members;
    `residue` is what must be evaluated, `never` the conditions that cannot hold.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.width = len(nodes)
        self.scalars: dict[Key, Demands] = defaultdict(lambda: defaultdict(list))
        self.layers: list[dict[int, list[Atom]]] = []
        self.wanted: dict[Path, list[dict[int, list[Member]]]] = defaultdict(list)
        self.denied: dict[Path, dict[int, list[Member]]] = defaultdict(lambda: defaultdict(list))
        self.residue: list[tuple[int, Clause]] = []
        self.never: list[int] = []
        for bit, node in enumerate(nodes):
            for clause in clauses(node):
                self._place(bit, clause)

    def _place(self, bit: int, clause: Clause) -> None:
        if not clause:
            self.never.append(bit)
            return
        atoms = [found for leaf in clause if (found := atom(leaf)) is not None]
        if len(atoms) < len(clause) or not self._looked_up(bit, atoms):
            self.residue.append((bit, clause))

    def _looked_up(self, bit: int, atoms: list[Atom]) -> bool:
        key = atoms[0].key
        scalars = [one for one in atoms if isinstance(one, Scalar)]
        members = [one for one in atoms if isinstance(one, Member)]
        if any(one.key != key for one in atoms) or (scalars and members):
            return self._layered(bit, atoms)
        if scalars:
            self.scalars[key][bit].append(scalars)
            return True
        return self._membered(bit, members)

    def _layered(self, bit: int, atoms: list[Atom]) -> bool:
        if any(isinstance(one.key, Metric) or (isinstance(one, Member) and not one.want) for one in atoms):
            return False
        for layer in self.layers:
            if bit not in layer:
                layer[bit] = atoms
                return True
        if len(self.layers) < _MAX_LAYERS:
            self.layers.append({bit: atoms})
            return True
        return False

    def _membered(self, bit: int, members: list[Member]) -> bool:
        key = members[0].key
        if not all(one.want for one in members):
            if len(members) == 1:
                self.denied[key][bit].append(members[0])
            return len(members) == 1
        for group in self.wanted[key]:
            if bit not in group:
                group[bit] = members
                return True
        self.wanted[key].append({bit: members})
        return True

    def reordered(self, order: Sequence[int]) -> Plan:
        """Return the plan of the same conditions in another order: the first is the one at `order[0]`."""
        place = {bit: at for at, bit in enumerate(order)}
        plan = Plan(())
        plan.width = self.width
        plan.scalars |= {key: _moved(demands, place) for key, demands in self.scalars.items()}
        plan.layers = [_moved(layer, place) for layer in self.layers]
        plan.wanted |= {key: [_moved(group, place) for group in each] for key, each in self.wanted.items()}
        plan.denied |= {key: _moved(group, place) for key, group in self.denied.items()}
        plan.residue = [(place[bit], clause) for bit, clause in self.residue]
        plan.never = [place[bit] for bit in self.never]
        return plan


def _moved(by_bit: Mapping[int, T], place: Mapping[int, int]) -> dict[int, T]:
    return {place[bit]: found for bit, found in by_bit.items()}

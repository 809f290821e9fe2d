"""What the index cannot look up: verified on what survives, each distinct leaf once per event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from adapter.rules.expressions.compiler import compile_truth
from adapter.rules.expressions.evaluation_context import EvaluationContext
from adapter.rules.index.bitmaps import bits
from adapter.rules.index.cnf import Clause, Leaf

#: Up to so many distinct clauses, each is tried; beyond, only those that a survivor needs are looked for.
_FEW = 48
_LOW = 2**64 - 1


class Residue:
    """The clauses that must be evaluated, and the bits of the conditions that need each."""

    def __init__(self, demands: Sequence[tuple[int, Clause]], width: int) -> None:
        needs: dict[Clause, list[int]] = defaultdict(list)
        for bit, clause in demands:
            needs[clause].append(bit)
        leaves: dict[Leaf, int] = {}
        self.clauses = [
            (bits(found, width), tuple(leaves.setdefault(leaf, len(leaves)) for leaf in clause))
            for clause, found in needs.items()
        ]
        self.tests = [compile_truth(leaf.node, leaf.want) for leaf in leaves]
        self.bits = bits((bit for bit, _ in demands), width)
        self.of_bit: dict[int, list[int]] = defaultdict(list)
        for number, found in enumerate(needs.values()):
            for bit in found:
                self.of_bit[bit].append(number)

    def verify(self, mask: int, view: EvaluationContext) -> int:
        """Return the mask without the conditions of which a clause does not hold."""
        known: dict[int, bool] = {}
        if len(self.clauses) <= _FEW:
            for need, leaves in self.clauses:
                if mask & need and not self._holds(leaves, known, view):
                    mask &= ~need
            return mask
        return mask ^ bits(self._failing(mask, known, view), mask.bit_length())

    def _failing(self, mask: int, known: dict[int, bool], view: EvaluationContext) -> Iterator[int]:
        clauses: dict[int, bool] = {}
        for bit in ranked(mask & self.bits):
            for number in self.of_bit[bit]:
                if number not in clauses:
                    clauses[number] = self._holds(self.clauses[number][1], known, view)
                if not clauses[number]:
                    yield bit
                    break

    def _holds(self, leaves: tuple[int, ...], known: dict[int, bool], view: EvaluationContext) -> bool:
        for leaf in leaves:
            truth = known.get(leaf)
            if truth is None:
                truth = known[leaf] = self.tests[leaf](view)
            if truth:
                return True
        return False


def first(mask: int) -> int:
    """Return the most important bit of a match, -1 when there is none."""
    low = mask & _LOW or mask  # most matches have one here, and small numbers are quick
    return (low & -low).bit_length() - 1


def ranked(mask: int) -> Iterator[int]:
    """Yield the bits of a match, the lowest (most important) first."""
    written = f"{mask:b}"[::-1]
    at = written.find("1")
    while at >= 0:
        yield at
        at = written.find("1", at + 1)

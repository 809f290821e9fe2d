"""A set of digests in 16 bytes or less for each, by which is recognised what came before."""

from __future__ import annotations

from array import array
from hashlib import blake2b

_FEW = 1 << 12


class Seen:
    """Digests of 64 bits in one array; that two of a billion are equal has a chance of one in forty."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _FEW))
        self._count = 0

    def add(self, *parts: str) -> bool:
        """Add what these texts name; return whether it is new."""
        digest = _digest(parts)
        if 2 * self._count >= len(self._slots):
            self._grow()
        at = self._place(digest)
        if self._slots[at]:
            return False
        self._slots[at] = digest
        self._count += 1
        return True

    def has(self, *parts: str) -> bool:
        """Return whether it was added."""
        return bool(self._slots[self._place(_digest(parts))])

    def __len__(self) -> int:
        return self._count

    def _place(self, digest: int) -> int:
        slots, mask = self._slots, len(self._slots) - 1
        at = digest & mask
        while (found := slots[at]) and found != digest:
            at = (at + 1) & mask
        return at

    def _grow(self) -> None:
        old, self._slots = self._slots, array("Q", bytes(16 * len(self._slots)))
        for digest in old:
            if digest:
                self._slots[self._place(digest)] = digest


def _digest(parts: tuple[str, ...]) -> int:
    content = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big") or 1

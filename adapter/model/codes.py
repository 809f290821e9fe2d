"""What people mean when they type a discount's code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from unicodedata import category, decimal, normalize

from adapter.errors import NotFound

T = TypeVar("T")
#: Marks that no rule puts into a code: blanks, dashes, controls and invisible characters.
_DROPPED = frozenset(("Zs", "Zl", "Zp", "Pd", "Cc", "Cf"))
_DROPPED_OF_ASCII = {at: None for at in range(128) if category(chr(at)) in _DROPPED}
#: Dashes of other categories, and what Turkish keyboards and case tables make of the letter i.
_REPLACED = {"\u2212": None, "\u30fc": None, "\u02d7": None, "\u2043": None, "\u0131": "i", "\u0307": None}
_TRANSLATED = str.maketrans(_REPLACED)


def folded(code: str) -> str:
    """Return what all spellings of a code have in common: no capitals, blanks or dashes, digits of ASCII.

    Both stores have an index of the codes they keep, folded by SQL: `lower(replace(code, '-', ''))`. The two
    agree because rules make codes of ASCII letters and digits, `-`, `_` and `.`.
    """
    if code.isascii():
        return code.translate(_DROPPED_OF_ASCII).lower()
    plain = normalize("NFKC", normalize("NFKC", code).casefold()).translate(_TRANSLATED)
    kept = (character for character in plain if category(character) not in _DROPPED)
    return "".join(str(decimal(character, character)) for character in kept)


def resolve(code: str, alike: Mapping[str, T]) -> T | None:
    """Return which of some items, by code, a typed code means; None where it means none of them.

    The exact spelling wins, blanks around it aside. Raises NotFound where several differ in case and dashes
    alone.
    """
    exact = alike.get(code) or alike.get(code.strip())
    if exact is not None:
        return exact
    fold = folded(code)
    found = [item for spelled, item in alike.items() if folded(spelled) == fold]
    if len(found) > 1:
        message = f"`{code}` may be one of {len(found)} codes; write its capitals and dashes as it was issued"
        raise NotFound(message)
    return found[0] if found else None

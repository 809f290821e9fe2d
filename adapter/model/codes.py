"""Discount codes as people type them: normal form and look-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from unicodedata import category, decimal, normalize

from adapter.errors import NotFound

T = TypeVar("T")
#: Between a code and the place of a benefit: a private character, which no code has, and `folded` keeps.
_BENEFIT = "\ue000"
#: Categories of characters that codes never contain: blanks, dashes, controls and invisible characters.
_DROPPED = frozenset(("Zs", "Zl", "Zp", "Pd", "Cc", "Cf"))
_DROPPED_OF_ASCII = {at: None for at in range(128) if category(chr(at)) in _DROPPED}
#: Dashes of other categories, and forms of the letter i on Turkish keyboards and in case tables.
_REPLACED = {"\u2212": None, "\u30fc": None, "\u02d7": None, "\u2043": None, "\u0131": "i", "\u0307": None}
_TRANSLATED = str.maketrans(_REPLACED)


def folded(code: str) -> str:
    """Return the normal form of a code: lower case, without blanks and dashes, with ASCII digits.

    Both stores have an index of the codes they keep, folded by SQL: `lower(replace(code, '-', ''))`. The two
    agree because rules make codes of ASCII letters and digits, `-`, `_` and `.`.
    """
    if code.isascii():
        return code.translate(_DROPPED_OF_ASCII).lower()
    plain = normalize("NFKC", normalize("NFKC", code).casefold()).translate(_TRANSLATED)
    kept = (character for character in plain if category(character) not in _DROPPED)
    return "".join(str(decimal(character, character)) for character in kept)


def benefit_key(code: str, benefit: int) -> str:
    """Return the name of one of a code's benefits: the code itself for the first, at 0."""
    return f"{code}{_BENEFIT}{benefit}" if benefit else code


def code_of(key: str) -> str:
    """Return the code of a benefit's name."""
    return key.partition(_BENEFIT)[0]


def benefit_of(key: str) -> int:
    """Return the place of the benefit that a name means."""
    return int(key.partition(_BENEFIT)[2] or 0)


def sums_by_code(amounts: Mapping[str, int]) -> dict[str, int]:
    """Return amounts by code, given those of benefits by their names."""
    found: dict[str, int] = {}
    for key, amount in amounts.items():
        code = code_of(key)
        found[code] = found.get(code, 0) + amount
    return found


def resolve(code: str, alike: Mapping[str, T]) -> T | None:
    """Return the item whose code matches a typed code; None where none does.

    The exact spelling, blanks around it aside, takes precedence. Raises NotFound where several codes differ
    only in case and dashes.
    """
    exact = alike.get(code) or alike.get(code.strip())
    if exact is not None:
        return exact
    fold = folded(code)
    found = [item for spelled, item in alike.items() if folded(spelled) == fold]
    if len(found) > 1:
        message = f"`{code}` matches {len(found)} codes; write its capitals and dashes as it was issued"
        raise NotFound(message)
    return found[0] if found else None

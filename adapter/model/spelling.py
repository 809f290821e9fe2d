"""Names that differ in nothing but capitals, blanks and punctuation are one name."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

#: Characters of a name up to which its spelling is kept in a cache: a cache of any text has no bound.
_LONGEST_KEPT = 256


def spelling(name: str) -> str:
    """Return what two names have in common that are spelled differently: letters and digits, case-folded.

    So `Order Completed`, `order_completed`, `orderCompleted` and `ORDERCOMPLETED` are one. A name without
    any letter or digit is only like itself.
    """
    return _known_spelling(name) if len(name) <= _LONGEST_KEPT else _spelling(name)


def _spelling(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(filter(str.isalnum, folded)) or name


_known_spelling = lru_cache(maxsize=4096)(_spelling)

"""Names that differ only in capitals, blanks and punctuation are spellings of one name."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

#: Characters of the longest name in the cache: it bounds the memory of the cache.
_LONGEST_KEPT = 256


def spelling(name: str) -> str:
    """Return the key that all spellings of a name share: its letters and digits, case-folded.

    So `Order Completed`, `order_completed`, `orderCompleted` and `ORDERCOMPLETED` are one. A name without
    any letter or digit equals only itself.
    """
    return _known_spelling(name) if len(name) <= _LONGEST_KEPT else _spelling(name)


def _spelling(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(filter(str.isalnum, folded)) or name


_known_spelling = lru_cache(maxsize=4096)(_spelling)

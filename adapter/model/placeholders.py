"""Texts that senders write where they have no value: they identify no person and no device."""

from __future__ import annotations

import re
from collections.abc import Iterable

from adapter.settings.values import PLACEHOLDERS

#: What consists of zeros, as device ids of every form do that were never set.
_ZEROS = re.compile(r"(0x)?0[0:._-]*")
#: Characters around a text that do not change its meaning: blanks, brackets, quotes, the marks of a template.
_AROUND = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\u2060\ufeff" + "()[]{}<>\"'`$%"


class PlaceholderTexts:
    """Whole texts, trimmed and case-folded, and blanks."""

    def __init__(self, texts: Iterable[str] = PLACEHOLDERS) -> None:
        self._texts = frozenset(("", *map(_plain, texts)))

    def __contains__(self, text: object) -> bool:
        if isinstance(text, str):
            if not text:
                return False
            plain = _plain(text)
            return plain in self._texts or (plain[0] == "0" and _ZEROS.fullmatch(plain) is not None)
        return type(text) is int and str(text) in self


def _plain(text: str) -> str:
    return text.strip(_AROUND).casefold()

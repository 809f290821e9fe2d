"""Numbers as people of a language write them: which mark begins the decimals, which separate thousands.

The marks are those of CLDR, with what people type instead: a plain blank for the narrow one, a straight
apostrophe for the curly one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from adapter.model.amounts import SIGN

#: Digits, marks included, beyond which a text is no number.
_LONGEST = 60
_BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "−": "-"})
_COMMA_POINT = "da de el es id is it nl pt ro sl sr hr tr vi ca eu gl mk az"
_COMMA_BLANK = "bg cs et fi fr hu hy ka kk lt lv nb nn no pl ru sk sv uk be sq"
_POINT_COMMA = "en ja ko zh th he hi ms cy ga mt sw tl ur bn ta te"
_BY_LANGUAGE = {
    **dict.fromkeys(_COMMA_POINT.split(), (",", ".")),
    **dict.fromkeys(_COMMA_BLANK.split(), (",", " ")),
    **dict.fromkeys(_POINT_COMMA.split(), (".", ",")),
}
#: Regions that write numbers otherwise than most who speak the language.
_BY_REGION = {
    "de-AT": (",", ". "), "de-CH": (".", "'"), "de-LI": (".", "'"), "it-CH": (".", "'"), "fr-CH": (",", " '"),
    "fr-CA": (",", " "), "pt-PT": (",", " ."), "en-ZA": (",.", " "), "sv-FI": (",", " "),
    **{f"es-{region}": (".", ",") for region in ("MX", "US", "GT", "HN", "NI", "PA", "PE", "PR", "SV", "DO")},
}  # fmt: skip
#: Regions that separate lakhs and crores: 12,34,567.
_INDIAN = frozenset({"en-IN", "hi-IN", "bn-IN", "ta-IN", "te-IN", "hi", "bn", "ta", "te"})


class Notation(NamedTuple):
    """How a language writes numbers: a pattern of `sign`, `whole` and `rest`, and one with a currency too."""

    number: re.Pattern[str]
    amount: re.Pattern[str]


@lru_cache(maxsize=512)
def notation(locale: str) -> Notation | None:
    """Return the notation of a locale (`de`, `de-CH`, `fr_CA`); None where it is not known.

    Of a region without a notation of its own it is that of its language.
    """
    language, _, rest = locale.strip().replace("_", "-").partition("-")
    region = rest.rpartition("-")[2]
    tag = f"{language.lower()}-{region.upper()}"
    marks = _BY_REGION.get(tag) or _BY_LANGUAGE.get(language.lower())
    if marks is None:
        return None
    return _notation(*marks, indian=tag in _INDIAN or (not region and language.lower() in _INDIAN))


def _notation(points: str, separators: str, *, indian: bool) -> Notation:
    groups = rf"[1-9]\d{{0,2}}(?:(?P<mark>[{re.escape(separators)}])\d{{3}})(?:(?P=mark)\d{{3}})*"
    lakhs = r"|[1-9]\d?(?:,\d{2})+,\d{3}" if indian else ""
    digits = rf"(?P<whole>\d{{1,30}}|{groups}{lakhs})?(?:[{re.escape(points)}](?P<rest>\d{{1,30}}))?"
    sign = r"(?P<sign>[-+]?)"
    amount = rf"{sign}\s*(?:{SIGN})?\s*{digits}\s*(?:{SIGN})?\Z"
    return Notation(re.compile(rf"{sign}{digits}\Z", re.ASCII), re.compile(amount))


def read_number(text: str, written: Notation, *, currency: bool = False) -> str | None:
    """Return a number in plain form (`-1234.50`); None for text that is no number in this notation.

    With `currency` a currency's sign, code or word may stand before or behind it.
    """
    text = unicodedata.normalize("NFKC", text.strip().translate(_BLANKS)).translate(_BLANKS)
    found = (written.amount if currency else written.number).match(text) if len(text) <= _LONGEST else None
    if found is None or (found["whole"] is None and found["rest"] is None):
        return None
    whole = re.sub(r"\D", "", found["whole"] or "0")
    sign = found["sign"] if found["sign"] == "-" else ""
    return f"{sign}{whole}.{found['rest']}" if found["rest"] else sign + whole

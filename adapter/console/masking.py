"""What visitors of the role `read` do not see: the values of `console.mask`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from adapter.console.visitor import Visitor
from adapter.services.ingest.journal_mask import MASKED
from adapter.settings.values import Settings

#: Members that name what a sibling is the value of, as in Segment's `externalIds`, and those siblings.
_NAMING: Final = ("name", "path", "field", "key", "kind", "column", "type", "identity_type")
_NAMED: Final = ("value", "id", "identity")
#: A shorter value stands in too many texts by chance.
_SHORTEST: Final = 4
#: Values that are searched in texts; of a document with more, each further one is hidden where it is a text.
_MOST_SEARCHED: Final = 500
#: What is nested deeper is hidden as a whole.
_DEEPEST: Final = 100
#: Where a value may end in a text: `ann@shop.example` does not stand in `joann@shop.example`.
_EDGES: Final = r"(?<![^\W_])(?:{})(?![^\W_])"
#: Where addresses are masked, they are in every text: in ids, reasons and answers, whatever names these have.
_ADDRESS: Final = re.compile(r"""[^\s"'`<>()\[\],;:@]{1,64}@[\w.-]{1,255}""")
#: Texts of ours that pages compare and read: a sender who has `issued` or `2026` masked does not change them.
_WORD: Final = re.compile(r"[a-z_]{1,20}")
_WORDS: Final = frozenset(("status", "state", "outcome", "kind", "type", "source", "role", "by"))
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.]{0,16}(?:Z|[+-]\d\d:\d\d)?")


def masked(value: Any, visitor: Visitor, settings: Settings) -> Any:
    """Return what a visitor may see of plain JSON values: all, but for the role `read` and a mask.

    Values under a masked name are replaced at any depth, in any case of letters, also where an object says
    the name and the value in two members; and wherever a text or a name repeats one of these values. With
    `email` among the names, every email address is.
    """
    names = hidden_names(visitor, settings)
    return _Masking(names, value).shown(value) if names else value


def hidden_names(visitor: Visitor, settings: Settings) -> frozenset[str]:
    """Return the names of `console.mask`, in lower case, for a visitor of the role `read`."""
    if visitor.can("operate"):
        return frozenset()
    return frozenset(each.casefold() for each in settings.console.mask)


class _Masking:
    """The mask of one document."""

    def __init__(self, names: frozenset[str], document: Any) -> None:
        self._names = names
        found = dict.fromkeys(each for each in self._hidden(document) if len(each) >= _SHORTEST)
        searched = sorted(list(found)[:_MOST_SEARCHED], key=len, reverse=True)
        self._whole = frozenset(found)
        self._repeated = (
            re.compile(_EDGES.format("|".join(map(re.escape, searched))), re.IGNORECASE) if searched else None
        )
        self._addresses = "email" in names

    def shown(self, value: Any, depth: int = 0) -> Any:
        """Return a value without what is hidden."""
        if depth > _DEEPEST:
            return MASKED
        if isinstance(value, dict):
            return {self._text(key): self._member(key, below, value, depth) for key, below in value.items()}
        if isinstance(value, list):
            return [self.shown(each, depth + 1) for each in value]
        return self._text(value) if isinstance(value, str) else value

    def _member(self, key: str, below: Any, object_: dict[str, Any], depth: int) -> Any:
        if below is not None and self._is_hidden(key, object_):
            return MASKED
        if isinstance(below, str) and key in _WORDS and _WORD.fullmatch(below):
            return below
        return self.shown(below, depth + 1)

    def _text(self, text: str) -> str:
        if _TIME.fullmatch(text):
            return text
        if text in self._whole:
            return MASKED
        found = text if self._repeated is None else self._repeated.sub(MASKED, text)
        return _ADDRESS.sub(MASKED, found) if self._addresses and "@" in found else found

    def _is_hidden(self, key: str, object_: dict[str, Any]) -> bool:
        if key.casefold() in self._names:
            return True
        return key in _NAMED and any(_last(object_.get(naming)) in self._names for naming in _NAMING)

    def _hidden(self, value: Any, depth: int = 0) -> Iterator[str]:
        """Yield the texts and numbers under masked names."""
        if depth > _DEEPEST:
            return
        if isinstance(value, dict):
            for key, below in value.items():
                if self._is_hidden(key, value):
                    yield from _scalars(below, depth)
                else:
                    yield from self._hidden(below, depth + 1)
        elif isinstance(value, list):
            for each in value:
                yield from self._hidden(each, depth + 1)


def _last(path: Any) -> str:
    """Return the last part of a path such as `traits.address.email` or `$.traits['email']`."""
    if not isinstance(path, str) or len(path) > 1_000:
        return ""
    return re.split(r"[.\[\]'\"/]+", path.strip("]'\""))[-1].casefold()


def _scalars(value: Any, depth: int) -> Iterable[str]:
    if depth > _DEEPEST:
        return []
    if isinstance(value, dict | list):
        below = value.values() if isinstance(value, dict) else value
        return [text for each in below for text in _scalars(each, depth + 1)]
    return [] if value is None or isinstance(value, bool) else [str(value)]

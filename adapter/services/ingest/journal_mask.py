"""Mask values of messages before they are recorded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

#: Stands in the place of a masked value.
MASKED = "***"


class Mask:
    """Replaces every value, also an object or a list, under one of the member `names`, at any depth.

    Names match in any case.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(name.casefold() for name in names)

    def value(self, value: Any) -> Any:
        """Return a value of JSON, masked; what it is of stays as it is."""
        if isinstance(value, dict):
            return {
                key: MASKED if key.casefold() in self._names else self.value(below)
                for key, below in value.items()
            }
        if isinstance(value, list):
            return [self.value(each) for each in value]
        return value

    def json(self, document: bytes) -> bytes:
        """Return a JSON document, masked. One that is a text could not be decoded, and is masked whole."""
        try:
            value = msgspec.json.decode(document)
        except (msgspec.DecodeError, RecursionError):
            value = ""
        return msgspec.json.encode(MASKED if isinstance(value, str) else self.value(value))

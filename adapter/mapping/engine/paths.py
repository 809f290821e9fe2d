"""Paths as the reference reads them: `$.properties.products[0].name`.

Follows `get` of segmentio/action-destinations (packages/core/src/get.ts), its odd corners
included: falsy values on the way are returned as they are, quotes never protect a dot, and
strings and arrays answer `length` and indexes. Inherited JavaScript members are not imitated.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from adapter.mapping.engine.javascript import code_units, is_array_index, joined_units
from adapter.mapping.engine.values import UNDEFINED, is_truthy

#: Characters of text from senders up to which it is kept in a cache: a cache of any text has no bound.
LONGEST_KEPT = 256

_SEPARATOR = re.compile(r"""\[(?=["'0-9])|\.|(?<=["'0-9])\]+""")
_QUOTES = str.maketrans("", "", "\"'")


def split(path: str) -> tuple[str, ...]:
    """Return the keys that a path walks; `''` and `'.'` walk none and mean the whole value."""
    return _known_split(path) if len(path) <= LONGEST_KEPT else _split(path)


def _split(path: str) -> tuple[str, ...]:
    return tuple(part.translate(_QUOTES) for part in _SEPARATOR.split(path) if part)


_known_split = lru_cache(maxsize=4096)(_split)


def without_root(path: str) -> str:
    """Drop the first `$.`, wherever it is, as `@path` and `@arrayPath` do."""
    return path.replace("$.", "", 1)


def get(value: Any, path: str) -> Any:
    """Return the value at the path, or UNDEFINED."""
    for key in split(path):
        value = step(value, key)
    return value


def step(value: Any, key: str) -> Any:
    """Return `value && value[key]` as JavaScript would, own members only."""
    if type(value) is dict:
        return value.get(key, UNDEFINED)
    if not is_truthy(value):
        return value
    if type(value) is list:
        return _of_list(value, key)
    return _of_text(value, key) if type(value) is str else UNDEFINED


def _of_list(items: list[Any], key: str) -> Any:
    if key == "length":
        return len(items)
    if is_array_index(key) and int(key) < len(items):
        return items[int(key)]
    return UNDEFINED


def _of_text(text: str, key: str) -> Any:
    if key != "length" and not is_array_index(key):
        return UNDEFINED
    units = code_units(text)
    if key == "length":
        return len(units)
    return joined_units(units[int(key)]) if int(key) < len(units) else UNDEFINED

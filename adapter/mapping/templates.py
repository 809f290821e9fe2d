"""Templates: `{{path}}` and `{{{path}}}`, neither of which escapes anything.

Follows packages/core/src/mapping-kit/placeholders.ts of segmentio/action-destinations: triple braces
are filled first, and what they yield is searched for double braces again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from adapter.mapping import paths
from adapter.mapping.javascript import number_text, text, trim
from adapter.mapping.values import UNDEFINED

TRIPLE = re.compile(r"\{\{\{([^}]+)\}\}\}")
DOUBLE = re.compile(r"\{\{([^}]+)\}\}")
Read = Callable[[Any, str], Any]


def render(template: str, payload: Any, read: Read = paths.get) -> str:
    """Return the template filled from the payload; missing and null values give nothing."""

    def fill(match: re.Match[str]) -> str:
        return shown(read(payload, key_of(match[1])))

    return DOUBLE.sub(fill, TRIPLE.sub(fill, template))


def key_of(placeholder: str) -> str:
    """Return the path that a placeholder names; `$.` is not dropped here."""
    return trim(placeholder)


def shown(value: Any) -> str:
    """Return the text of a value as a placeholder shows it."""
    if type(value) is float:
        # JavaScript writes these digits too; it differs on whole numbers and on exponents.
        return repr(value) if 1e-4 <= value < 1e16 and value % 1 else number_text(value)
    return "" if value is None or value is UNDEFINED else text(value)

"""Templates: `{{path}}` and `{{{path}}}`, neither of which escapes anything.

Follows packages/core/src/mapping-kit/placeholders.ts of segmentio/action-destinations: triple braces
are filled first, and what they yield is searched for double braces again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from adapter.mapping.engine import paths
from adapter.mapping.engine.javascript import number_text, text, trim
from adapter.mapping.engine.values import UNDEFINED

Read = Callable[[Any, str], Any]


def render(template: str, payload: Any, read: Read = paths.get) -> str:
    """Return the template filled from the payload; missing and null values give nothing."""
    for braces in (3, 2):
        template = "".join(
            shown(read(payload, key_of(piece))) if is_placeholder else piece
            for piece, is_placeholder in pieces(template, braces)
        )
    return template


def has_triple(template: str) -> bool:
    """Say whether a template holds a placeholder in three braces."""
    return any(is_placeholder for _, is_placeholder in pieces(template, 3))


def pieces(template: str, braces: int = 2) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a template: text, and the content of placeholders of so many braces (True).

    The reference searches for two braces, anything but a closing brace, and two closing braces. Its pattern
    would start again at every brace of a long row; here what opens and does not close is passed over at once.
    """
    done = at = 0
    while (opening := template.find("{" * braces, at)) >= 0:
        inner = opening + braces
        closing = template.find("}", inner)
        if closing < 0:
            break
        at = closing + 1
        if closing > inner and template.startswith("}" * braces, closing):
            yield template[done:opening], False
            yield template[inner:closing], True
            done = at = closing + braces
    yield template[done:], False


def placeholders(template: str) -> list[str]:
    """Return the paths that a template names, in two braces or three."""
    doubled = template.replace("{{{", "{{").replace("}}}", "}}")
    return [key_of(piece) for piece, is_placeholder in pieces(doubled) if is_placeholder]


def key_of(placeholder: str) -> str:
    """Return the path that a placeholder names; `$.` is not dropped here."""
    return trim(placeholder)


def shown(value: Any) -> str:
    """Return the text of a value as a placeholder shows it."""
    if type(value) is float:
        # JavaScript writes these digits too; it differs on whole numbers and on exponents.
        return repr(value) if 1e-4 <= value < 1e16 and value % 1 else number_text(value)
    return "" if value is None or value is UNDEFINED else text(value)

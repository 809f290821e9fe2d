"""Liquid templates as Segment computes them: liquidjs 10 with the tags, filters and limits of mapping-kit.

Every template and message that is accepted gives what liquidjs gives. What liquidjs reads leniently, or takes
from the clock, from chance or from the machine, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from adapter.errors import MappingError
from adapter.mapping.engine import javascript
from adapter.mapping.liquid.context import Context, Failed
from adapter.mapping.liquid.expressions import Found
from adapter.mapping.liquid.filters import DISABLED_FILTERS, RANDOM_FILTERS, usable
from adapter.mapping.liquid.parsing import Node, Parser, run_all
from adapter.mapping.liquid.reading import Unreadable
from adapter.mapping.liquid.splitting import split
from adapter.mapping.liquid.tags import DISABLED_TAGS, TAGS

__all__ = [
    "DISABLED_FILTERS", "DISABLED_TAGS", "LONGEST", "RANDOM_FILTERS", "doubts", "filters_of", "problem",
    "render", "usable",
]  # fmt: skip

LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Template:
    """A template that parses, with what the check asks of it."""

    text: str
    nodes: list[Node]
    found: Found


def render(template: str, payload: Any) -> str:
    """Return the template filled from the payload, its members as the top names; raises MappingError."""
    made = _parsed(template)
    pieces: list[str] = []
    try:
        run_all(made.nodes, Context(payload), pieces)
    except Failed as failed:
        raise MappingError(_placed(failed.message, template, failed.at or 0)) from None
    except (ArithmeticError, ValueError, RecursionError) as error:
        raise MappingError(f"liquid template failed: {error}") from None
    return javascript.joined_units("".join(pieces))


def problem(template: str) -> str | None:
    """Return what is wrong with a template as its author wrote it, if anything."""
    try:
        _parsed(template)
    except MappingError as error:
        return error.message
    return None


def filters_of(template: str) -> list[str]:
    """Return the filters that a template which parses names, each once, in the order of their names."""
    return sorted(_parsed(template).found.filters)


def doubts(template: str) -> list[tuple[str, str]]:
    """Return what a template which parses asks of its filters in vain, and what to write instead."""
    return sorted(_parsed(template).found.doubts)


@lru_cache(maxsize=1024)
def _parsed(template: str) -> Template:
    if len(template) > LONGEST or javascript.length(template) > LONGEST:
        raise MappingError(f"liquid template values are limited to {LONGEST} characters")
    found = Found()
    try:
        nodes = Parser(template, split(template), TAGS, found).all()
    except Unreadable as error:
        raise MappingError(_placed(error.message, template, error.at)) from None
    return Template(template, nodes, found)


def _placed(message: str, template: str, at: int) -> str:
    line = template.count("\n", 0, at) + 1
    column = at - (template.rfind("\n", 0, at) + 1) + 1
    return f"{message}, line:{line}, col:{column}"

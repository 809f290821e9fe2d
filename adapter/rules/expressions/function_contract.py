"""What a function of the condition language is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from adapter.rules.expressions.typed_tree import Kind

Kinds = tuple[Kind, ...]
TEXT: Kinds = ("text",)
NUMBER: Kinds = ("number",)
LIST: Kinds = ("list",)


class Function(Struct, frozen=True):
    """A function: `accepts` gives the kinds of each argument, a method's receiver first.

    `run` cannot raise; it returns ABSENT for an error. `optional` counts the arguments that may be left out
    at the end; with `repeated`, the last may come any number of times.
    """

    run: Callable[..., Any]
    accepts: tuple[Kinds, ...]
    gives: Kind
    method: bool = True
    free: bool = False
    optional: int = 0
    repeated: bool = False

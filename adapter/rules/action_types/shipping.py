"""Which delivery an action for shipping is for: service levels and regions, all where none is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from adapter.files.schemas import Schema
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.schema import SOME_WORDS

SHIPPING: Mapping[str, Schema] = {"service_levels": SOME_WORDS, "regions": SOME_WORDS}


class ForShipping(Protocol):
    """An action for shipping."""

    @property
    def service_levels(self) -> tuple[str, ...]:
        """Its service levels."""

    @property
    def regions(self) -> tuple[str, ...]:
        """Its regions and countries."""


def delivery(block: Block) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the service levels and the regions of an action."""
    return block.some_words("service_levels"), block.some_words("regions")


def of_delivery(action: ForShipping) -> str:
    """Return the delivery that an action names, as it follows in a sentence."""
    levels, regions = ", ".join(action.service_levels), ", ".join(action.regions)
    return (f" ({levels})" if levels else "") + (f" to {regions}" if regions else "")

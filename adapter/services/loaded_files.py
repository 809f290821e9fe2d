"""The mapping and rule files in force."""

from __future__ import annotations

from msgspec import Struct

from adapter.mapping.mapping_set import MappingBook
from adapter.rules.engine.ruleset import RuleBook


class Books(Struct):
    """Swapped as a whole, attribute by attribute, when files change; readers take one look per use."""

    mappings: MappingBook
    rules: RuleBook

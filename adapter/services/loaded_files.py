"""The mapping and rule files in force."""

from __future__ import annotations

from msgspec import Struct

from adapter.mapping.mapping_set import MappingSet
from adapter.rules.engine.ruleset import RuleSet


class LoadedFiles(Struct):
    """Swapped as a whole, attribute by attribute, when files change; readers take one look per use."""

    mappings: MappingSet
    rules: RuleSet

"""The mapping language: Segment's directives and subscriptions, and our own beside them.

`compile` gives a mapping as a function; `transform` and `transform_batch` interpret the same, for comparison.
"""

from adapter.errors import MappingError
from adapter.mapping.compiler import Transform, compile  # noqa: A004 - the verb is right
from adapter.mapping.engine.errors import InvalidMapping, SubscriptionError
from adapter.mapping.subscriptions import matches
from adapter.mapping.testing.reference import transform, transform_batch

__all__ = [
    "InvalidMapping", "MappingError", "SubscriptionError", "Transform", "compile", "matches", "transform",
    "transform_batch",
]  # fmt: skip

"""Subscriptions: which messages a mapping takes. Segment's FQL on its well-formed subset."""

from adapter.mapping.engine.errors import SubscriptionError
from adapter.mapping.subscriptions.ast import Condition, Group
from adapter.mapping.subscriptions.evaluate import compile_subscription, matches
from adapter.mapping.subscriptions.index import SubscriptionIndex
from adapter.mapping.subscriptions.lint import lint
from adapter.mapping.subscriptions.parser import narrowed, parse

__all__ = [
    "Condition",
    "Group",
    "SubscriptionError",
    "SubscriptionIndex",
    "compile_subscription",
    "lint",
    "matches",
    "narrowed",
    "parse",
]

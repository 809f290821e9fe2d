"""Rules: pure evaluation of events against what marketers wrote."""

from adapter.rules.testing.check_expression import holds

__all__ = ["holds"]

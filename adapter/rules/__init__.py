"""Rules: pure evaluation of events against what marketers wrote."""

from adapter.rules.holds import holds

__all__ = ["holds"]

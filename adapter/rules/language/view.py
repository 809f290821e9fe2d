"""What one evaluation sees: the event, the customer, the context, the history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from adapter.rules.language.nodes import Metric, Path
from adapter.rules.language.text import text
from adapter.rules.language.values import ABSENT, select, settled

Key = Path | Metric


class Values(dict[Key, Any]):
    """The values read so far; reading one for the first time looks it up. Never raises."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.view = view

    def __missing__(self, key: Key) -> Any:
        view = self.view
        value = settled(view.history(key)) if key.__class__ is Metric else view.look_up(key)
        if value is None and key.__class__ is Metric:
            value = ABSENT
        self[key] = value
        return value


class View:
    """One event as conditions see it.

    `attributes`, `traits` and `context` are JSON-like dicts; `occurred_at` and `now` are aware. `history`
    gives a metric's figure, or None where there is none (the average of no events). `values` remembers
    what was read, so that each metric is asked for once.
    """

    __slots__ = (
        "attributes", "context", "event_name", "history", "now", "occurred_at", "traits", "values",
    )  # fmt: skip

    def __init__(
        self,
        attributes: dict[str, Any],
        traits: dict[str, Any],
        context: dict[str, Any],
        event_name: str,
        occurred_at: datetime,
        now: datetime,
        history: Callable[[Metric], Any],
    ) -> None:
        self.attributes = attributes
        self.traits = traits
        self.context = context
        self.event_name = event_name
        self.occurred_at = occurred_at
        self.now = now
        self.history = history
        self.values = Values(self)

    def look_up(self, path: Path) -> Any:
        """Return the value at a path, or ABSENT."""
        fields = path.fields
        value = self._root(path.root, fields[0] if fields else "")
        for field in fields:
            value = select(value, field)
        return settled(value)

    def _root(self, root: str, name: str) -> Any:
        if root == "":
            return next((at for at in (self.attributes, self.traits, self.context) if name in at), ABSENT)
        if root == "now":
            return self.now
        if root == "event":
            return {"name": self.event_name, "occurred_at": self.occurred_at}
        return getattr(self, root)

    def seen(self, keys: Iterable[Key] | None = None) -> dict[str, Any]:
        """Return by name the values read so far, or those of `keys`; missing ones are left out."""
        read: Mapping[Key, Any] = self.values if keys is None else {key: self.values[key] for key in keys}
        return {text(key): value for key, value in read.items() if value is not ABSENT}

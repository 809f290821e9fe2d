"""What one evaluation sees: the event, the customer, the context, the history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from adapter.rules.expressions.typed_tree import Metric, Path
from adapter.rules.expressions.values import ABSENT, settled

Key = Path | Metric
_PLACES = frozenset(("attributes", "traits", "context"))
#: What `settled` would give back unchanged; most values are of these.
_AS_IS = frozenset((str, int, bool, list, dict, type(None)))


class Values(dict[Key, Any]):
    """The values read so far; reading one for the first time looks it up. Never raises."""

    __slots__ = ("scene",)

    def __init__(self, scene: ConditionScope) -> None:
        self.scene = scene

    def __missing__(self, key: Key) -> Any:
        if isinstance(key, Path):
            value = self.scene.look_up(key)
        else:
            history = self.scene.history
            figure = history(key) if key.equals is None else history(key, self)
            value = ABSENT if figure is None else settled(figure)
        self[key] = value
        return value


class ConditionScope:
    """One event and its surroundings.

    `attributes`, `traits` and `context` are JSON-like dicts; `occurred_at` and `now` are aware. `history`
    gives a metric's figure, or None where there is none (the average of no events); for a metric with
    `equals` it gets the values too.
    """

    __slots__ = ("attributes", "context", "event_name", "history", "now", "occurred_at", "traits")

    def __init__(  # noqa: PLR0917 - everything an evaluation sees, in one order everywhere
        self,
        attributes: dict[str, Any],
        traits: dict[str, Any],
        context: dict[str, Any],
        event_name: str,
        occurred_at: datetime,
        now: datetime,
        history: Callable[..., Any],
    ) -> None:
        self.attributes = attributes
        self.traits = traits
        self.context = context
        self.event_name = event_name
        self.occurred_at = occurred_at
        self.now = now
        self.history = history

    def look_up(self, path: Path) -> Any:
        """Return the value at a path, or ABSENT."""
        root, fields = path.root, path.fields
        if root == "":
            name = fields[0]
            value: Any = self.attributes
            if name not in value:
                value = self.traits if name in self.traits else self.context
        elif root in _PLACES:
            value = getattr(self, root)
        elif root == "now":
            value = self.now
        else:
            value = {"name": self.event_name, "occurred_at": self.occurred_at}
        for field in fields:
            if value.__class__ is not dict or field not in value:
                return ABSENT
            value = value[field]
        return value if value.__class__ in _AS_IS else settled(value)


class EvaluationContext(ConditionScope):
    """A scene as conditions see it.

    `values` remembers what was read, so that each metric is asked for once.
    """

    __slots__ = ("values",)

    def __getattr__(self, name: str) -> Any:
        if name != "values":  # which is made when it is first needed: most evaluations read past it
            raise AttributeError(name)
        # Over a scene of their own: values that led back to their view would be garbage for the collector,
        # which holds everybody up, and not for the reference count.
        scene = ConditionScope(
            self.attributes, self.traits, self.context, self.event_name, self.occurred_at, self.now,
            self.history,
        )  # fmt: skip
        self.values = Values(scene)
        return self.values

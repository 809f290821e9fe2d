"""The decision transaction over one store, with rules, moment and timer capacity as tests set them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from adapter.mapping.mapping_set import MappingSet
from adapter.metrics import Metrics
from adapter.model.deliveries import Recipients
from adapter.model.forwards import ForwardTo
from adapter.rules.engine.ruleset import RuleSet
from adapter.services.environment import Environment
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.pipeline import Transactions
from adapter.services.ingest.result import CommitResult
from adapter.services.ingest.timer_capacity import TimerCapacity
from adapter.services.loaded_files import LoadedFiles
from adapter.store.contract import Store


class FixedCapacity(TimerCapacity):
    """Room for so many timers in each transaction; `last` is what the last of them came to."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        super().__init__(store, metrics)
        self.free = 1_000_000
        self.last = CommitResult([])

    @property
    def room(self) -> int:
        return self.free

    def note(self, result: CommitResult) -> None:
        self.last = result


class Transacting:
    """Opens `Transactions` over the store, the moment, the rules and the destinations of now."""

    def __init__(self, store: Store, draw: Callable[[int], str], new_id: Callable[[], str]) -> None:
        self._draw = draw
        self._new_id = new_id
        self._metrics = Metrics()
        self._commits = CommitHealth(lambda: 0)
        self._mappings = MappingSet([])
        self.capacity = FixedCapacity(store, self._metrics)
        self.forwards: dict[str, ForwardTo] = {}

    def over(
        self, store: Store, now: datetime, rules: RuleSet, destinations: Sequence[str] = ()
    ) -> Transactions:
        environment = Environment(lambda: now, self._draw, self._new_id)
        files = LoadedFiles(self._mappings, rules)
        return Transactions(
            store, files, environment, timers=self.capacity, health=self._commits,
            metrics=self._metrics, destinations=Recipients.of_everything(destinations),
            forwards=self.forwards,
        )  # fmt: skip

"""Which rules' conditions held for each message of a batch."""

from __future__ import annotations

from collections.abc import Sequence

from adapter.model.decisions import Decision
from adapter.model.operations import EventOccurred
from adapter.services.ingest.work_item import Work

#: Outcomes of rules whose conditions did not hold, or could not be evaluated.
_NOT_HELD = frozenset(("not_met", "error"))


class HeldRules:
    """The rules of decisions, by event; a batch in which no rule's conditions held costs nothing more."""

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self._by_event: dict[str, list[str]] = {}
        for decision in decisions:
            for outcome in decision.outcomes:
                if outcome.outcome not in _NOT_HELD:
                    self._by_event.setdefault(decision.event_id, []).append(outcome.rule)
        # The event of a change of traits has the id of the message, what changed, and colons between.
        self._of_changes = [each for each in self._by_event if ":" in each]

    def of(self, work: Work) -> tuple[str, ...]:
        """Return the rules of a message, each once."""
        if not self._by_event:
            return ()
        events = [each.event.id for each in work.operations if each.__class__ is EventOccurred]
        if self._of_changes:
            message = f"{work.message_id or work.key}:"
            events += [each for each in self._of_changes if each.startswith(message)]
        found = [rule for event in events for rule in self._by_event.get(event, ())]
        return tuple(dict.fromkeys(found))

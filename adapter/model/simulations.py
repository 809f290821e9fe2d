"""Simulations that the server runs: what was asked, how far they are, and what they came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace as _replace

#: `interrupted` is one whose process ended before it did.
SimulationState = Literal["running", "done", "failed", "cancelled", "interrupted"]


class SimulationAsked(Struct, frozen=True, kw_only=True):
    """What is simulated: rules in force over events from `start` to `end`, beside drafts by file name.

    The drafts take the place of the files of their names, or of all files where they are the `whole` book.
    `since` is the start as it was written. `what_if` are values to try. `who` asked for it.
    """

    title: str
    since: str
    start: datetime
    end: datetime
    drafts: Mapping[str, str] = {}
    whole: bool = False
    what_if: tuple[str, ...] = ()
    who: str = ""


class SimulationRun(Struct, frozen=True, kw_only=True):
    """One simulation. `worker` runs it, and is taken for ended when `lease_until` is over.

    `decided` of `messages` have been decided; both are 0 while the traffic is read. `error` says why it
    failed.
    """

    id: str
    created_at: datetime
    state: SimulationState = "running"
    worker: str = ""
    lease_until: datetime
    asked: SimulationAsked
    decided: int = 0
    messages: int = 0
    error: str = ""

    def at(self, now: datetime) -> SimulationRun:
        """Return it as it stands at a moment: one that nobody runs any more is interrupted."""
        if self.state != "running" or self.lease_until > now:
            return self
        return _replace(self, state="interrupted")


class CustomerDifference(Struct, frozen=True):
    """An example of a customer for whom a draft changes something; `body` is JSON."""

    source_id: str
    body: bytes


class SimulationResult(Struct, frozen=True):
    """What a simulation came to: the report as compressed JSON, and its examples of customers."""

    report: bytes
    examples: Sequence[CustomerDifference] = ()

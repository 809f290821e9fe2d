"""What the second walk of a decision works on: its context, the steps of a batch, and their outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct, field

from adapter.errors import Refused
from adapter.model.deliveries import Recipients
from adapter.model.discounts import DiscountRecord
from adapter.model.event_names import EventNames
from adapter.model.events import Event
from adapter.model.forwards import ForwardTo
from adapter.model.operations import DiscountMove
from adapter.model.pending import PendingMove
from adapter.rules.guardrails.proposal import Verdict
from adapter.services.ingest.journal import Record


class DecisionContext(Struct, frozen=True):
    """The environment of a decision: time, randomness, ids, and destinations.

    `draw(n)` returns n random code characters, `new_id()` a unique id; every discount is pushed to
    `destinations`, by name, when it is issued and when it moves. `room` is the number of timers that may be
    added. `names` are the current names of stored events, `forwards` the destinations, by name, that
    customers and events are forwarded to. `evaluating` says that the batch may have
    operations that ask for their decisions. `secret` is the store's, which hashes the values of keys.
    `record` makes the rows of the journal.
    """

    now: datetime
    draw: Callable[[int], str]
    new_id: Callable[[], str]
    destinations: Recipients = field(default_factory=Recipients)
    room: int = 1_000_000
    names: EventNames = EventNames()
    forwards: Mapping[str, ForwardTo] = {}
    evaluating: bool = False
    secret: bytes = b""
    record: Record | None = None


class Occurrence(Struct, frozen=True):
    """An event with proposals or outcomes of rules; `index` is its message's place in the batch.

    `at` is the time as of which it is decided: not later than now.
    """

    index: int
    event: Event
    source_id: str
    book: str
    verdict: Verdict
    at: datetime


class Move(Struct, frozen=True):
    """A requested move of a discount; `message` identifies the message, and `occurred_at` is its time.

    Without `occurred_at` the move cannot become pending: its caller gets the result at once. `pending` is a
    pending move that is due; then `index` is not the place of a message.
    """

    index: int
    move: DiscountMove
    occurred_at: datetime | None = None
    message: str = ""
    pending: PendingMove | None = None


Step = Occurrence | Move


class Outcome(Struct):
    """The result of the second pass for one message: the discounts that it wrote, as it left them."""

    held: list[DiscountRecord] = []
    refusal: Refused | None = None

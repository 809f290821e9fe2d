"""What a store holds while rules are simulated: in memory, and of each customer no more than decisions need.

Events and decisions are not kept. So memory grows with the customers, their open discounts and their
counters, and not with the events.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from heapq import heappop, heappush
from itertools import count

from adapter.model.codes import folded
from adapter.model.counter_key import CounterKey
from adapter.model.customers import SOURCE_ID
from adapter.model.discounts import DiscountRecord
from adapter.model.pending import PendingMove
from adapter.model.redemptions import Redemption
from adapter.model.timers import Timer
from adapter.rules.history.own_discounts import MOST
from adapter.services.simulation.seen import Seen
from adapter.store.owners import given_to
from adapter.store.values import Changes, CustomerRecord, Identity, MessageKey

#: A timer by the customer and the rule.
TimerKey = tuple[str, str]
#: What is due: when, expiries before timers, a number that keeps the order, and the key of a timer or a code.
_Due = tuple[datetime, int, int, TimerKey | str]
_EXPIRY, _TIMER = 0, 1


class State:
    """The rows of all customers. `pools` says how many codes pools have left; others never run out.

    `incomplete` counts the histories of merged customers for which events would have to be read again.
    `keeps_closed` keeps the latest discounts that are not open any more: some rules count them.
    """

    def __init__(self, pools: dict[str, int] | None = None) -> None:
        self.customers: dict[str, CustomerRecord] = {}
        self.identities: dict[Identity, str] = {}
        self.named: dict[str, list[Identity]] = defaultdict(list)
        self.open: dict[str, DiscountRecord] = {}
        self.keeps_closed = False
        self.closed: dict[str, deque[DiscountRecord]] = defaultdict(lambda: deque(maxlen=MOST))
        self.codes: dict[str, str] = {}
        self.held: dict[str, list[str]] = defaultdict(list)
        self.counters: dict[str, dict[CounterKey, int]] = defaultdict(dict)
        self.timers: dict[TimerKey, Timer] = {}
        self.waits: dict[str, set[str]] = defaultdict(set)
        self.pending: dict[str, dict[str, PendingMove]] = {}
        self.redemptions: dict[str, Redemption] = {}
        self.on_orders: dict[str, dict[str, str]] = defaultdict(dict)
        self.pools = pools or {}
        self.drawn: Counter[str] = Counter()
        self.answers: dict[MessageKey, bytes] = {}
        self.rewarded: dict[str, list[MessageKey]] = defaultdict(list)
        self.incomplete = 0
        self.seen = Seen()
        self.events = Seen()
        self._due: list[_Due] = []
        self._numbers = count()

    @property
    def next_due(self) -> datetime | None:
        """When the next timer fires or the next discount expires; it may have been cancelled since."""
        return self._due[0][0] if self._due else None

    def due(self, now: datetime) -> tuple[datetime, Timer | str] | None:
        """Take the next code that has expired by a moment, or timer that was due before it; else None.

        What comes at the very moment when a timer is due still ends its wait.
        """
        while self._due and self._due[0][:2] <= (now, _EXPIRY):
            at, _, _, what = heappop(self._due)
            if isinstance(what, str):
                held = self.open.get(what)
                if held is not None and held.discount.expires_at == at:
                    return at, what
                continue
            timer = self.timers.get(what)
            if timer is not None and timer.due_at == at:
                return at, timer
        return None

    def save(self, changes: Changes) -> None:
        """Apply what a decision came to, in the order of the contract."""
        for source, target in changes.moved:
            self._merge(source, target)
        for erasure in changes.erased:
            self._erase(erasure.source_id)
        for record in changes.customers:
            self.customers[record.customer.source_id] = record
        for identity, owner in changes.identities.items():
            self.identities[identity] = owner
            self.named[owner].append(identity)
        for held in (*changes.rewritten, *changes.discounts):
            self._put(held)
        self._count(changes)
        self._time(changes)
        for key, owner in changes.rewarded.items():
            self.answers[key] = changes.answers[key]
            self.rewarded[owner].append(key)
        for move in changes.ended:
            self.pending.get(move.source_id, {}).pop(move.id, None)
        for move in changes.pending:
            self.pending.setdefault(move.source_id, {})[move.id] = move
        for redemption in changes.redemptions:
            self._book(redemption)
        self.drawn.update(code.rpartition("-")[0] for code in changes.drawn)

    def _count(self, changes: Changes) -> None:
        for (scope, key), amount in changes.counters.items():
            counters = self.counters[scope]
            counters[key] = counters.get(key, 0) + amount
            if not counters[key]:
                del counters[key]

    def _time(self, changes: Changes) -> None:
        for each in changes.cancelled:
            timer = self.timers.get((each.source_id, each.rule))
            if timer is not None and each.ends(timer):
                self._stop(timer)
        for timer in changes.armed:
            self._start(timer)

    def _start(self, timer: Timer) -> None:
        self.timers[timer.source_id, timer.rule] = timer
        self.waits[timer.source_id].add(timer.rule)
        heappush(self._due, (timer.due_at, _TIMER, next(self._numbers), (timer.source_id, timer.rule)))

    def _stop(self, timer: Timer) -> None:
        del self.timers[timer.source_id, timer.rule]
        self.waits[timer.source_id].discard(timer.rule)

    def _put(self, held: DiscountRecord) -> None:
        """Keep a discount while it is open: what was used or has expired affects no decision."""
        code = held.discount.code
        before = self.open.get(code)
        if before is not None and before.source_id != held.source_id:
            self.held[before.source_id].remove(code)
        if self.keeps_closed:
            self._close(held)
        if held.discount.status not in ("issued", "applied"):
            self._drop(code)
            return
        if before is None or before.source_id != held.source_id:
            self.held[held.source_id].append(code)
        self.open[code] = held
        self.codes[folded(code)] = code
        expires_at = held.discount.expires_at
        if expires_at is not None and (before is None or before.discount.expires_at != expires_at):
            heappush(self._due, (expires_at, _EXPIRY, next(self._numbers), code))

    def _close(self, held: DiscountRecord) -> None:
        closed, code = self.closed[held.source_id], held.discount.code
        before = next((each for each in closed if each.discount.code == code), None)
        if before is not None:
            closed.remove(before)
        if held.discount.status not in ("issued", "applied"):
            closed.append(held)

    def _drop(self, code: str) -> None:
        held = self.open.pop(code, None)
        if held is not None and code in self.held[held.source_id]:
            self.held[held.source_id].remove(code)
        self.codes.pop(folded(code), None)

    def _book(self, redemption: Redemption) -> None:
        before = self.redemptions.get(redemption.id)
        self.redemptions[redemption.id] = redemption
        if before is not None:
            codes = self.on_orders[before.order_id]
            for code in [code for code, id_ in codes.items() if id_ == before.id]:
                del codes[code]
        if redemption.order_id and redemption.state in ("held", "redeemed"):
            for use in redemption.uses:
                self.on_orders[redemption.order_id][use.code] = redemption.id

    def _merge(self, source: str, target: str) -> None:
        self.customers.pop(source, None)
        for identity in self.named.pop(source, []):
            self.identities[identity] = target
            self.named[target].append(identity)
        if self.keeps_closed:
            self.closed[target].extend(self.closed.pop(source, ()))
        for code in self.held.pop(source, []):
            self.open[code] = given_to(self.open[code], {source: target})
            self.held[target].append(code)
        for key, used in self.counters.pop(source, {}).items():
            counters = self.counters[target]
            counters[key] = counters.get(key, 0) + used
        for rule in self.waits.pop(source, set()):
            self._move_timer(self.timers.pop((source, rule)), target)
        for id_, move in self.pending.pop(source, {}).items():
            self.pending.setdefault(target, {})[id_] = move
        self.rewarded[target] += self.rewarded.pop(source, [])

    def _move_timer(self, timer: Timer, target: str) -> None:
        """Give a timer to another customer; of two under one rule the later remains."""
        known = self.timers.get((target, timer.rule))
        if known is None or timer.due_at > known.due_at:
            self._start(Timer(timer.rule, target, timer.event, timer.due_at))

    def _erase(self, owner: str) -> None:
        self.customers.pop(owner, None)
        for identity in self.named.pop(owner, []):
            self.identities.pop(identity, None)
        self.closed.pop(owner, None)
        for code in self.held.pop(owner, []):
            self._drop(code)
        self.counters.pop(owner, None)
        for rule in self.waits.pop(owner, set()):
            self.timers.pop((owner, rule), None)
        self.pending.pop(owner, None)
        for key in self.rewarded.pop(owner, []):
            self.answers.pop(key, None)

    def pool_codes(self, pool: str, most: int) -> list[str]:
        """Return the next codes of a pool, as many as it has left."""
        drawn, left = self.drawn[pool], self.pools.get(pool)
        count = most if left is None else min(most, max(0, left - drawn))
        return [f"{pool}-{drawn + nth}" for nth in range(count)]

    def meant(self, codes: Iterable[str]) -> dict[str, DiscountRecord]:
        """Return the open discounts that codes may mean."""
        found = {self.codes.get(folded(code)) for code in codes}
        return {code: self.open[code] for code in found if code is not None}

    def redirects(self, names: Sequence[str]) -> dict[Identity, str]:
        """Return where the names of customers without a record lead."""
        pairs = [(SOURCE_ID, name) for name in names if name not in self.customers]
        return {pair: self.identities[pair] for pair in pairs if pair in self.identities}

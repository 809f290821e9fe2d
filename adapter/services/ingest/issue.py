"""The second pass of a decision: discounts are issued and moved in order; each step sees those before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime

from msgspec.structs import replace

from adapter.discounts import lifecycle
from adapter.discounts.budgets import unspent
from adapter.errors import NotFound, Refused
from adapter.model.codes import folded
from adapter.model.counter_key import ScopedKey
from adapter.model.decisions import Decision, RuleOutcome
from adapter.model.deliveries import Delivery
from adapter.model.discounts import CounterReservation, DiscountRecord
from adapter.model.events import Event
from adapter.model.ids import RESERVED
from adapter.model.operations import DiscountMove
from adapter.model.pending import PendingMove
from adapter.model.redemptions import Redemption
from adapter.model.timers import Timer
from adapter.model.triggers import LIFE_EVENTS
from adapter.rules.engine.codes import LENGTHENED_BY, code_for
from adapter.rules.engine.issue import issue
from adapter.rules.engine.lives import Lives
from adapter.rules.engine.recipients import about_another
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.engine.select import choose
from adapter.rules.guardrails.proposal import Proposal, Verdict
from adapter.rules.guardrails.window_slots import keeping_slots
from adapter.services.ingest import order_uses, pool_codes, rewards
from adapter.services.ingest.care import cared_for, cares, pushed
from adapter.services.ingest.held_discounts import HeldDiscounts
from adapter.services.ingest.identities import IdentityGraph
from adapter.services.ingest.late_events import still_usable
from adapter.services.ingest.move_deliveries import of_move
from adapter.services.ingest.order_uses import OrderUses
from adapter.services.ingest.pending_moves import PendingMoves, to_wait
from adapter.services.ingest.pool_codes import PoolCodes
from adapter.services.ingest.slot_merges import SlotMerges
from adapter.services.ingest.steps import DecisionContext, Move, Occurrence, Outcome, Step
from adapter.store.checkout_values import BookingRequest
from adapter.store.values import CounterState, LoadedState

#: Codes generated per event before its counters are known. If more rules issue on one event, the store's
#: unique key still rejects a duplicate code, and the transaction is retried with new codes.
PREGENERATED_CODES = 3
#: The index of a move that belongs to no message of the batch.
_NO_MESSAGE = -1
#: The type of the event in the outbox for each move.
_PUSHED = {
    "apply": "discount.applied",
    "release": "discount.released",
    "redeem": "discount.redeemed",
    "revoke": "discount.revoked",
    "expire": "discount.expired",
}


class IssuePass:
    """Executes the steps one by one against the counters reserved for all of them."""

    def __init__(
        self,
        context: DecisionContext,
        people: IdentityGraph,
        loaded: LoadedState,
        merges: SlotMerges,
        lives: Lives | None = None,
    ) -> None:
        self._lives, self.armed = lives, list[Timer]()
        self._context = context
        self._people = people
        self._pending_moves = PendingMoves(people, loaded.pending)
        self._held = HeldDiscounts()
        for held in loaded.discounts.values():
            if held.source_id in people.gone:
                continue
            owner = people.canonical(held.source_id)
            kept = keeping_slots(held) if owner in merges.joined else held
            self._held.put(kept if owner == held.source_id else replace(kept, source_id=owner), context.now)
        self._candidates: dict[str, list[str]] = defaultdict(list)
        self._used: dict[ScopedKey, int] = {}
        self._taken: set[str] = set()
        self.written: dict[str, DiscountRecord] = {}
        self._merges = merges
        self.rewritten = merges.rewritten
        self.differences: dict[ScopedKey, int] = defaultdict(int, merges.more)
        self.bounds: dict[ScopedKey, int] = {}
        self.decisions: list[Decision] = []
        self.deliveries: list[Delivery] = []
        self.held_back: list[str] = []
        self.orders = OrderUses()
        self.outcomes: dict[int, Outcome] = {}
        self.pool = PoolCodes()
        #: By place in the batch when messages are decided, where that is not now (simulations).
        self.times: Sequence[datetime] = ()

    @property
    def pending(self) -> list[PendingMove]:
        """The moves that become pending, and pending ones that were rejected."""
        return self._pending_moves.kept

    @property
    def ended(self) -> list[PendingMove]:
        """The pending moves that were executed."""
        return self._pending_moves.done

    def due(self) -> list[Step]:
        """Return the pending moves whose customer now holds the discount, and what else merges move."""
        pending = self._pending_moves.due(self._held.by_code)
        own = rewards.own_rewards(self._merges.joined, self._held.usable)
        return [
            *(Move(_NO_MESSAGE, move) for move in own),
            *(Move(_NO_MESSAGE, each.move(), pending=each) for each in pending),
        ]

    def needs(self, steps: Sequence[Step]) -> tuple[list[ScopedKey], list[str]]:
        """Return the counters that the steps could change, in key order, and the codes they could issue."""
        counters: set[ScopedKey] = set()
        for step in steps:
            if isinstance(step, Occurrence):
                for proposal in step.verdict.proposals:
                    owner = proposal.recipient or step.source_id
                    counters.update(self._counter(claim, owner) for claim in proposal.claims)
                    if proposal.rule.replaces:
                        for held in self._replaceable(proposal, step):
                            counters.update(self._counter(claim, held.source_id) for claim in held.claims)
                for proposal in step.verdict.proposals[:PREGENERATED_CODES]:
                    if proposal.rule.code_pool is not None:
                        continue
                    code = code_for(proposal.rule, self._context.draw)
                    self._candidates[proposal.rule.name].append(code)
            else:
                with suppress(NotFound):
                    held = self._held.find(step.move.code)
                    counters.update(self._counter(claim, held.source_id) for claim in held.claims)
        joined = self._merges.joined
        counters.update([(source, key) for scope, key in counters for source in joined.get(scope, ())])
        return sorted(counters), sorted({code for codes in self._candidates.values() for code in codes})

    def pools(self, steps: Sequence[Step]) -> dict[str, int]:
        """Return how many codes of each pool the steps could take."""
        occurrences = [step for step in steps if isinstance(step, Occurrence)]
        return pool_codes.wanted(proposal for step in occurrences for proposal in step.verdict.proposals)

    def _replaceable(self, proposal: Proposal, step: Occurrence) -> list[DiscountRecord]:
        """Return the discounts that a proposal can take the place of."""
        owner = self._people.canonical(proposal.recipient or step.source_id)
        return [held for held in self._held.usable(owner) if held.rule in proposal.rule.replaces]

    def bookings(self, steps: Sequence[Step]) -> BookingRequest | None:
        """Return what the steps need to know of pools, orders and holds, None where that is nothing."""
        moves: list[tuple[DiscountMove, DiscountRecord]] = []
        for step in steps:
            if isinstance(step, Move):
                with suppress(NotFound):
                    moves.append((step.move, self._held.find(step.move.code)))
                continue
            for proposal in step.verdict.proposals:
                if proposal.rule.replaces:
                    replaced = self._replaceable(proposal, step)
                    moves += [(DiscountMove("revoke", held.discount.code), held) for held in replaced]
        found, pools = order_uses.wanted(moves), self.pools(steps)
        if not pools:
            return found
        return replace(found or BookingRequest(), pools=pools)

    def give_back(self, holds: Iterable[Redemption]) -> None:
        """Give back what holds of erased customers count for the whole shop; nothing of them is left."""
        for counter, amount in order_uses.held_counts(holds).items():
            self.differences[counter] -= amount

    def reserve(self, reserved: CounterState) -> None:
        """Store the current counters: summed for merged customers, zero for erased ones."""
        gone = self._people.gone
        self._used = {key: used for key, used in reserved.used.items() if key[0] not in gone}
        self._taken = set(map(folded, reserved.taken))
        joined = self._merges.joined
        if not joined:
            return
        owners = {source: target for target, sources in joined.items() for source in sources}
        used_by = self._used.items()
        theirs = [((owners[scope], key), used) for (scope, key), used in used_by if scope in owners]
        for counter, used in (*theirs, *self._merges.more.items()):
            self._used[counter] = self._used.get(counter, 0) + used

    def take(self, step: Step) -> None:
        """Execute one step."""
        if self.times and step.index != _NO_MESSAGE:
            self._context = replace(self._context, now=self.times[step.index])
        if isinstance(step, Occurrence):
            self._decide(step)
        else:
            self._move(step)

    def _decide(self, step: Occurrence) -> None:
        if step.event.name in LIFE_EVENTS and not self._still(step):
            return
        canonical, at, event = self._people.canonical, step.at, step.event
        owner = canonical(step.source_id)
        own, others, refused = step.verdict, dict[str, Verdict](), list[RuleOutcome]()
        if step.verdict.for_others or owner != step.source_id:
            own, others, refused = rewards.divided(step, canonical)
        outcomes = [*step.verdict.outcomes, *refused, *self._granted(step, own, owner)]
        for name, verdict in others.items():
            said = self._granted(step, verdict, name)
            outcomes += map(about_another, said)
            self.decisions.append(
                Decision(event.id, event.name, name, at, step.book, (*verdict.outcomes, *said), {})
            )
        self.decisions.append(
            Decision(
                event.id, event.name, owner, at, step.book, tuple(outcomes), step.verdict.seen,
                step.verdict.untold,
            )
        )  # fmt: skip

    def _still(self, step: Occurrence) -> bool:
        """Tell whether no message of the batch has moved the discount whose life is decided."""
        held = self._held.by_code.get(step.event.attributes["code"])
        return held is not None and held.status_at(self._context.now) == step.event.attributes["status"]

    def _granted(self, step: Occurrence, verdict: Verdict, owner: str) -> list[RuleOutcome]:
        """Issue what may be issued to a customer; the answer names the discounts of the event's customer."""
        now, held = self._context.now, list(self._held.usable(owner))
        verdict, empty = self.pool.left_for(verdict)
        verdict, over = still_usable(verdict, step.at, now)
        choice = choose(verdict, [] if cares(verdict) else held, self._used, step.at, empty)
        outcomes = [*map(pool_codes.no_code_left, empty), *over, *choice.outcomes]
        for proposal in choice.granted:
            if self.pool.lacks(proposal):  # another rule took the last code for the same event
                outcomes.append(pool_codes.no_code_left(proposal))
                continue
            if (care := proposal.rule.care) is not None:
                issued = cared_for(self._held.by_code[step.event.attributes["code"]], proposal, care)
            else:
                issued = issue(proposal, step.event, owner, self._code(proposal), step.at)
            for code in proposal.replacing:
                self._replace(self._held.by_code[code], issued, now)
            self._bind(proposal, owner)
            self._count(issued if care is None else replace(issued, claims=proposal.claims), +1)
            if proposal.recipient is None:
                self._write(step.index, issued)
            else:
                issued = replace(issued, earned_by=rewards.earned_by(self._people.canonical(step.source_id)))
                self._held.put(issued, self._context.now)
                self.written[issued.discount.code] = issued
            self._push(issued, pushed(care))
            self.armed += self._lives.timers(issued) if self._lives and care is None else ()
            outcomes.append(rewards.issued(proposal, issued.discount.code))
        return outcomes

    def _replace(self, held: DiscountRecord, by: DiscountRecord, now: datetime) -> None:
        """Revoke a discount whose place another takes; the answer to the event does not name it."""
        why = f"replaced by {by.discount.code} of {by.rule}"
        move = DiscountMove("revoke", held.discount.code, reason=why)
        revoked = lifecycle.moved(held, move, None, now)
        after = self.orders.move(held, revoked, move, now, self._context.new_id())
        after = replace(after, version=held.version + 1)
        self._count(replace(after, claims=unspent(after)), -1)
        self._held.put(after, self._context.now)
        self.written[after.discount.code] = after
        self._push(after, "discount.revoked")

    def _move(self, step: Move) -> None:
        move, now = step.move, self._context.now
        mover = None if move.source_id is None else self._people.resolve(move.source_id)
        try:
            held = self._held.find(move.code)
            if step.occurred_at is not None and mover is not None and mover != held.source_id:
                self._pending_moves.wait(to_wait(step, held, mover, now), held)
            at = now if step.pending is None else min(now, max(step.pending.at, held.issued_at))
            after = lifecycle.moved(held, move, mover, at)
            if after is not held:
                after = self.orders.move(held, after, move, now, self._context.new_id())
            if after is not held:
                after = replace(after, version=held.version + 1)
        except Refused as refusal:
            if step.pending is None:
                self._outcome(step.index).refusal = refusal
            else:
                self._pending_moves.refuse(step.pending, refusal)
            return
        if step.pending is not None:
            self._pending_moves.done.append(step.pending)
        if after is not held:
            if after.discount.status in ("revoked", "expired"):
                self._count(replace(after, claims=unspent(after)), -1)
            in_part = move.verb == "redeem" and after.discount.status != "redeemed"
            self._push(after, "discount.used" if in_part else _PUSHED[move.verb])
        self._write(step.index, after)

    def issued_for(self, owner: str, event: Event, rules: RuleSet) -> list[DiscountRecord]:
        """Return the discounts issued for an event that the customer can still use."""
        names = rules.triggered_by(event.name)
        live = self._held.usable(owner)
        return [held for held in live if held.event_id == event.id and held.rule in names]

    def _outcome(self, index: int) -> Outcome:
        return self.outcomes.setdefault(index, Outcome())

    def _write(self, index: int, held: DiscountRecord) -> None:
        self._held.put(held, self._context.now)
        self.written[held.discount.code] = held
        written = self._outcome(index).held
        written[:] = [each for each in written if each.discount.code != held.discount.code] + [held]

    def _count(self, held: DiscountRecord, sign: int) -> None:
        for claim in held.claims:
            counter = self._counter(claim, held.source_id)
            self._used[counter] = self._used.get(counter, 0) + sign * claim.amount
            self.differences[counter] += sign * claim.amount

    def _bind(self, proposal: Proposal, owner: str) -> None:
        """Record the maximum values of the stored counters with which the grant is valid."""
        adding: dict[ScopedKey, int] = defaultdict(int)
        for claim in (*proposal.looks, *proposal.claims):
            counter = self._counter(claim, owner)
            adding[counter] += claim.amount
            bound = claim.cap - self.differences.get(counter, 0) - adding[counter]
            self.bounds[counter] = min(bound, self.bounds.get(counter, bound))

    def _counter(self, claim: CounterReservation, owner: str) -> ScopedKey:
        """Return the counter of a claim; the scope of a customer is the current id after merges."""
        if claim.scope and not claim.scope.startswith(RESERVED):
            return self._people.canonical(owner), claim.key
        return claim.scope, claim.key

    def _code(self, proposal: Proposal) -> str:
        if proposal.rule.code_pool is not None:
            return self.pool.draw(proposal.rule.code_pool)
        drawn = self._candidates.get(proposal.rule.name)
        code = drawn.pop(0) if drawn else code_for(proposal.rule, self._context.draw)
        while folded(code) in self._taken:
            code += self._context.draw(LENGTHENED_BY)
        self._taken.add(folded(code))
        return code

    def _push(self, held: DiscountRecord, kind: str) -> None:
        now, recipients = self._context.now, self._context.destinations
        names = recipients.of(kind, held.push)
        if not names:
            return
        if held.is_development and (left_out := recipients.held_back(names)):
            self.held_back += left_out
            names = [name for name in names if name not in left_out]
        self.deliveries += of_move(kind, held, names, now, self._context.new_id)

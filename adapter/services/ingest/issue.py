"""The second walk of a decision: discounts issued and moved, each seeing what came before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import cast

from msgspec import Raw, Struct
from msgspec.structs import replace

from adapter.discounts import lifecycle
from adapter.discounts.budgets import unspent
from adapter.errors import NotFound, Refused
from adapter.model.actions import UnitOff
from adapter.model.codes import folded, resolve
from adapter.model.counter_key import ScopedKey
from adapter.model.decisions import Decision, RuleOutcome
from adapter.model.deliveries import Delivery, OutboxEvent, Recipients
from adapter.model.discounts import CounterReservation, Discount, DiscountRecord
from adapter.model.encoding import encode
from adapter.model.event_names import EventNames
from adapter.model.events import Event
from adapter.model.ids import DEVICE
from adapter.model.operations import DiscountMove
from adapter.model.pending import PendingMove, Verb, pending_id
from adapter.model.redemptions import CodeUse, Redemption
from adapter.rules.engine.codes import code_for
from adapter.rules.engine.issue import issue
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.engine.select import choose
from adapter.rules.guardrails.proposal import Proposal, Verdict
from adapter.rules.guardrails.window_slots import keeping_slots
from adapter.services.ingest import pool_codes
from adapter.services.ingest.identities import IdentityGraph
from adapter.services.ingest.pending_moves import PendingMoves
from adapter.services.ingest.pool_codes import PoolCodes
from adapter.services.ingest.slot_merges import SlotMerges
from adapter.store.values import CounterState, LoadedState

#: Codes drawn per event before its counters are known. Should more rules than this issue on one event,
#: the store's unique key still refuses a clash, and the transaction runs again with new codes.
_CANDIDATES = 3
#: The place of a move that no message of the batch has brought.
_NO_MESSAGE = -1
#: What the destinations are told of each move.
_PUSHED = {
    "apply": "discount.applied",
    "release": "discount.released",
    "redeem": "discount.redeemed",
    "revoke": "discount.revoked",
    "expire": "discount.expired",
}


class DecisionContext(Struct, frozen=True):
    """What deciding takes from the world: the moment, randomness, ids, and where discounts go.

    `draw(n)` gives n random code characters, `new_id()` a unique id; `destinations` are the names that
    every discount is pushed to when it is issued and when it moves. `room` is how many more timers may wait.
    `names` are those under which stored events count.
    """

    now: datetime
    draw: Callable[[int], str]
    new_id: Callable[[], str]
    destinations: Recipients = Recipients()
    room: int = 1_000_000
    names: EventNames = EventNames()


class Occurrence(Struct, frozen=True):
    """An event that rules had something to say about; `index` is its message's place in the batch."""

    index: int
    event: Event
    source_id: str
    book: str
    verdict: Verdict


class Move(Struct, frozen=True):
    """A discount that a message means to move; `message` names it, and `told_at` is when it says it happened.

    Without `told_at` the move cannot wait for a merge: its caller is answered at once. `pending` is one that
    has waited, and is due; then `index` is no message's place.
    """

    index: int
    move: DiscountMove
    told_at: datetime | None = None
    message: str = ""
    pending: PendingMove | None = None


Step = Occurrence | Move


class Outcome(Struct):
    """What the second walk came to for one message."""

    discounts: list[Discount] = []
    refusal: Refused | None = None


class IssuePass:
    """Takes the steps one by one against the counters reserved for all of them."""

    def __init__(
        self,
        means: DecisionContext,
        people: IdentityGraph,
        loaded: LoadedState,
        merges: SlotMerges,
    ) -> None:
        self._means = means
        self._people = people
        self._waiting = PendingMoves(people, loaded.pending)
        self._by_code: dict[str, DiscountRecord] = {}
        self._spellings: defaultdict[str, set[str]] | None = None
        self._by_owner: dict[str, dict[str, DiscountRecord]] = defaultdict(dict)
        for held in loaded.discounts.values():
            if held.source_id in people.gone:
                continue
            owner = people.canonical(held.source_id)
            kept = keeping_slots(held) if owner in merges.joined else held
            self._hold(kept if owner == held.source_id else replace(kept, source_id=owner))
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
        self.redemptions: list[Redemption] = []
        self.outcomes: dict[int, Outcome] = {}
        self.pool = PoolCodes()

    @property
    def pending(self) -> list[PendingMove]:
        """The moves that wait from now on, or were refused after they had waited."""
        return self._waiting.kept

    @property
    def ended(self) -> list[PendingMove]:
        """The moves that have waited, and are done."""
        return self._waiting.done

    def due(self) -> list[Step]:
        """Return the pending moves of which the customer is by now the one who holds the discount."""
        return [Move(_NO_MESSAGE, each.move(), pending=each) for each in self._waiting.due(self._by_code)]

    def needs(self, steps: Sequence[Step]) -> tuple[list[ScopedKey], list[str]]:
        """Return the counters that the steps could touch, in key order, and the codes they could issue."""
        counters: set[ScopedKey] = set()
        for step in steps:
            if isinstance(step, Occurrence):
                for proposal in step.verdict.proposals:
                    counters.update(self._counter(claim, step.source_id) for claim in proposal.claims)
                for proposal in step.verdict.proposals[:_CANDIDATES]:
                    if proposal.rule.code_pool is not None:
                        continue
                    code = code_for(proposal.rule, self._means.draw)
                    self._candidates[proposal.rule.name].append(code)
            else:
                with suppress(NotFound):
                    held = self._meant(step.move.code)
                    counters.update(self._counter(claim, held.source_id) for claim in held.claims)
        joined = self._merges.joined
        counters.update([(source, key) for scope, key in counters for source in joined.get(scope, ())])
        return sorted(counters), sorted({code for codes in self._candidates.values() for code in codes})

    def pools(self, steps: Sequence[Step]) -> dict[str, int]:
        """Return how many codes of each pool the steps could take."""
        occurrences = [step for step in steps if isinstance(step, Occurrence)]
        return pool_codes.wanted(proposal for step in occurrences for proposal in step.verdict.proposals)

    def reserve(self, reserved: CounterState) -> None:
        """Take note of the counters as they stand: joined for the merged, anew for the erased."""
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
        """Take one step."""
        if isinstance(step, Occurrence):
            self._decide(step)
        else:
            self._move(step)

    def _decide(self, step: Occurrence) -> None:
        now, owner = self._means.now, self._people.canonical(step.source_id)
        held = list(self._by_owner[owner].values())
        verdict = step.verdict if owner == step.source_id else _rescoped(step, owner)
        verdict, unsupplied = self.pool.left_for(verdict)
        choice = choose(verdict, held, self._used, now)
        outcomes = [*step.verdict.outcomes, *unsupplied, *choice.outcomes]
        for proposal in choice.granted:
            if self.pool.lacks(proposal):  # another rule took the last code for the same event
                outcomes.append(pool_codes.no_code_left(proposal))
                continue
            issued = issue(proposal, step.event, owner, self._code(proposal), now)
            self._bind(proposal, owner)
            self._count(issued, +1)
            self._write(step.index, issued)
            self._push(issued, "discount.issued")
            outcomes.append(
                RuleOutcome(proposal.rule.name, "issued", "every condition holds", code=issued.discount.code)
            )
        verdict = step.verdict
        self.decisions.append(
            Decision(
                step.event.id, step.event.name, owner, now, step.book, tuple(outcomes), verdict.seen,
                verdict.untold,
            )
        )  # fmt: skip

    def _move(self, step: Move) -> None:
        move, now = step.move, self._means.now
        mover = None if move.source_id is None else self._people.behind(move.source_id)
        try:
            held = self._meant(move.code)
            if step.told_at is not None and mover is not None and mover != held.source_id:
                self._waiting.wait(_to_wait(step, held, mover, now), held)
            at = now if step.pending is None else min(now, max(step.pending.at, held.issued_at))
            after = lifecycle.moved(held, move, mover, at)
        except Refused as refusal:
            if step.pending is None:
                self._outcome(step.index).refusal = refusal
            else:
                self._waiting.refuse(step.pending, refusal)
            return
        if step.pending is not None:
            self._waiting.done.append(step.pending)
        if after is not held:
            if after.discount.status in ("revoked", "expired"):
                self._count(replace(after, claims=unspent(after)), -1)
            if move.verb == "redeem":
                self.redemptions.append(self._redemption(held, after, move))
            in_part = move.verb == "redeem" and after.discount.status != "redeemed"
            self._push(after, "discount.used" if in_part else _PUSHED[move.verb])
        self._write(step.index, after)

    def _redemption(self, held: DiscountRecord, after: DiscountRecord, move: DiscountMove) -> Redemption:
        """Return a redemption without an order's lines: its amount is not known, budgets keep the maximum."""
        before, left = held.discount.action, after.discount.action
        units = Decimal(0)
        if isinstance(before, UnitOff) and isinstance(left, UnitOff):
            units = before.remaining - left.remaining
        use = CodeUse(
            code=held.discount.code,
            rule=held.rule,
            units=int(units.scaleb(6)),
            restored=held.claims,
            on_refund=held.terms.on_refund,
        )
        return Redemption(
            id=self._means.new_id(),
            source_id=held.source_id,
            state="redeemed",
            at=after.moved_at,
            order_id=move.order_id or held.order_id or "",
            uses=(use,),
        )

    def issued_for(self, owner: str, event: Event, rules: RuleSet) -> list[Discount]:
        """Return what a customer may use still of what was issued for an event."""
        names = rules.triggered_by(event.name)
        live = self._by_owner[owner].values()
        return [held.discount for held in live if held.event_id == event.id and held.rule in names]

    def _outcome(self, index: int) -> Outcome:
        return self.outcomes.setdefault(index, Outcome())

    def _meant(self, code: str) -> DiscountRecord:
        """Return the discount that a code means; raises NotFound."""
        exact = self._by_code.get(code)
        if exact is not None:
            return exact
        if self._spellings is None:
            self._spellings = defaultdict(set)
            for known in self._by_code:
                self._spellings[folded(known)].add(known)
        alike = {spelled: self._by_code[spelled] for spelled in self._spellings.get(folded(code), ())}
        held = resolve(code, alike)
        if held is None:
            raise NotFound(f"no discount `{code}` was issued here")
        return held

    def _hold(self, held: DiscountRecord) -> None:
        self._by_code[held.discount.code] = held
        if self._spellings is not None:
            self._spellings[folded(held.discount.code)].add(held.discount.code)
        live = self._by_owner[held.source_id]
        if held.status_at(self._means.now) in ("issued", "applied"):
            live[held.discount.code] = held
        else:
            live.pop(held.discount.code, None)

    def _write(self, index: int, held: DiscountRecord) -> None:
        self._hold(held)
        self.written[held.discount.code] = held
        told = self._outcome(index).discounts
        told[:] = [each for each in told if each.code != held.discount.code] + [held.discount]

    def _count(self, held: DiscountRecord, sign: int) -> None:
        for claim in held.claims:
            counter = self._counter(claim, held.source_id)
            self._used[counter] = self._used.get(counter, 0) + sign * claim.amount
            self.differences[counter] += sign * claim.amount

    def _bind(self, proposal: Proposal, owner: str) -> None:
        """Note how high the counters of what is granted may stand in the store for it to hold."""
        adding: dict[ScopedKey, int] = defaultdict(int)
        for claim in (*proposal.looks, *proposal.claims):
            counter = self._counter(claim, owner)
            adding[counter] += claim.amount
            bound = claim.cap - self.differences.get(counter, 0) - adding[counter]
            self.bounds[counter] = min(bound, self.bounds.get(counter, bound))

    def _counter(self, claim: CounterReservation, owner: str) -> ScopedKey:
        """Return a claim's counter; one scoped to a customer follows the customer through merges."""
        if claim.scope and not claim.scope.startswith(DEVICE):
            return self._people.canonical(owner), claim.key
        return claim.scope, claim.key

    def _code(self, proposal: Proposal) -> str:
        if proposal.rule.code_pool is not None:
            return self.pool.draw(proposal.rule.code_pool)
        drawn = self._candidates.get(proposal.rule.name)
        code = drawn.pop(0) if drawn else code_for(proposal.rule, self._means.draw)
        while folded(code) in self._taken:
            code += self._means.draw(4)
        self._taken.add(folded(code))
        return code

    def _push(self, held: DiscountRecord, kind: str) -> None:
        now, discount = self._means.now, held.discount
        recipients = self._means.destinations.of(kind, held.push)
        if not recipients:
            return
        event = Raw(encode(OutboxEvent(kind, now, discount)))
        for destination in recipients:
            self.deliveries.append(
                Delivery(
                    id=f"msg_{self._means.new_id()}",
                    destination=destination,
                    source_id=held.source_id,
                    type=kind,
                    event=event,
                    created_at=now,
                    due_at=now,
                    not_after=discount.expires_at if kind == "discount.issued" else None,
                )
            )


def _to_wait(step: Move, held: DiscountRecord, mover: str, now: datetime) -> PendingMove:
    """Return a move as it waits for the customer who makes it to be merged with the holder."""
    move, code = step.move, held.discount.code
    return PendingMove(
        id=pending_id(move, code, step.message),
        source_id=mover,
        verb=cast("Verb", move.verb),
        code=code,
        at=step.told_at or now,
        received_at=now,
        reason=f"`{code}` belongs to another customer: the move waits until the two are merged",
        order_id=move.order_id,
        units=move.units,
    )


def _rescoped(step: Occurrence, owner: str) -> Verdict:
    """Return the verdict for a customer who was merged into another later in the same batch."""
    proposals = tuple(
        replace(
            proposal,
            claims=tuple(
                replace(claim, scope=owner) if claim.scope == step.source_id else claim
                for claim in proposal.claims
            ),
        )
        for proposal in step.verdict.proposals
    )
    return replace(step.verdict, proposals=proposals)

"""Small services for the web that record their calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from adapter.errors import NotFound, Unreadable, WrongMove
from adapter.model.actions import PercentageOff
from adapter.model.customers import Customer
from adapter.model.decisions import Decision, RuleOutcome
from adapter.model.deliveries import Delivery
from adapter.model.discounts import Discount, DiscountRecord
from adapter.model.encoding import encode
from adapter.model.erasures import Receipt
from adapter.model.evaluated import Evaluated
from adapter.model.events import Event, User
from adapter.model.ignored import Ignored
from adapter.model.operations import DiscountMove
from adapter.model.pages import Page
from adapter.model.pending import PendingMove
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.model.timers import Timer
from adapter.services.checkout.replies import Reply
from adapter.services.checkout.requests import Checkout as CheckoutRequest
from adapter.services.checkout.requests import RollBack
from adapter.services.checkout.service import CheckoutService
from adapter.services.core.evaluate import Evaluate
from adapter.services.discounts import DiscountService
from adapter.services.dry_runs.report import DryRun
from adapter.services.dry_runs.service import DryRunRequest, DryRuns
from adapter.services.figures import Figures, RuleFigures, RuleFiguresReader
from adapter.services.health import Check, Health
from adapter.services.ingest.pipeline import Ingest
from adapter.services.ingest.result import Result
from adapter.services.privacy.export import Export, ExportedMessage
from adapter.services.privacy.requests import Privacy
from adapter.services.quarantine_removal import QuarantineRemoved, RemovalFilter
from adapter.services.replay import Replayed, ReplayOptions
from adapter.services.revocations import Revocations, Revoked, UnusedDiscounts
from adapter.sources.decoded_body import Decoded
from adapter.store.forwarding_values import SentTo
from tests.web.doubles import NOW, FakeDeliveries, FakeUploads

HIGH_VALUE = Discount(
    code="HV15-8K2F",
    action=PercentageOff(Decimal(15), max_amount=Decimal(40)),
    expires_at=datetime(2024, 7, 16, 18, 24, 10, tzinfo=UTC),
    metadata={
        "rule": "high-value-cart-first-purchase",
        "issued_for_event_id": "evt_789",
        "user_id": "user_123",
    },
    stackable=False,
    status="issued",
)


class Services:
    """Small services for the web: `taken`, `moves` and `erased` are what they were called with.

    `result` makes the result of each message; `error` is raised instead, when set.
    """

    def __init__(self) -> None:
        self.taken: list[Decoded] = []
        self.moves: list[tuple[DiscountMove, str | None]] = []
        self.result: Callable[[int, str], Result] = lambda _, key: Result(key, "processed")
        self.erased: list[tuple[str, str, str]] = []
        self.emails: dict[str, list[str]] = {}
        self.error: Exception | None = None
        self.refused: list[tuple[str, str]] = []
        self.checks = [Check("store", ok=True), Check("queue", ok=True), Check("files", ok=True)]
        self.alive: list[str] = []
        self.ingest = FakeIngest(self)
        self.evaluate = FakeEvaluate(self)
        self.dry_runs = FakeDryRuns()
        self.discounts = FakeDiscounts(self)
        self.asked: Any = None
        self.checkout = FakeCheckout(self)
        self.privacy = FakePrivacy(self)
        self.deliveries = FakeDeliveries()
        self.revocations = FakeRevocations()
        self.figures = FakeFigures()
        self.imports = FakeUploads()
        self.health = FakeHealth(self)

    def require(self) -> None:
        """Raise the error that is set."""
        if self.error:
            raise self.error

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.alive.append("entered")
        yield
        self.alive.append("left")


class FakeCheckout(CheckoutService):
    """Answers what it was asked, and knows the redemption `r1` alone."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def validate(self, request: CheckoutRequest, caller: str = "", key: str | None = None) -> Reply:
        self._services.require()
        self._services.asked = request
        return Reply.of({"valid": True, "caller": caller, "key": key})

    async def redeem(self, request: CheckoutRequest, caller: str = "", key: str | None = None) -> Reply:
        return await self.validate(request, caller, key)

    async def qualify(self, request: CheckoutRequest) -> Reply:
        return await self.validate(request)

    async def roll_back(self, asked: RollBack, caller: str = "", key: str | None = None) -> Reply:
        self._services.asked = asked
        return await self.redemption(asked.redemption)

    async def release(self, id_: str) -> Reply:
        return await self.redemption(id_)

    async def redemption(self, id_: str) -> Reply:
        if id_ != "r1":
            raise NotFound("there is nothing under that id")
        return Reply.of({"id": id_})

    async def redemptions(self, by: str, name: str, before: str | None, *, holds: bool = False) -> Reply:
        return Reply.of({"by": by, "name": name, "before": before, "holds": holds})

    async def rollbacks(self, id_: str) -> Reply:
        return await self.redemption(id_)

    async def add_codes(self, pool: str, codes: Any) -> Reply:
        return Reply.of({"pool": pool, "added": len(codes), "left_out": []})

    async def pools(self) -> Reply:
        return Reply.of({"pools": []})


class FakeIngest(Ingest):
    def __init__(self, services: Services) -> None:
        self._services = services

    async def receive(self, decoded: Decoded, size: int = 0) -> list[Result]:
        self._services.require()
        assert size > 0
        self._services.taken.append(decoded)
        results = [self._services.result(at, message.key) for at, message in enumerate(decoded.messages)]
        return results + [Result(kept.key, "quarantined", kept.reason) for kept in decoded.quarantined]

    def note_refused(self, source: str, body: bytes, error: Unreadable, at: datetime) -> None:
        self._services.refused.append((source, error.message))

    async def receive_parts(self, parts: Iterable[Decoded]) -> list[Result]:
        return [result for part in parts for result in await self.receive(part, part.size)]


class FakeDryRuns(DryRuns):
    """Says nothing of any request."""

    def __init__(self) -> None:
        pass

    async def run(self, request: DryRunRequest) -> DryRun:
        return DryRun(NOW, "", [], [], 0, [])


class FakeEvaluate(Evaluate):
    def __init__(self, services: Services) -> None:
        self._services = services

    async def evaluate(self, body: bytes) -> list[Evaluated]:
        self._services.require()
        return []


class FakeDiscounts(DiscountService):
    def __init__(self, services: Services) -> None:
        self._services = services

    async def move(self, move: DiscountMove, idempotency_key: str | None = None) -> Discount:
        self._services.require()
        self._services.moves.append((move, idempotency_key))
        if move.verb == "redeem":
            raise WrongMove("`HV15-8K2F` is issued; apply it first")
        return replace(await self.discount(move.code), status="applied")

    async def discount(self, code: str) -> Discount:
        self._services.require()
        if code != HIGH_VALUE.code:
            raise NotFound(f"no discount `{code}` was issued here")
        return HIGH_VALUE

    async def discounts(self, source_id: str, before: str | None = None) -> Page[Discount]:
        return Page([HIGH_VALUE] if source_id == "user/123" else [])

    async def pending_moves(self, source_id: str) -> list[PendingMove]:
        return [PendingMove("0" * 32, source_id, "redeem", HIGH_VALUE.code, NOW, NOW, "it waits")]

    async def pending_moves_of(self, code: str) -> list[PendingMove]:
        await self.discount(code)
        return await self.pending_moves("user_9")

    async def customer(self, source_id: str) -> Customer:
        return Customer(source_id, traits={"plan": {"name": "gold"}})

    async def customers_with(self, email: str) -> list[Customer]:
        return [await self.customer(each) for each in self._services.emails.get(email, [])]

    async def events(self, source_id: str, before: str | None = None) -> Page[Event]:
        event = Event("evt_789", "checkout_started", NOW, User(source_id), {"cart_value": 145.75}, {})
        page = Page([event] if before is None else [])
        page.next = "more" if before is None else None
        return page

    async def decisions(self, source_id: str, before: str | None = None) -> Page[Decision]:
        return Page(await self.decisions_on(source_id, "evt_789"))

    async def decisions_on(self, source_id: str, event_id: str) -> list[Decision]:
        outcome = RuleOutcome("high-value-cart-first-purchase", "issued", "every condition holds")
        return [Decision(event_id, "checkout_started", source_id, NOW, "book", (outcome,), {})]

    async def quarantined_of(self, source_id: str) -> list[Excerpt]:
        return await self.quarantined()

    async def ignored(self) -> list[Ignored]:
        return [Ignored("segment", "track", "Product Viewed", 3, NOW, NOW)]

    async def quarantined(self, before: int | None = None) -> list[Excerpt]:
        document = Raw(b'{"userId":"u"}')
        kept = [Excerpt("segment", "m", document, "no name", NOW, id_, False, 14, False) for id_ in (8, 7)]
        return [each for each in kept if before is None or each.id < before]

    async def quarantined_message(self, id_: int) -> Quarantined:
        if id_ not in (7, 8):
            raise NotFound("there is none")
        return Quarantined("segment", "m", Raw(b'{"userId":"u"}'), "no name", NOW, id_)


class FakePrivacy(Privacy):
    def __init__(self, services: Services) -> None:
        self._services = services

    async def erase(self, source_id: str, by: str = "api", request: str = "") -> Receipt:
        self._services.require()
        self._services.erased.append((source_id, by, request))
        return Receipt("0" * 64, NOW, by, request, {"customers": 1, "events": 2})

    async def erase_address(self, email: str, by: str = "api", request: str = "") -> None:
        for name in sorted([*self._services.emails.get(email, []), email]):
            await self.erase(name, by, request)

    async def export(self, source_id: str) -> AsyncIterator[bytes]:
        if source_id == "nobody":
            raise NotFound("nothing is held under that id")
        held = self._services.discounts
        found = Export(
            source_id=source_id,
            customer=await held.customer(source_id),
            names={"mpid": ["42"]},
            history={"checkout_started": [1, 0, 0, {}, {}]},
            events=await held.events(source_id),
            decisions=await held.decisions(source_id),
            discounts=[DiscountRecord(HIGH_VALUE, source_id, "high-value", "evt_789", NOW, NOW)],
            deliveries=[Delivery("d1", "webhook", source_id, "discount.issued", Raw(b"{}"), NOW, NOW)],
            sent_to=[SentTo("webhook", source_id)],
            timers=[Timer("lapsed", source_id, (await held.events(source_id))[0], NOW)],
            redemptions=[],
            rollbacks=[],
            counters={"high-value:total": 1},
            quarantined=[Quarantined("segment", "m", Raw(b'{"userId":"u"}'), "no name", NOW, 7)],
            pending_moves=await held.pending_moves(source_id),
            receipts=[],
            messages=[ExportedMessage("segment", "m", NOW, "processed", "", Raw(b"{}"))],
        )
        yield encode(found)


class FakeRevocations(Revocations):
    """Knows the rule `gift` alone."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None, str | None]] = []

    async def count(self, rule: str, most: int | None = None) -> UnusedDiscounts:
        if rule != "gift":
            raise NotFound("no such rule")
        return UnusedDiscounts(rule, 3, 1)

    async def revoke(self, rule: str, reason: str | None, after: str | None = None, most: int = 0) -> Revoked:
        self.asked.append((rule, reason, after))
        return Revoked(rule, (await self.count(rule)).unused, 0)


class FakeFigures(RuleFiguresReader):
    """Knows the rule `gift` alone."""

    def __init__(self) -> None:
        pass

    async def of(self, rule: str) -> RuleFigures:
        if rule != "gift":
            raise NotFound("no such rule")
        issued = Figures(issued=2, open=1, liability=Decimal(10))
        return RuleFigures(rule, {(NOW.date(), "EUR"): issued, (NOW.date(), "JPY"): issued})


class FakeHealth(Health):
    def __init__(self, services: Services) -> None:
        self._services = services

    async def ready(self) -> list[Check]:
        return self._services.checks


async def remove_quarantined(which: RemovalFilter, reason: str, *, dry_run: bool) -> QuarantineRemoved:
    if which.narrows == which.everything:
        raise Unreadable("name the messages")
    return QuarantineRemoved(len(which.ids), {reason: len(which.ids)}, dry_run)


async def replays(options: ReplayOptions) -> AsyncIterator[Replayed]:
    entry = Excerpt("segment", "m", Raw(b"{}"), "no name", NOW, 8, False, 2, False)
    yield Replayed(entry, Result("m", "processed"), options.dry_run)

"""A remote core: another instance, which takes operations at `POST /v1/evaluate` and answers each of them.

An operation is settled when the core says so: decided, known already, or in the core's quarantine. While the
core cannot be reached, or refuses all of a request, attempts do not count: nothing is given up for that. The
id of an operation is the same in every attempt, so the core decides it once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace
from yarl import URL

from adapter.destinations.answers import judged
from adapter.destinations.base import HttpDestination, checked_url
from adapter.destinations.contract import ANSWER_BYTES, Attempt, BatchLimits, Destination
from adapter.destinations.transport import Answer, HttpClient, RequestFailed
from adapter.errors import Unavailable
from adapter.model.deliveries import Delivery
from adapter.model.encoding import encode
from adapter.model.erasures import CUSTOMER_ERASED, CustomerErased
from adapter.model.evaluated import ERASURE, Evaluated, Evaluation, erasure_id
from adapter.settings.destinations.core import Core

#: Takes the answers to deliveries, durably; raises Unavailable.
Take = Callable[[Sequence[tuple[Delivery, Evaluated]]], Awaitable[None]]
#: The longest answer: each operation may bring several discounts and decisions.
_ANSWER_BYTES: Final = 32_000_000
#: How long nothing is sent to a core that cannot be reached, and to one that refuses this process.
_AWAY: Final = timedelta(seconds=1)
_LONGEST_AWAY: Final = timedelta(seconds=15)
_REFUSED: Final = timedelta(minutes=1)
#: Statuses of a request that is too large as a whole, or of which one operation makes it so.
_HALVED: Final = (400, 413, 422)
_MEANINGS: Final = {
    401: "it asks for a token: set `token`",
    403: "`token` is none of its `api.evaluate_tokens`",
    404: "there is no `/v1/evaluate`: `url` is not the address of a core, or its program is older",
    421: "it has a remote core itself: `url` must be the address of the instance that decides",
}


class _Document(Struct):
    data: Raw


class CoreDestination(HttpDestination):
    """Posts operations to a core, and gives its answers to `take`, which is set before anything is sent.

    Without it no operation is settled.
    """

    settings_type: ClassVar = Core
    #: A core takes up to 500 operations, and reads up to 5 MB unless it is set lower.
    batch = BatchLimits(100, 1_000_000)

    def __init__(self, name: str, settings: Core, client: HttpClient) -> None:
        token = {"authorization": f"Bearer {settings.token}"} if settings.token else {}
        super().__init__(name, settings, client, token)
        base = checked_url(settings.url, allow_http=settings.allow_private_addresses)
        self.host = base.host or ""
        self._url: URL = base / "v1" / "evaluate"
        self._failures = 0
        self.take: Take = _not_connected

    def succeed(self, before: Destination) -> None:
        """Give answers to what takes those of the destination before."""
        if isinstance(before, CoreDestination):
            self.take = before.take

    async def send(self, deliveries: Sequence[Delivery], now: datetime) -> Sequence[Attempt]:
        """Send operations in one request; one that the core takes for too large is sent in halves."""
        try:
            answer = await self._twice(b'{"operations":[' + b",".join(map(document, deliveries)) + b"]}")
        except RequestFailed as error:
            return [Attempt(ok=False, error=str(error), retry_after=self._away(), counted=False)] * len(
                deliveries
            )
        if answer.status in _HALVED and len(deliveries) > 1:
            half = len(deliveries) // 2
            return [*await self.send(deliveries[:half], now), *await self.send(deliveries[half:], now)]
        if answer.status != 200:
            return [self._refused(answer, now)] * len(deliveries)
        return await self._answered(deliveries, answer)

    async def _twice(self, body: bytes) -> Answer:
        """Send a request, and once more where it failed: a response may be waiting, and it does no harm."""
        try:
            return await self._evaluate(body)
        except RequestFailed:
            return await self._evaluate(body)

    async def _evaluate(self, body: bytes) -> Answer:
        return await self._request(
            "POST", self._url, body, read_bytes=_ANSWER_BYTES, read_seconds=self.timeout.total_seconds()
        )

    def _away(self) -> timedelta:
        """Return how long a core that cannot be reached is left alone: ever longer, until it answers."""
        self._failures += 1
        return min(_AWAY * (1 << min(self._failures - 1, 10)), _LONGEST_AWAY)

    async def test(self, now: datetime) -> Attempt:
        """Send no operations at all: the core answers whether it would take any."""
        try:
            sent = await self._evaluate(b'{"operations":[]}')
        except RequestFailed as error:
            return Attempt(ok=False, error=str(error))
        return judged(sent, now) if sent.status == 200 else self._refused(sent, now)

    def _refused(self, answer: Answer, now: datetime) -> Attempt:
        """Return what an answer means that takes none of the operations; only a bad one alone is given up."""
        attempt = judged(answer, now)
        if answer.status in _HALVED:
            return replace(attempt, final=True)
        meaning = _MEANINGS.get(answer.status)
        error = f"{attempt.error}: {meaning}" if meaning else attempt.error
        pause = attempt.retry_after or (_REFUSED if meaning else self._away())
        return replace(attempt, ok=False, error=error, gone=False, counted=False, retry_after=pause)

    async def _answered(self, deliveries: Sequence[Delivery], answer: Answer) -> Sequence[Attempt]:
        try:
            results = msgspec.json.decode(answer.body, type=Evaluation).results if answer.whole else None
        except msgspec.DecodeError:
            results = None
        if results is None:
            error = "its answer is not that of a core, or was cut off"
            return [_attempt(answer, error=error, retry_after=self._away(), counted=False)] * len(deliveries)
        self._failures = 0
        by_place = {result.index: result for result in results}
        pairs = [(each, by_place.get(at)) for at, each in enumerate(deliveries)]
        attempts = [_settled(result, each, answer) for each, result in pairs]
        settled = zip(pairs, attempts, strict=True)
        taken = [(each, result) for (each, result), attempt in settled if result is not None and attempt.ok]
        try:
            await self.take(taken)
        except Unavailable as error:
            failed = f"its answer cannot be stored now: {error.public_message}"
            return [_attempt(answer, error=failed, counted=False)] * len(deliveries)
        return attempts


def document(delivery: Delivery) -> bytes:
    """Return the operation of a delivery.

    That of an erasure names the customer only here: an erasure removes the name from all that is stored.
    """
    if delivery.type == CUSTOMER_ERASED:
        event = msgspec.json.decode(delivery.event, type=CustomerErased)
        source_id = event.data.source_id
        id_ = erasure_id(source_id, event.timestamp)
        return encode({"id": id_, "action": "customer.erase", "source_id": source_id})
    data = msgspec.json.decode(delivery.event, type=_Document).data
    if delivery.type != ERASURE:
        return bytes(data)
    return encode({**msgspec.json.decode(data), "source_id": delivery.source_id})


async def _not_connected(_answers: Sequence[tuple[Delivery, Evaluated]]) -> None:
    """Refuse answers, so that none is lost: the operations stay due."""
    raise Unavailable("nothing takes the answers of this core; restart the server")


def _settled(result: Evaluated | None, delivery: Delivery, answer: Answer) -> Attempt:
    """Return what the result of one operation means; without a result it was not taken."""
    if result is None or result.id != _id(delivery):
        return _attempt(answer, error="the core has not answered this operation", counted=False)
    if result.outcome == "ignored":
        return _attempt(answer, error=f"the core could not decide it now: {result.reason}")
    if result.outcome != "refused":
        return _attempt(answer)
    if result.error == "unknown_action":
        return _attempt(answer, error="the core is older than this adapter: it does not know the operation")
    return _attempt(answer, error=f"refused as `{result.error}`: {result.reason}", final=True)


def _id(delivery: Delivery) -> str:
    found: str = msgspec.json.decode(document(delivery))["id"]
    return found


def _attempt(answer: Answer, error: str | None = None, **members: Any) -> Attempt:
    return Attempt(
        ok=error is None, error=error, status=answer.status, answer=answer.body[:ANSWER_BYTES], **members
    )

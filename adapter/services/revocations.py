"""Revoke the unused discounts of a rule, for example after a mistaken rollout.

Discounts are read a page at a time, and each page is revoked through the committer, together with other
messages. A run that was interrupted can be repeated: it finds the discounts that are still unused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime

from msgspec import Struct

from adapter.errors import NotFound, Unavailable
from adapter.model.discounts import DiscountRecord
from adapter.model.operations import DiscountMove
from adapter.model.pages import Page
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store

#: Discounts per page, and the maximum that one transaction revokes.
PAGE = 500
#: One API call stops reading after this number of revocations.
MOST = 5_000

Submit = Callable[[Sequence[Work]], Awaitable[Sequence[Result]]]


class UnusedDiscounts(Struct, frozen=True, omit_defaults=True):
    """The unused discounts of a rule: `issued`, and `applied` to an order that is not completed.

    With `more` not all were counted.
    """

    rule: str
    issued: int
    applied: int
    more: bool = False

    @property
    def unused(self) -> int:
        """The number of discounts that a revocation would revoke."""
        return self.issued + self.applied


class Revoked(Struct, frozen=True):
    """The result of one run: discounts that are `revoked` now, and those `left` that were used meanwhile.

    `next` is the `after` of the next call; None where all discounts were read.
    """

    rule: str
    revoked: int
    left: int
    next: str | None = None


class Revocations:
    """Counts and revokes the unused discounts of a rule.

    Both raise NotFound for a rule that no file has and of which nothing was issued, and Unavailable while the
    store cannot be read or written.
    """

    def __init__(
        self,
        store: Store,
        submit: Submit,
        books: LoadedFiles,
        clock: Callable[[], datetime],
        patience: ReadTimeout,
    ) -> None:
        self._store = store
        self._submit = submit
        self._books = books
        self._clock = clock
        self._read = patience.read

    async def count(self, rule: str, most: int | None = None) -> UnusedDiscounts:
        """Return how many discounts of a rule are unused, among the newest `most` where that is given."""
        found, looked_at = {"issued": 0, "applied": 0}, 0
        async for page in self._pages(rule, None):
            for held in page:
                status = held.status_at(self._clock())
                found[status] = found.get(status, 0) + 1
            looked_at += len(page)
            if most is not None and looked_at >= most and page.next is not None:
                return UnusedDiscounts(rule, found["issued"], found["applied"], more=True)
        if not looked_at and not self._is_loaded(rule):
            raise unknown(rule)
        return UnusedDiscounts(rule, found["issued"], found["applied"])

    async def revoke(
        self, rule: str, reason: str | None, after: str | None = None, most: int = MOST
    ) -> Revoked:
        """Revoke unused discounts of a rule from `after` on, and stop once `most` or more were revoked."""
        done = Revoked(rule, 0, 0, after)
        known = after is not None or self._is_loaded(rule)
        async for page in self._pages(rule, after):
            known = known or bool(page)
            codes = [held.discount.code for held in page if self._is_unused(held)]
            revoked = await self._revoke(codes, reason)
            done = Revoked(rule, done.revoked + revoked, done.left + len(codes) - revoked, page.next)
            if done.revoked >= most and page.next is not None:
                return done
        if not known:
            raise unknown(rule)
        return done

    async def _pages(self, rule: str, after: str | None) -> AsyncIterator[Page[DiscountRecord]]:
        """Yield the discounts of a rule, newest first: what is issued meanwhile is not among them."""
        while True:
            page = await self._read(self._store.discounts_by_time(rule, PAGE, after))
            yield page
            after = page.next
            if after is None:
                return

    async def _revoke(self, codes: Sequence[str], reason: str | None) -> int:
        now = self._clock()
        works = [Work("api", "", code, now, (DiscountMove("revoke", code, reason=reason),)) for code in codes]
        results = await self._submit(works) if works else ()
        if any(result.error == Unavailable.code for result in results):
            raise Unavailable("not all discounts could be revoked; run it again to revoke the others")
        return sum(1 for result in results if result.discounts)

    def _is_unused(self, held: DiscountRecord) -> bool:
        return held.status_at(self._clock()) in {"issued", "applied"}

    def _is_loaded(self, rule: str) -> bool:
        return any(known.name == rule for known in self._books.rules.rules)


def unknown(rule: str) -> NotFound:
    """Return the error of a rule that no file has and of which nothing was issued."""
    return NotFound(f"no rule is named `{rule}`, and no discount of such a rule was issued")

"""What a customer or an operator may ask of data: erasure, export, and the revocation of discounts."""

from __future__ import annotations

from typing import Self

from msgspec import Struct

from adapter.composition.base import Base
from adapter.composition.committing import Committing
from adapter.services.loaded_files import placeholders
from adapter.services.privacy.redaction import Forgetting
from adapter.services.privacy.requests import Privacy
from adapter.services.revocations import Revocations


class CustomerServices(Struct, frozen=True, kw_only=True):
    """`privacy` takes the requests, `forgetting` finishes erasures, `revocations` withdraws discounts."""

    forgetting: Forgetting
    privacy: Privacy
    revocations: Revocations

    @classmethod
    def of(cls, base: Base, committing: Committing) -> Self:
        """Build them; what they change goes through the committer."""
        store, clock, submit = base.store, base.clock, committing.committer.submit
        forgetting = Forgetting(store, clock, placeholders(base.settings))
        return cls(
            forgetting=forgetting,
            privacy=Privacy(store, submit, clock, base.patience, forgetting),
            revocations=Revocations(store, submit, base.books, clock, base.patience),
        )

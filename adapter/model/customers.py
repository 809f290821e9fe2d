"""The customer, keyed by `source_id`."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapter.model.emails import found_in

#: Identity kinds by which an anonymous visitor is recognised and merged into a customer. Email, phone
#: and device are not among them: they are reassigned and shared, so they never cause a merge.
LINKING = ("anonymous_id", "mpid")
#: Standard fields that hold text.
TEXT_FIELDS = ("name", "email", "phone", "birthdate", "description")
#: All standard fields.
FIELDS = (*TEXT_FIELDS, "address")
#: The kind of identity by which the old source_id of a merged customer resolves to the target customer.
SOURCE_ID = "source_id"


class Customer(Struct, frozen=True, omit_defaults=True):
    """One person; `traits` may nest and hold arrays; `identities` maps kind to value.

    `told_at` has the update time of each fact, in milliseconds since 1970: a field by its name, a trait as
    `traits.NAME`, a segment as `segments.NAME`; a removed fact keeps its time. `merged` has the ids of known
    customers that were merged into this one, the latest last. `version` counts the changes that were
    forwarded to destinations.

    The rows of a customer with many rows are not moved when a merge changes the customer's id: the store
    keeps the old `source_id` as the key, and the current id in `known_as`. Records that the store returns
    have the current id (`named`).
    """

    source_id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    birthdate: str | None = None
    description: str | None = None
    address: dict[str, Any] | None = None
    traits: dict[str, Any] = {}
    identities: dict[str, str] = {}
    segments: tuple[str, ...] = ()
    groups: dict[str, dict[str, Any]] = {}
    told_at: dict[str, int] = {}
    merged: tuple[str, ...] = ()
    known_as: str = ""
    version: int = 0

    @property
    def anonymous(self) -> bool:
        """Whether the customer has only an anonymous id: the key is among the linking identities."""
        identities = self.identities
        return bool(identities) and any(identities.get(kind) == self.source_id for kind in LINKING)

    def named(self) -> Customer:
        """Return a stored customer under the current id."""
        return replace(self, source_id=self.known_as, known_as="") if self.known_as else self

    def names(self) -> set[str]:
        """Return every id and email of this person; not device ids, because others may use the device."""
        names = {value for kind, value in self.identities.items() if not kind.startswith("device")}
        return names | {self.source_id} | ({self.email} if self.email else set())

    def addresses(self) -> set[str]:
        """Return the customer's own email addresses in normal form: among the ids, or a trait."""
        trait = self.traits.get("email")
        names = {*self.names(), *self.merged, trait if isinstance(trait, str) else ""}
        return {address for name in names if "@" in name or not name.isascii() for address in found_in(name)}

"""The customer, keyed by `source_id`."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapter.model.emails import found_in

#: Identity kinds by which an unknown visitor is recognised and joined to a customer. Email, phone
#: and device are not among them: they are re-assigned and shared, so they describe but never join.
LINKING = ("anonymous_id", "mpid")
#: Standard fields that hold text.
TEXT_FIELDS = ("name", "email", "phone", "birthdate", "description")
#: All standard fields.
FIELDS = (*TEXT_FIELDS, "address")
#: The kind under which a merged customer's old source_id leads to the one it was merged into.
SOURCE_ID = "source_id"


class Customer(Struct, frozen=True, omit_defaults=True):
    """One person; `traits` may nest and hold arrays; `identities` maps kind to value.

    `told_at` says when a fact was last told, in milliseconds since 1970: a field by its name, a trait as
    `traits.NAME`, a segment as `segments.NAME`; a fact that was taken back keeps its time. `merged` has the
    ids of known customers who were joined into this one, the latest last.

    A customer who has much is not moved when a merge gives them another id: the store keeps what they have
    under the `source_id` that they had, as the customer's key, and in `known_as` the id that they go by. What
    the store hands out goes by that id (`named`).
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

    @property
    def anonymous(self) -> bool:
        """Whether they are known by an anonymous id alone: their key is among their linking identities."""
        return any(self.identities.get(kind) == self.source_id for kind in LINKING)

    def named(self) -> Customer:
        """Return the customer as kept by the store under the id that they go by."""
        return replace(self, source_id=self.known_as, known_as="") if self.known_as else self

    def names(self) -> set[str]:
        """Return every id and email that names this person; a device's do not, for others may use it."""
        names = {value for kind, value in self.identities.items() if not kind.startswith("device")}
        return names | {self.source_id} | ({self.email} if self.email else set())

    def addresses(self) -> set[str]:
        """Return the customer's own email addresses in their normal spelling: among their ids, or a trait."""
        trait = self.traits.get("email")
        names = {*self.names(), *self.merged, trait if isinstance(trait, str) else ""}
        return {address for name in names if "@" in name or not name.isascii() for address in found_in(name)}

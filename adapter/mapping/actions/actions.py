"""The actions that a mapping can name, and their fields, as data.

The loader checks files against this table, the JSON Schema and the documentation are written from
it, and `operations.py` builds what each action yields.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

#: What a field takes. `id`: text, or a number that becomes its exact text, at most 512 characters.
#: `ids`: one id or a list of them. `identities`: an object of kind to id. `text`: text, a number or a
#: boolean; blank is absent. `names`: a text or a list of texts. `object`: an object.
#: `memberships`: an object of segment to boolean. `time`: an instant as text or Unix time.
#: `units`: a number of 0 or more, or text that is one.
Kind = Literal["id", "ids", "identities", "text", "names", "object", "memberships", "time", "units"]


class Field(Struct, frozen=True):
    """One field of an action; `default` is used when the mapping leaves it out."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    default: str = ""


class Action(Struct, frozen=True):
    """What a mapping yields, and the fields it takes."""

    name: str
    meaning: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        """Return the field of that name."""
        return next((field for field in self.fields if field.name == name), None)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the fields that every mapping with this action must give."""
        return tuple(field.name for field in self.fields if field.required)


_SOURCE_ID = Field(
    "source_id",
    "id",
    "the customer's key; an unknown visitor's anonymous id until the customer is known",
    required=True,
)
_LINKS = (
    Field(
        "anonymous_id",
        "id",
        "the visitor's anonymous id, also while it is the key; merges the visitor into the customer",
    ),
    Field("mpid", "id", "mParticle's profile id; merges like `anonymous_id`"),
)
_ORDER = Field("order_id", "id", "the order that the discount is used in")
_CODE = Field(
    "code",
    "ids",
    "the discount's code as people type it, or a list of codes; missing, blank, true or false has no effect",
    required=True,
)
_UNITS = Field(
    "units",
    "units",
    "how many of its units it takes, such as a ride's minutes; 0 has no effect, and a value that is "
    "missing in the message is an error",
    default="all that are left",
)
_UNIT_TYPE = Field(
    "unit_type",
    "text",
    "which units these are, such as minutes; needed for a code that has several benefits in units",
)
_LINES = Field(
    "order",
    "object",
    "the order: `currency`, `lines` (`id`, `sku`, `quantity`, `unit_price`) and `shipping`; with it the "
    "amounts are booked that the codes take off",
)
_DISCOUNT = (_CODE, Field("source_id", "id", "the customer who moves it"), _ORDER)

_UPSERT = Action(
    "customer.upsert",
    "creates the customer, or updates the given fields of an existing one",
    (
        _SOURCE_ID,
        *_LINKS,
        Field("identities", "identities", "more identities, kind to value (email, other_id_2)"),
        Field("name", "text", "the full name"),
        Field("email", "text", "the email address"),
        Field("phone", "text", "the phone number"),
        Field("birthdate", "text", "the day of birth, YYYY-MM-DD"),
        Field("description", "text", "free text"),
        Field("address", "object", "city, state, line_1, line_2, country, postal_code"),
        Field("traits", "object", "all other data about the customer; nested values and lists are kept"),
        Field("removed_traits", "names", "names of traits to remove"),
        Field("removed_fields", "names", "names of fields above to empty: phone, address, address.country"),
        Field("segments", "memberships", "segments, true for joined and false for left"),
        Field("joined_segments", "names", "segments that the customer joined"),
        Field("left_segments", "names", "segments that the customer left"),
    ),
)
_EVENT = Action(
    "event",
    "records something that a customer did; rules react to it",
    (
        _SOURCE_ID,
        Field("name", "text", "the event's name; becomes snake_case (`Order Completed`: `order_completed`)",
              required=True),
        Field("id", "id", "the event's unique id", default="the message's id"),
        Field("occurred_at", "time", "when it happened; a time in the future counts as now",
              default="the message's `timestamp`, else the time of receipt"),
        *_LINKS,
        Field("email", "text", "the email address of the actor"),
        Field("device_id", "id", "the device, for limits per device"),
        Field("session_id", "id", "the session"),
        Field("attributes", "object", "what rules read by bare name"),
        Field("context", "object", "where it happened: device, page, campaign, locale"),
    ),
)  # fmt: skip

ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        _UPSERT,
        _EVENT,
        Action(
            "customer.merge",
            "says that two ids are one person",
            (
                _SOURCE_ID,
                Field("previous_id", "id", "the id that becomes `source_id`", required=True),
                Field(
                    "anonymous_id",
                    "id",
                    "an anonymous id; if `source_id` is the same, it is a visitor's key, not a customer's",
                ),
                Field("mpid", "id", "mParticle's profile id; the same as `anonymous_id`"),
            ),
        ),
        Action(
            "customer.group",
            "puts the customer into a group, such as an account",
            (
                _SOURCE_ID,
                Field("group_id", "id", "the group's id", required=True),
                *_LINKS,
                Field("traits", "object", "traits of the group, not of the customer"),
            ),
        ),
        Action("customer.erase", "forgets the customer and all they did", (_SOURCE_ID,)),
        Action("discount.apply", "the customer put a discount on a cart", _DISCOUNT),
        Action("discount.release", "the customer took a discount off a cart", _DISCOUNT),
        Action(
            "discount.redeem",
            "the customer ordered with a discount",
            (*_DISCOUNT, _UNITS, _UNIT_TYPE, _LINES),
        ),
        Action("discount.revoke", "revokes discounts that are not used yet", (_CODE,)),
        Action(
            "discount.rollback",
            "an order was cancelled or refunded: rolls back its redemptions, and revokes what it earned",
            (
                Field("order_id", "id", "the order; without it nothing happens", required=True),
                Field("source_id", "id", "the customer who ordered"),
                Field(
                    "order", "object", "`lines` that come back (`id`, `quantity`)", default="all of the order"
                ),
            ),
        ),
    )
}

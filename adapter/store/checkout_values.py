"""What a checkout asks of a store, and what it gets: frozen values, the same for both engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct

from adapter.model.customers import Customer
from adapter.model.discounts import DiscountRecord
from adapter.model.redemptions import Redemption
from adapter.model.vouchers import Voucher


class BookingRequest(Struct, frozen=True, kw_only=True):
    """What a booking needs to know: redemptions by id, the codes on orders, and so many codes of pools.

    `holders` are loaded customers whose holds are read, `vouchers` codes that may be vouchers.
    """

    redemptions: Sequence[str] = ()
    holders: Sequence[str] = ()
    orders: Sequence[str] = ()
    pools: Mapping[str, int] = {}
    vouchers: Sequence[str] = ()


class BookedState(Struct, frozen=True):
    """What is booked, locked until the transaction ends.

    `on_orders` has, by order id and code as it was issued, the redemption that has the code in use. `codes`
    are by pool the next ones that no other transaction hands out; those saved as `drawn` are handed out, the
    others stay. `vouchers` are by folded code.
    """

    redemptions: Mapping[str, Redemption] = {}
    on_orders: Mapping[tuple[str, str], str] = {}
    codes: Mapping[str, Sequence[str]] = {}
    vouchers: Mapping[str, Voucher] = {}


class Pool(Struct, frozen=True):
    """How many codes of a pool are `left`, and how many were `drawn`."""

    name: str
    left: int
    drawn: int


#: Whose wrong codes are counted: the fingerprint of a customer's id, or a caller; the other one is empty.
FailedBy = tuple[bytes, str]


class FailedCodes(Struct, frozen=True):
    """How many `wrong` codes a customer or a caller has sent, the first of them at `since`."""

    since: datetime
    wrong: int


class PoolCode(Struct, frozen=True):
    """A code to be added to a pool; left out where there is one that is spelled alike."""

    pool: str
    code: str


class CheckoutQuery(Struct, frozen=True):
    """What a checkout asks first: of codes as they were typed, of a customer, if any, and of wrong codes."""

    codes: Sequence[str]
    source_id: str
    failed: Sequence[FailedBy]
    now: datetime


class CheckoutView(Struct, frozen=True):
    """What is committed: counts of wrong codes, `lapsed` holds of the codes, what the codes mean, whose call.

    `lapsed` has the ids of 50 holds at most; `discounts` has every discount that a code may mean,
    `vouchers` by folded code those of the codes that no discount has.
    """

    failed: Mapping[FailedBy, FailedCodes]
    lapsed: Sequence[str]
    discounts: Sequence[DiscountRecord]
    customer: Customer | None
    vouchers: Mapping[str, Voucher] = {}


#: So many lapsed holds of codes are in a view.
MOST_LAPSED = 50


class Issued(Struct, frozen=True):
    """A discount as it is kept, under its owner's key, and whether a redemption has `booked` it."""

    held: DiscountRecord
    booked: bool


class BookedFigures(Struct, frozen=True):
    """What was redeemed of a rule on one UTC `day`, in one currency; `currency` may be empty.

    `amount` and `returned` (rolled back since) are in minor units. Of `redeemed` uses `unknown` have no
    amount, and `rolled_back` are rolled back whole.
    """

    day: date
    currency: str
    redeemed: int
    unknown: int
    rolled_back: int
    amount: int
    returned: int

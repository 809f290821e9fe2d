"""The tables of the checkout: redemptions, holds, rollbacks, code pools and counts of wrong codes."""

from __future__ import annotations

from adapter.store.checkout_rows import read_redemption, read_rollback
from adapter.store.tables.description import (
    Anonymise,
    CustomerRows,
    Delete,
    IndirectRows,
    Listed,
    Move,
    NoCustomerData,
    NotExported,
    Purge,
    Redact,
    Table,
    columns,
)

REDEMPTIONS = Table(
    name="redemptions",
    columns=columns(
        source_id="text",
        id="text",
        order_id="text",
        state="text",
        at="number",
        until="number",
        revision="number",
        body="bytes",
    ),
    key=("source_id", "id"),
    rows=CustomerRows(
        merge=Move(),
        erase=Delete(counted="redemptions"),
        export=Listed(
            "redemptions",
            ("body",),
            ("at", "id"),
            lambda row, _key, source_id: read_redemption(source_id, row[0]),
        ),
        purge=Purge("holds", "at", condition="state IN ('released', 'expired')", ordered="at"),
        redact=Redact(("order_id", "body"), ("id",), ("at", "id")),
        shared=True,
    ),
)
REDEMPTION_USES = Table(
    name="redemption_uses",
    columns=columns(
        source_id="text",
        redemption="text",
        rank="number",
        code="text",
        rule="text",
        currency="text",
        amount="number",
        returned="number",
        state="text",
        at="number",
    ),
    key=("source_id", "redemption", "rank"),
    rows=CustomerRows(
        merge=Move(),
        erase=Anonymise({"source_id": "''", "code": "''"}),
        export=NotExported("a redemption, which is exported, has the amounts of its codes"),
        kept="for ever; after an erasure without the customer and the code",
        shared=True,
    ),
)
ORDER_CODES = Table(
    name="order_codes",
    columns=columns(order_id="text", code="text", source_id="text", redemption="text"),
    key=("order_id", "code"),
    rows=CustomerRows(
        merge=Move(),
        erase=Delete(counted="order_codes"),
        export=NotExported("a redemption, which is exported, has its order and codes"),
        shared=True,
    ),
)
ROLLBACKS = Table(
    name="rollbacks",
    columns=columns(source_id="text", redemption="text", rank="number", id="text", at="number", body="bytes"),
    key=("source_id", "id"),
    rows=CustomerRows(
        merge=Move(),
        erase=Delete(counted="rollbacks"),
        export=Listed(
            "rollbacks",
            ("body",),
            ("at", "id"),
            lambda row, _key, source_id: read_rollback(source_id, row[0]),
        ),
        redact=Redact(("body",), ("id",), ("number",)),
        shared=True,
    ),
)
POOL_CODES = Table(
    name="pool_codes",
    columns=columns(
        number="number", pool="text", code="text", folded="text", added_at="number", drawn_at="number"
    ),
    key=("number",),
    rows=NoCustomerData("uploaded codes; a code that was handed out has no customer here"),
)
VOUCHERS = Table(
    name="vouchers",
    columns=columns(folded="text", body="bytes"),
    key=("folded",),
    rows=NoCustomerData("codes without a customer; an import takes no column of a person"),
)
FAILED_CODES = Table(
    name="failed_codes",
    columns=columns(customer="bytes", caller="text", since="number", wrong="number"),
    key=("customer", "caller"),
    rows=IndirectRows(
        erase="a trigger deletes the row of a customer's id, found by its SHA-256, with the receipt",
        export=NotExported("a count of wrong codes of the last ten minutes"),
        purge=Purge("failed_codes", "since"),
        kept="an hour at most",
    ),
)

"""A record for each table. Copies, merges and erasures go through the tables in this order.

Messages and customers come first, because every transaction locks them in this order. Receipts and identities
come before pending moves and redemptions, because triggers of PostgreSQL remove or move rows of these when a
receipt or a redirect is inserted.
"""

from __future__ import annotations

from adapter.store.tables.checkout_tables import (
    FAILED_CODES,
    ORDER_CODES,
    POOL_CODES,
    REDEMPTION_USES,
    REDEMPTIONS,
    ROLLBACKS,
    VOUCHERS,
)
from adapter.store.tables.customer_tables import (
    ADDRESSES,
    CODES,
    COUNTERS,
    CUSTOMERS,
    DATES,
    DECISIONS,
    DELIVERIES,
    DISCOUNTS,
    EVENTS,
    FORWARDS,
    IDENTITIES,
    MESSAGES,
    PENDING_MOVES,
    TAKEN,
    TIMERS,
    UNADDRESSED,
)
from adapter.store.tables.description import CustomerRows, Listed
from adapter.store.tables.operation_tables import (
    ACTIVITY,
    ADDRESS_PROGRESS,
    AUDIT,
    BREAKERS,
    CALLS,
    CONSOLE_SESSIONS,
    ERASURES,
    FORWARDED_ERASURES,
    IGNORED,
    IMPORT_CHUNKS,
    IMPORT_REFUSAL_NAMES,
    IMPORT_REFUSALS,
    IMPORTS,
    JOURNAL,
    JOURNAL_NAMES,
    PAUSES,
    QUARANTINE,
    QUARANTINE_NAMES,
    RECEIPTS,
    SCHEDULES,
    SECRETS,
    SIGN_INS,
    SIMULATION_EXAMPLES,
    SIMULATIONS,
)

TABLES = (
    MESSAGES,
    RECEIPTS,
    CUSTOMERS,
    IDENTITIES,
    DISCOUNTS,
    CODES,
    EVENTS,
    DECISIONS,
    DELIVERIES,
    TAKEN,
    FORWARDS,
    TIMERS,
    PENDING_MOVES,
    REDEMPTIONS,
    REDEMPTION_USES,
    ORDER_CODES,
    ROLLBACKS,
    UNADDRESSED,
    ADDRESSES,
    DATES,
    COUNTERS,
    FORWARDED_ERASURES,
    QUARANTINE,
    QUARANTINE_NAMES,
    ERASURES,
    ADDRESS_PROGRESS,
    IGNORED,
    POOL_CODES,
    VOUCHERS,
    FAILED_CODES,
    PAUSES,
    BREAKERS,
    IMPORTS,
    IMPORT_CHUNKS,
    IMPORT_REFUSALS,
    IMPORT_REFUSAL_NAMES,
    CALLS,
    SCHEDULES,
    ACTIVITY,
    SECRETS,
    SIMULATIONS,
    SIMULATION_EXAMPLES,
    JOURNAL,
    JOURNAL_NAMES,
    CONSOLE_SESSIONS,
    SIGN_INS,
    AUDIT,
)
#: The tables that a copy has.
COPIED = tuple(table for table in TABLES if table.engine is None)
#: The members of an export that are lists of rows, in their order.
LISTED = tuple(
    table.rows.export.member
    for table in TABLES
    if isinstance(table.rows, CustomerRows) and isinstance(table.rows.export, Listed)
)
#: Tables of an engine's own bookkeeping, which are not copied: what they have.
BOOKKEEPING = {
    "schema_version": "the migrations that were applied",
    "copy_progress": "how far a copy into this store has come",
    "totals": "row counts of large tables of SQLite",
    "pulse": "a row that a health check of SQLite rewrites",
}

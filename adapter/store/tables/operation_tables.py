"""The tables of operations: quarantine, erasures, counts and pauses."""

from __future__ import annotations

from adapter.store.tables.description import (
    Anonymise,
    CustomerRows,
    Delete,
    IndirectRows,
    Member,
    Move,
    NoCustomerData,
    NotExported,
    Purge,
    Table,
    columns,
)

RECEIPTS = Table(
    name="receipts",
    columns=columns(
        number="number", customer="bytes", erased_at="number", origin="text", request="text", removed="bytes"
    ),
    key=("number",),
    rows=IndirectRows(
        erase="receipts stay: they have the SHA-256 of an id, and counts",
        export=Member("receipts"),
        kept="for ever",
    ),
)
FORWARDED_ERASURES = Table(
    name="forwarded_erasures",
    columns=columns(
        customer="bytes",
        id="text",
        erased_at="number",
        destination="text",
        state="text",
        at="number",
        detail="text",
    ),
    key=("customer", "id"),
    rows=IndirectRows(
        erase="they stay with the receipts: they have the SHA-256 of an id, and what was done",
        export=Member("receipts"),
        kept="for ever",
    ),
)
QUARANTINE = Table(
    name="quarantine",
    columns=columns(
        id="number",
        source="text",
        key="text",
        document="bytes",
        reason="text",
        received_at="number",
        replayed="boolean",
        whole="bytes",
        size="number",
    ),
    key=("id",),
    rows=IndirectRows(
        erase="messages that name the person by an id or an address are deleted, found by quarantine_names",
        export=Member("quarantined"),
        purge=Purge("quarantine", "received_at", number="id", ordered="id"),
    ),
)
QUARANTINE_NAMES = Table(
    name="quarantine_names",
    columns=columns(name="bytes", id="number"),
    key=("name", "id"),
    rows=IndirectRows(
        erase="deleted with the quarantined message",
        export=NotExported("digests of names that the messages have in the clear"),
        kept="as long as the quarantined message",
    ),
)
JOURNAL = Table(
    name="journal",
    columns=columns(number="number", at="number", size="number", names="bytes", data="bytes"),
    key=("number",),
    rows=IndirectRows(
        erase="messages that mention the person are removed from their rows, after the erasure has committed",
        export=Member("messages"),
        kept="`journal.days`, and no longer than there is room (`journal.max_mb`)",
    ),
)
JOURNAL_NAMES = Table(
    name="journal_names",
    columns=columns(name="bytes", number="number"),
    key=("name", "number"),
    rows=IndirectRows(
        erase="deleted by the digests of the person's names",
        export=NotExported("digests of ids that the messages have in the clear"),
        kept="as long as the row of the journal",
    ),
)
ERASURES = Table(
    name="erasures",
    columns=columns(
        number="number",
        names="bytes",
        customers="bytes",
        erased_at="number",
        upto="number",
        journal_upto="number",
    ),
    key=("number",),
    rows=IndirectRows(
        erase="the names stay until the search for them is finished, then the row is deleted",
        export=NotExported("the person was erased"),
        kept="until the erasure is finished",
    ),
)
ADDRESS_PROGRESS = Table(
    name="address_progress",
    columns=columns(name="text", reached="text"),
    key=("name",),
    rows=NoCustomerData("how far customers of older programs have been indexed; removed after the last"),
)
IGNORED = Table(
    name="ignored",
    columns=columns(
        source="text", type="text", event="text", count="number", first_at="number", last_at="number"
    ),
    key=("source", "type", "event"),
    rows=NoCustomerData("counts of messages that no mapping takes"),
)
BREAKERS = Table(
    name="breakers",
    columns=columns(
        destination="text",
        since="number",
        succeeded="number",
        failed="number",
        openings="number",
        until="number",
        probed_until="number",
        reason="text",
    ),
    key=("destination",),
    rows=NoCustomerData("destinations that fail, and until when nothing is sent to them"),
)
CALLS = Table(
    name="calls",
    columns=columns(destination="text", kind="text", at="number", used="number"),
    key=("destination", "kind", "at"),
    rows=NoCustomerData("how many calls each destination was sent, by second and month, and its pace"),
)
PAUSES = Table(
    name="pauses",
    columns=columns(destination="text", since="number", until="number", reason="text"),
    key=("destination",),
    rows=NoCustomerData("destinations that receive nothing for a while"),
)
IMPORTS = Table(
    name="imports",
    columns=columns(
        id="text",
        created_at="number",
        updated_at="number",
        state="text",
        local="boolean",
        leased_by="text",
        leased_until="number",
        body="bytes",
    ),
    key=("id",),
    rows=NoCustomerData("imports of files: names of files, options and counts"),
)
IMPORT_CHUNKS = Table(
    name="import_chunks",
    columns=columns(import_id="text", number="number", data="bytes"),
    key=("import_id", "number"),
    rows=IndirectRows(
        erase="an upload is deleted when its import ends; rows of erased people in it are refused",
        export=NotExported("what is taken of an upload is exported from the other tables"),
        kept="until the import ends, `retention.import_days` at most",
    ),
)
IMPORT_REFUSALS = Table(
    name="import_refusals",
    columns=columns(number="number", import_id="text", source_id="text", refusal="bytes", raw="bytes"),
    key=("number",),
    rows=CustomerRows(
        merge=Move(),
        erase=Delete(),
        export=NotExported("rows of a file that the shop has, and that were not taken"),
        kept="`retention.import_days` after the import",
        shared=True,
        weighed=False,
    ),
)
SCHEDULES = Table(
    name="schedules",
    columns=columns(
        name="text", schedule="text", due_at="number", reached="text", worker="text", lease_until="number"
    ),
    key=("name",),
    rows=NoCustomerData(
        "the next occurrence of each scheduled rule; while it runs, the key of the customer reached"
    ),
)
ACTIVITY = Table(
    name="activity",
    columns=columns(name="text", at="number", amount="number"),
    key=("name", "at"),
    rows=NoCustomerData("counts of what happened, by minute for 3 days and for rules by hour for 31 days"),
)
SECRETS = Table(
    name="secrets",
    columns=columns(name="text", value="bytes"),
    key=("name",),
    rows=NoCustomerData("the secret that hashes the values of keys, by which limits count"),
)
IMPORT_REFUSAL_NAMES = Table(
    name="import_refusal_names",
    columns=columns(name="bytes", number="number"),
    key=("name", "number"),
    rows=IndirectRows(
        erase="an erasure deletes the refused rows with an address of the person, and these with them",
        export=NotExported("digests of addresses that the refused rows have in the clear"),
        kept="as long as the refused row",
    ),
)
CONSOLE_SESSIONS = Table(
    name="console_sessions",
    columns=columns(id="bytes", hashed="bytes", name="text", expires_at="number"),
    key=("id",),
    rows=NoCustomerData("who is signed in to the console; deleted at the next sign-in after its end"),
)
SIGN_INS = Table(
    name="sign_ins",
    columns=columns(number="number", address="bytes", at="number"),
    key=("number",),
    rows=IndirectRows(
        erase="keyed hashes of addresses of people of the shop; no customer is in them",
        export=NotExported("tokens that people of the shop tried"),
        purge=Purge("sign_ins", "at"),
        kept="five minutes, and deleted within the hour",
    ),
)
AUDIT = Table(
    name="audit",
    columns=columns(
        number="number",
        at="number",
        who="text",
        role="text",
        action="text",
        subject="text",
        source_id="text",
        state="text",
        message="text",
        was="bytes",
        became="bytes",
    ),
    key=("number",),
    rows=CustomerRows(
        merge=Move(),
        erase=Anonymise(
            {
                "source_id": "''",
                "subject": "''",
                "message": "'the customer was erased'",
                "was": "NULL",
                "became": "NULL",
            }
        ),
        export=NotExported("what people of the shop did in the console"),
        purge=Purge("audit", "at", ordered="number"),
        shared=True,
        weighed=False,
    ),
)
SIMULATIONS = Table(
    name="simulations",
    columns=columns(
        id="text",
        created_at="number",
        state="text",
        worker="text",
        lease_until="number",
        body="bytes",
        report="bytes",
    ),
    key=("id",),
    rows=NoCustomerData("what was simulated, and reports without persons; the latest 100 are kept"),
)
SIMULATION_EXAMPLES = Table(
    name="simulation_examples",
    columns=columns(source_id="text", simulation="text", number="number", example="bytes"),
    key=("source_id", "simulation", "number"),
    rows=CustomerRows(
        merge=Move(),
        erase=Delete(),
        export=NotExported("discounts that nobody got: what other rules would have done"),
        kept="as long as the simulation",
        weighed=False,
    ),
)

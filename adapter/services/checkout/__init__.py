"""The checkout: what codes take off an order, and booking it exactly once.

`service` has the verbs (validate, redeem, roll back, holds, qualify), each one transaction of the store
around the pure room `adapter.pricing`. `candidates` finds what the codes of a request are, `quote` prices
them, `booking` (with `attempt`) and `undoing` are the transactions, over `ledger`, `taking` and
`giving_back`, which change discounts and counters in memory. `replies` has the answers kept under
idempotency keys, `documents` what callers see. It may import `adapter.services.ingest`. A new reason why a
code cannot be used is a function in `reasons`, and a heading in `docs/checkout.md`.
"""

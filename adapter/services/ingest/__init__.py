"""The corridor of a message: map, submit, and in one transaction load, decide, reserve, save.

`pipeline` is the way in, `group_commit` drains all that waits into one transaction, `decide` runs inside it
with `apply` (customers and events) and `issue` (discounts). Background work and HTTP call it; it calls no
other service. A new kind of operation is a value in `adapter.model.operations`, handled in `apply` or
`issue`.
"""

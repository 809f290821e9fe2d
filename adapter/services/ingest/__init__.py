"""The ingest pipeline: map, submit, and in one transaction load, decide, reserve, save.

`pipeline` reads from top to bottom in the order of the steps; each step has a module of its own (`mapper`,
`group_commit`, `load`, `apply` for customers and events, `issue` for discounts, `save`). Background work and
HTTP call it; it calls no other service but the decision log. A new kind of operation is a value in
`adapter.model.operations`, handled in `apply` or `issue`.
"""

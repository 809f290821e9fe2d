"""The store: one contract, an engine in each sub-package; SQL is nowhere else.

`contract` has the verbs, `values` what goes in and comes out, and `tables` one description of each table,
from which copy, merge, erasure and export follow. An engine may import the modules here, but not the other
engine. Modules here may import the model. docs/architecture.md shows how to add a table.
"""

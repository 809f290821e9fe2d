"""One description of each table. Copy, merge, erasure, export, retention and redaction follow from it.

`description` has the record `Table`, `registry` a record for every table of both engines, and each `*_sql`
module the statements that follow. Modules here may import `rows`, `values` and the model, and no engine. To
add a table, add its migration to both engines and its record to the registry; `tests/store/test_tables.py`
compares the two.
"""

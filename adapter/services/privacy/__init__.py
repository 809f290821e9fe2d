"""What a person may ask: export of what is stored, and erasure with all mentions elsewhere.

`requests` answers both, `export` streams, `redaction` removes mentions after the erasure has committed. A
new table of customer data is added to the store's description of tables, from which both follow.
"""

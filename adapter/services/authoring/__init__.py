"""Tools for authors of mapping and rule files: test cases, their report, and data lineage.

It may import `mapping`, `rules` and `sources`; commands call it.
"""
